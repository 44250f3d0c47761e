"""One destination's outbox: what is held, what waits for a retry, what is owed by range, and the account of it all.

Pure: it neither sends nor reads; the operator around it does, and passes the time in.
"""

import random
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice

import msgspec

from delivery.backlog import Backlog, Finished
from delivery.departures import halve
from delivery.failures import KnownFailures, failed_of
from delivery.findings import finding_of
from delivery.health import Health
from delivery.held import UNREPEATABLE, Held
from delivery.later import Later
from delivery.outcomes import Once, Redact, outcome_of
from delivery.pacing import Pacer
from delivery.positions import position_of, positions_of, spans_of
from delivery.ranges import Reread
from delivery.retry import DELIVERED, Decision, decide
from delivery.state import STATE_VERSION, OutboxState, write_state
from delivery.unlisted import Unlisted
from delivery.windows import Window
from records import (
    Attempt,
    Command,
    Invocation,
    Missed,
    Outcome,
    Policy,
    RangeRead,
    Status,
    Verdict,
)

_OVERSHOOT = 8
"""What is on the road already when the sources stop must find a place: a batch of every partition."""
EXCERPT_BYTES = 1000
"""Of an answer, beside a change of health."""
_SMALLEST_READ = 64
"""A re-read of fewer messages than this costs more in turns of the road than it brings."""


class Outbox:
    """What deliver knows of one destination.

    The account `matched == delivered + failed + owed + expired + skipped` holds after every call.
    """

    def __init__(
        self,
        destination: str,
        policy: Policy,
        state: OutboxState | None = None,
        redact: Callable[[bytes], bytes] = bytes,
        chance: Callable[[], float] = random.random,
        readable: Callable[[str], bool] = lambda _: True,
        known: KnownFailures | None = None,
    ) -> None:
        """Start empty, or with everything that a snapshot says is owed as ranges to read again.

        `readable` tells whether a stream is among the inputs: what is owed of another one waits for its return.
        `known` tells which failures of the ledger the snapshot counts.
        """
        self.destination = destination
        self._policy = policy
        self.redact = redact
        self.matched = self.delivered = self.failed = self.expired = self.skipped = 0
        self.behind = False
        self.slow = False
        """Whether the destination is slow by itself. One that is not may hold more than its outbox for a moment: the
        sources wait for it."""
        self.must_hold = False
        """Whether the endpoint has asked to be left alone, and what is queued in the transport has to come back."""
        self.last_error = ""
        self.window = Window()
        self.health = Health(policy.quarantine, None if state is None else state.health)
        self.command = 0 if state is None else state.command
        """The latest command that was carried out."""
        self.backlog = Backlog()
        self._chance = chance
        self._readable = readable
        self.held = Held()
        self._later = Later()
        self.unlisted = Unlisted(0.0 if state is None else state.listed_until)
        self.known = known or KnownFailures()
        self.pacer = Pacer()
        if state is not None:
            self._restore(state)

    @property
    def policy(self) -> Policy:
        """How it is delivered to."""
        return self._policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        if policy.order and not self._policy.order and self.backlog.missed(self._readable):
            # From now on nothing newer goes before what is owed.
            self.behind = True
        self._policy = policy
        self.health.limits = policy.quarantine

    @property
    def owed(self) -> int:
        """In flight, waiting for a slot or a retry, or in ranges."""
        return len(self.held) + len(self._later) + len(self.backlog)

    @property
    def closed(self) -> bool:
        """Whether a new match is only noted as owed, so that nobody need render it."""
        return self.behind or not self.health.open

    def accept(self, invocation: Invocation, now: float) -> Outcome | None:
        """Take one match: to be sent, or noted as owed while the destination is behind.

        Returns:
            The outcome at once, when there is nothing that could be sent.
        """
        return next(iter(self.accept_together([invocation], now)), None)

    def accept_together(self, invocations: Sequence[Invocation], now: float) -> list[Outcome]:
        """Take what several mappings make of one event: all of it is noted as owed, or none.

        Else its position would be both sent and owed.
        """
        missed = self._is_missed(invocations[0])
        outcomes: list[Outcome] = []
        taken: list[Invocation] = []
        for invocation in invocations:
            if not self._count(invocation):
                continue
            if missed:
                self._miss(Missed.of(invocation))
            elif invocation.work is None:
                outcomes.append(self._end(invocation, now))
            else:
                taken.append(invocation)
        if taken:
            self._take(taken)
        return outcomes

    def _end(self, invocation: Invocation, now: float) -> Outcome:
        """What becomes of one that makes no request."""
        if invocation.error is not None:
            self._fail(invocation, now)
            return outcome_of(invocation, Verdict.FAILED, now, self.redact, reason=invocation.error)
        self.delivered += 1
        return self._delivered(invocation, now)

    def _count(self, invocation: Invocation) -> bool:
        """Note that it has come; whether anything is to be done about it."""
        if invocation in self.held or invocation in self._later:
            # The same event at the same position, of a log that was written anew: it is on its way already.
            return False
        if not invocation.reread:
            self.matched += 1
            return True
        arrival = self.backlog.arrived(position_of(invocation))
        invocation.replayed = arrival.replay
        self.matched += not (arrival.owed or arrival.void)
        return not arrival.void

    def _take(self, invocations: list[Invocation]) -> None:
        """Hold what is of one event, unless it has to be read once more, or waits for what is older."""
        first = invocations[0]
        repeatable = first.stream != UNREPEATABLE
        place = (first.stream, first.partition, first.offset)
        overtaking = first.reread and bool(self._policy.order) and self.backlog.owes_before(*place)
        if repeatable and (self.health.blocked or overtaking):
            # Its re-read was under way when sending was stopped, or when something older came back.
            self._owe(invocations)
            self._keep_order()
            return
        waits = self._later.open and not first.reread and repeatable
        for invocation in invocations:
            (self._later if waits else self.held).add(invocation)

    def _is_missed(self, invocation: Invocation) -> bool:
        """Whether a new match is noted as owed."""
        if invocation.reread or invocation.stream == UNREPEATABLE:
            return False
        return self.closed or self._is_full()

    def miss(self, missed: Missed) -> None:
        """Note as owed what was not even rendered."""
        self.matched += missed.count
        self._miss(missed)

    def range_read(self, mark: RangeRead) -> Finished:
        """The backlog lane has come to the end of what it was asked for."""
        finished = self.backlog.finished(mark)
        self.skipped += finished.skipped
        self.expired += finished.expired
        return finished

    def replay(self, command: Command, now: float) -> int:
        """Read the positions of a command again. What had failed is owed again, as much of it as is known.

        Returns:
            How many positions that are; of what had failed those are left out that are owed already.
        """
        if not command.failed:
            self.backlog.replay(command.id, command.spans, now)
            return sum(span.positions for span in command.spans)
        failed = failed_of(command.spans, now)
        held = {position_of(one) for one in (*self.held, *self._later)}
        counted, others = self.known.to_send(failed, lambda at: at in held or self.backlog.owes(at))
        # Of those of an earlier life, without a snapshot of it, nobody knows any more whether they are counted.
        known = set(sorted(counted)[: self.failed])
        counted, others = known, others | (counted - known)
        self.failed -= len(counted)
        self.unlisted.take(counted | others)
        self.backlog.replay(command.id, spans_of(counted), now, owed=True)
        self.backlog.replay(command.id, spans_of(others), now)
        return len(counted) + len(others)

    def give_up(self, replays: bool = False) -> int:
        """Forget what was missed, or the replays; returns how many owed matches that were."""
        skipped = self.backlog.give_up(replays)
        self.skipped += skipped
        return skipped

    @property
    def unfinished(self) -> bool:
        """Whether there is anything to wait for that can be read."""
        waiting = sum(self.unreadable().values())
        return self.owed > waiting or self.backlog.replaying(self._readable)

    def next_read(self) -> Reread | None:
        """What the backlog lane should read next for this destination; None when there is no room or nothing owed."""
        if self.health.blocked:
            return None
        missed = self.backlog.missed(self._readable)
        if self.behind and self.health.open and len(self.held) + missed <= self._few:
            # What is left fits easily: new matches are sent at once again while the rest is fetched.
            self.behind = False
            self.backlog.seal()
            # With an order what was missed goes first; what is held keeps its order by itself.
            self._later.open = bool(self._policy.order)
        if self._later.open and not missed:
            for invocation in self._later.close():
                self.held.add(invocation)
        room = (self.policy.outbox if self.health.open else _SMALLEST_READ) - len(self.held)
        if room < min(_SMALLEST_READ, self.policy.outbox):
            return None
        return self.backlog.next_read(self.destination, room, self._readable)

    def unreadable(self) -> dict[str, int]:
        """How much is owed of streams that are not among the inputs, by stream."""
        return self.backlog.waiting_for(self._readable)

    def take_to_send(self, now: float) -> list[Invocation]:
        """What is to be handed to the transport now: new matches and retries whose time has come."""
        if self.health.blocked:
            return []
        self.held.send_due(now)
        if not self.held.line:
            return []
        limit = self.pacer.allowance(self._policy, now)
        if not self.health.open:
            # One at a time while it is tried out.
            limit = min(limit, int(not self.held.handed_over))
        batch = self.held.take(self._policy, now, limit)
        self.pacer.leaving(len(batch), now)
        return batch

    def next_departure_at(self, now: float) -> float | None:
        """When something may leave that waits for its turn; None when nothing does, or when it waits for an answer."""
        if not self.held.line or not self.health.open:
            return None
        return self.pacer.next_at(self._policy, now) if self.paced else self.held.line.next_at(self._policy)

    @property
    def paced(self) -> bool:
        """Whether something waits that could leave, were it not for the pace."""
        return bool(self.held.line) and self.held.line.limited

    def settle(self, attempts: Iterable[Attempt], now: float) -> list[Outcome]:
        """Decide over finished attempts; one of a batch is an outcome for each that was in it."""
        outcomes: list[Outcome] = []
        for attempt in attempts:
            jitter = self._chance()
            redact = Once(self.redact)
            members = self.held.line.arrived(attempt.invocation)
            first = members[0]
            decision = decide(attempt, first.retries, self.policy, now, jitter, first.resent, len(members))
            judged = min(decision.only, default=0)
            if attempt.response is not None and self.pacer.answered(attempt.response, self._policy, now):
                self.must_hold = True
            for count, member in enumerate(members):
                own = attempt if member is attempt.invocation else msgspec.structs.replace(attempt, invocation=member)
                concerned = not decision.only or count in decision.only
                decided = decision if concerned else DELIVERED
                outcome = self._settle(own, decided, now, redact, judged=count == judged)
                # The one answer is kept whole once: a hundred events do not make a hundred of it.
                short = count != judged and len(outcome.body) > EXCERPT_BYTES
                outcomes.append(
                    msgspec.structs.replace(outcome, body=outcome.body[:EXCERPT_BYTES]) if short else outcome
                )
            if decision.apart:
                halve(members)
        return outcomes

    def hold(self, queued: Iterable[str]) -> None:
        """Let what the transport has given back wait here for its turn."""
        self.must_hold = False
        self.held.put_back(queued)

    def recall(self, queued: Iterable[str]) -> None:
        """Let go of what is not on the wire: it was rendered with a configuration that is no more.

        It stays owed and is read again, to be sent as things are then. What cannot be read again waits to be sent as it
        is.

        Args:
            queued: Ids of invocations that the transport has given back.
        """
        self._owe_later()
        recalled = self.held.recall(queued)
        self._owe(recalled)
        if recalled:
            self._keep_order()

    def interrupt(self) -> None:
        """It is configured otherwise from now on, or switched off."""
        # Switched off, be it for a moment: what was read meanwhile did not get through, and yet may match.
        self.backlog.interrupt()
        # A cap may hold back all that comes next.
        self.backlog.seal()

    def drop(self) -> None:
        """Give up everything owed: the destination was removed by a person."""
        self.skipped += self.owed
        self.held, self._later, self.unlisted, self.backlog = Held(), Later(), Unlisted(), Backlog()

    def status(self, name: str, now: float, in_flight: int) -> Status:
        """The account and the windows, as `offramp status` shows them; `in_flight` is the transport's number."""
        health = self.health.state
        oldest = self.backlog.oldest()
        for first in islice(self.held, 1):
            oldest[first.stream] = min(first.read_ms / 1000, oldest.get(first.stream, now))
        return Status(
            id=self.destination,
            name=name,
            state=self._state(),
            at=now,
            since=health.since,
            until=health.until,
            reason=health.reason,
            response=health.response or health.refusal,
            attention=health.attention,
            backlog=len(self.backlog),
            replays=self.backlog.replays(),
            command=self.command,
            matched=self.matched,
            delivered=self.delivered,
            failed=self.failed,
            owed=self.owed,
            expired=self.expired,
            skipped=self.skipped,
            in_flight=in_flight,
            waiting_retry=self.held.waiting,
            error_rate=round(self.window.error_rate(now), 4),
            p50_ms=self.window.quantile_ms(now, 0.5),
            p99_ms=self.window.quantile_ms(now, 0.99),
            lag_s=round(max(0.0, now - min(oldest.values())), 3) if oldest else 0.0,
            oldest=oldest,
            last_error=self.last_error,
        )

    def _state(self) -> str:
        health = self.health.state
        if health.paused:
            return "paused"
        if health.name != "healthy":
            return health.name
        return "behind" if self.behind else "live"

    def snapshot(self) -> bytes:
        """Everything that must survive a crash. Events themselves stay in the log.

        What has failed and is not in the ledger yet is owed in it: a crash now must not let it vanish.
        """
        owed = (*self.held, *self._later, *self.unlisted)
        return write_state(
            OutboxState(
                version=STATE_VERSION,
                destination=self.destination,
                matched=self.matched,
                delivered=self.delivered,
                failed=self.failed - len(self.unlisted),
                expired=self.expired,
                skipped=self.skipped,
                ranges=self.backlog.ranges,
                held=positions_of(one for one in owed if not one.replayed),
                replayed=positions_of(one for one in owed if one.replayed),
                health=self.health.state,
                command=self.command,
                listed_until=self.unlisted.since,
                uncounted=self.known.uncounted(),
            )
        )

    def _restore(self, state: OutboxState) -> None:
        self.matched, self.delivered, self.failed = state.matched, state.delivered, state.failed
        self.expired, self.skipped = state.expired, state.skipped
        self.backlog = Backlog(state.ranges)
        for replayed, held in ((False, state.held), (True, state.replayed)):
            for positions in held:
                self.backlog.add_exactly(positions, replayed)
        few = 0 if self._policy.order else self._few
        self.behind = len(self.backlog) > few or not self.health.open
        if not self.behind:
            self.backlog.seal()

    @property
    def _few(self) -> int:
        """With no more than so many owed, new matches are sent at once."""
        return self._policy.outbox // 2

    def _keep_order(self) -> None:
        """Something is to be read again: with an order, what is newer must not be sent before it."""
        if self._policy.order:
            self._owe_later()
            self.behind = True

    def _owe_later(self) -> None:
        """What waits for what is older is to be read again behind it."""
        # Also with nothing that waits: it was open because something older has not been read again yet.
        self.behind |= self._later.open
        self._owe(self._later.close())

    def _is_full(self) -> bool:
        held = len(self.held) + len(self._later)
        return held >= self.policy.outbox and (self.slow or held >= self.policy.outbox * _OVERSHOOT)

    def _settle(self, attempt: Attempt, decision: Decision, now: float, redact: Redact, judged: bool) -> Outcome:
        invocation = attempt.invocation
        self.held.answered(invocation)
        if judged:
            self.window.add(now, attempt.duration_ms, decision.verdict is not Verdict.DELIVERED)
        if decision.verdict is Verdict.DELIVERED:
            self.delivered += self.held.let_go(invocation)
            if judged:
                self._judge(attempt, now)
            return self._delivered(invocation, now, attempt, redact)
        if decision.verdict is Verdict.RETRYING and self.held.is_stale(invocation) and self.held.let_go(invocation):
            # Tried again as things are now: the position is read again, and rendered anew.
            self._owe([invocation])
            if self._policy.order:
                # Whoever has waited for it here would overtake it.
                self.recall(())
            self._keep_order()
        elif decision.verdict is Verdict.RETRYING:
            invocation.retries += not (decision.instant or decision.apart)
            invocation.resent |= decision.instant
            self.held.retry(invocation, decision.retry_at)
        elif self.held.let_go(invocation):
            self._fail(invocation, now)
        outcome = outcome_of(invocation, decision.verdict, now, redact, attempt, decision.reason)
        self.last_error = outcome.reason
        if judged and not decision.instant:
            # A kept-alive connection that was gone says nothing about the endpoint.
            self._judge(attempt, now, outcome)
        return outcome

    def _delivered(
        self, invocation: Invocation, now: float, attempt: Attempt | None = None, redact: Redact | None = None
    ) -> Outcome:
        outcome = outcome_of(invocation, Verdict.DELIVERED, now, redact or self.redact, attempt)
        listed = self.known.settled(position_of(invocation))
        return msgspec.structs.replace(outcome, listed=True) if listed else outcome

    def _miss(self, missed: Missed) -> None:
        self._owe_later()
        # Also where it has just been opened again: a range that grows must cover nothing that is sent.
        self.behind = True
        self.backlog.add(missed)

    def _fail(self, invocation: Invocation, now: float) -> None:
        self.failed += 1
        self.known.settled(position_of(invocation))
        if invocation.stream != UNREPEATABLE:
            self.unlisted.note(invocation, now)

    def _owe(self, invocations: Collection[Invocation]) -> None:
        """Their positions are to be read again."""
        for replayed in (False, True):
            for positions in positions_of(one for one in invocations if one.replayed is replayed):
                self.backlog.add_exactly(positions, replayed)

    def _judge(self, attempt: Attempt, now: float, failed: Outcome | None = None) -> None:
        finding = finding_of(attempt, failed is None, self._policy.quarantine)
        reason = "" if failed is None else failed.reason
        answer = "" if failed is None else failed.body[:EXCERPT_BYTES].decode(errors="replace")
        self.health.attempt(finding, attempt.started_at, now, reason, answer)

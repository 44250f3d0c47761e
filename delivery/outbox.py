"""One destination's outbox: what is held, what waits for a retry, what is owed by range, and the account of it all.

Pure: it neither sends nor reads; the operator around it does, and passes the time in.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from delivery.departures import Departures
from delivery.findings import finding_of
from delivery.health import Health
from delivery.outcomes import outcome_of
from delivery.pacing import Pacer
from delivery.ranges import Backlog, Finished, Reread
from delivery.retry import decide
from delivery.state import STATE_VERSION, OutboxState
from delivery.windows import Window
from records import (
    Attempt,
    Command,
    Invocation,
    Outcome,
    Policy,
    RangeRead,
    Status,
    Verdict,
)

UNREPEATABLE = "-"
"""The stream that cannot be read again: standard input."""
_OVERSHOOT = 8
"""What is on the road already when the sources stop must find a place: a batch of every partition."""
EXCERPT_BYTES = 1000
"""Of an answer, beside a change of health."""
_MOST_UNLISTED = 10_000
"""Failures that the ledger has not got; where it cannot be written for long, the oldest are let go."""
_SMALLEST_READ = 64
"""A re-read of fewer messages than this costs more in turns of the road than it brings."""

Key = tuple[str, int, int, str]
"""Position and invocation: a log that begins anew brings other events at positions that are still held."""


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
    ) -> None:
        """Start empty, or with everything that a snapshot says is owed as ranges to read again.

        `readable` tells whether a stream is among the inputs: what is owed of another one waits for its return.
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
        self._held: dict[Key, Invocation] = {}
        self._pending: set[Key] = set()
        self._retries: list[tuple[float, int, Invocation]] = []
        self._sequence = 0
        self._stale: set[Key] = set()
        """On the wire with a configuration that is no more."""
        self._unrepeatable = 0
        self._unlisted: deque[tuple[float, Invocation]] = deque(maxlen=_MOST_UNLISTED)
        """What has failed, and when, and may not be in the ledger yet."""
        self._departures = Departures()
        self.pacer = Pacer()
        if state is not None:
            self._restore(state)

    @property
    def policy(self) -> Policy:
        """How it is delivered to."""
        return self._policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        self._policy = policy
        self.health.limits = policy.quarantine

    @property
    def owed(self) -> int:
        """In flight, waiting for a slot or a retry, or in ranges."""
        return len(self._held) + len(self.backlog)

    @property
    def pending(self) -> int:
        """Held and waiting for nothing but a slot or an answer."""
        return len(self._pending)

    @property
    def handed_over(self) -> int:
        """Given to the transport and not settled."""
        return len(self._pending) - len(self._departures)

    @property
    def unrepeatable(self) -> int:
        """Held and of a stream that cannot be read again."""
        return self._unrepeatable

    @property
    def waiting(self) -> int:
        """Held and waiting for the time of a retry."""
        return len(self._retries)

    def accept(self, invocation: Invocation, now: float) -> Outcome | None:
        """Take one match: to be sent, or noted as owed while the destination is behind.

        Returns:
            The outcome at once, when there is nothing that could be sent.
        """
        key = _key(invocation)
        if key in self._held:
            # The same event at the same position, of a log that was written anew: it is on its way already.
            return None
        position = (invocation.stream, invocation.partition, invocation.offset)
        if invocation.reread:
            arrival = self.backlog.arrived(*position)
            if arrival.dropped:
                return None
            invocation.replayed = arrival.replay
            self.matched += not arrival.owed
        else:
            self.matched += 1
        if invocation.work is None:
            self.failed += 1
            self._note_failure(invocation, now)
            return self._outcome(invocation, Verdict.FAILED, now, reason=invocation.error or "no request")
        repeatable = invocation.stream != UNREPEATABLE
        if repeatable and not invocation.reread and (self.behind or not self.health.open or self._is_full()):
            self.behind = True
            self.backlog.add(*position, invocation.read_ms / 1000)
            return None
        overtaking = invocation.reread and bool(self._policy.order) and self.backlog.owes_before(*position)
        if repeatable and (self.health.blocked or overtaking):
            # Its re-read was under way when sending was stopped, or when something older came back.
            self.backlog.add_exactly(*position[:2], [invocation.offset], invocation.read_ms / 1000)
            self._keep_order()
            return None
        self._held[key] = invocation
        self._unrepeatable += not repeatable
        self._send(key, invocation)
        return None

    def range_read(self, mark: RangeRead, heard: bool = True) -> Finished:
        """The backlog lane has come to the end of what it was asked for.

        With `heard` false nobody could want what it read, and it stays owed.
        """
        if not heard:
            self.backlog.unheard(mark)
            return Finished()
        finished = self.backlog.finished(mark)
        self.skipped += finished.skipped
        self.expired += finished.expired
        return finished

    def replay(self, command: Command, now: float) -> None:
        """Read the positions of a command again. What had failed is owed again, as much of it as is known."""
        owed = 0
        if command.failed:
            owed = min(self.failed, sum(span.positions for span in command.spans))
            self.failed -= owed
            # They were read from the ledger: it has them.
            taken = {(span.stream, span.partition, offset) for span in command.spans for offset in span.only or ()}
            left = [(at, one) for at, one in self._unlisted if (one.stream, one.partition, one.offset) not in taken]
            self._unlisted = deque(left, maxlen=_MOST_UNLISTED)
        self.backlog.replay(command.id, command.spans, now, owed)

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
        few = self.owed - sum(self.unreadable().values()) <= self._few
        if self.behind and self.health.open and few:
            # What is left fits easily: new matches are sent at once again while the rest is fetched.
            self.behind = False
            self.backlog.seal()
        room = (self.policy.outbox if self.health.open else _SMALLEST_READ) - len(self._held)
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
        while self._retries and self._retries[0][0] <= now:
            invocation = heapq.heappop(self._retries)[2]
            self._send(_key(invocation), invocation)
        if not self._departures:
            return []
        limit = self.pacer.allowance(self._policy, now)
        if not self.health.open:
            # One at a time while it is tried out.
            limit = min(limit, int(not self.handed_over))
        batch = self._departures.take(self._policy, now, limit)
        self.pacer.leaving(len(batch), now)
        return batch

    def next_departure_at(self, now: float) -> float | None:
        """When something may leave that waits for its turn; None when nothing does, or when it waits for an answer."""
        if not self._departures or not self.health.open:
            return None
        return self.pacer.next_at(self._policy, now) if self.paced else self._departures.next_at(self._policy)

    @property
    def paced(self) -> bool:
        """Whether something waits that could leave, were it not for the pace."""
        return bool(self._departures) and self._departures.limited

    def next_retry_at(self) -> float | None:
        """When the next retry is due."""
        return self._retries[0][0] if self._retries else None

    def settle(self, attempts: Iterable[Attempt], now: float) -> list[Outcome]:
        """Decide over finished attempts; one of a batch is an outcome for each that was in it."""
        outcomes: list[Outcome] = []
        for attempt in attempts:
            jitter = self._chance()
            members = self._departures.arrived(attempt.invocation)
            if attempt.response is not None and self.pacer.answered(attempt.response, self._policy, now):
                self.must_hold = True
            for count, member in enumerate(members):
                own = attempt if member is attempt.invocation else msgspec.structs.replace(attempt, invocation=member)
                outcomes.append(self._settle(own, now, jitter, judged=count == 0))
        return outcomes

    def hold(self, queued: Iterable[str]) -> None:
        """Let what the transport has given back wait here for its turn."""
        self.must_hold = False
        self._departures.put_back(self._given_back(queued))

    def _given_back(self, queued: Iterable[str]) -> list[Invocation]:
        held = {invocation.id: invocation for invocation in self._held.values()}
        back: list[Invocation] = []
        for id in queued:
            carried = self._departures.carried(id)
            if carried is not None:
                back += carried
            elif id in held:
                back.append(held[id])
        return back

    def recall(self, queued: Iterable[str]) -> None:
        """Let go of what is not on the wire: it was rendered with a configuration that is no more.

        It stays owed and is read again, to be sent as things are then. What cannot be read again waits to be sent as it
        is.

        Args:
            queued: Ids of invocations that the transport has given back.
        """
        given_back = {_key(invocation) for invocation in self._given_back(queued)}
        waiting = {_key(invocation) for _, _, invocation in self._retries}
        to_send = {_key(invocation) for invocation in self._departures}
        taken: dict[tuple[str, int], list[Invocation]] = {}
        kept: list[Invocation] = []
        for key, invocation in list(self._held.items()):
            if key not in given_back and key not in waiting and key not in to_send:
                continue
            if invocation.stream == UNREPEATABLE:
                if key not in waiting:
                    kept.append(invocation)
                continue
            del self._held[key]
            self._pending.discard(key)
            self._departures.settled(invocation)
            taken.setdefault((invocation.stream, invocation.partition), []).append(invocation)
        self._stale = {key for key in self._held if key not in waiting and key[0] != UNREPEATABLE}
        self._departures.keep_only(kept)
        self._retries = [entry for entry in self._retries if entry[2].stream == UNREPEATABLE]
        heapq.heapify(self._retries)
        for (stream, partition), invocations in taken.items():
            since = min(invocation.read_ms for invocation in invocations) / 1000
            self.backlog.add_exactly(stream, partition, (i.offset for i in invocations), since)
            self._keep_order()

    def listed(self, until: float) -> None:
        """What has failed until then is in the ledger."""
        while self._unlisted and self._unlisted[0][0] <= until:
            self._unlisted.popleft()

    @property
    def unlisted(self) -> int:
        """Failures that the ledger may not have yet."""
        return len(self._unlisted)

    def drop(self) -> None:
        """Give up everything owed: the destination was removed by a person."""
        self.skipped += self.owed
        self._held.clear()
        self._stale.clear()
        self._unrepeatable = 0
        self._pending.clear()
        self._retries.clear()
        self._unlisted.clear()
        self._departures = Departures()
        self.backlog = Backlog()

    def status(self, name: str, now: float, in_flight: int) -> Status:
        """The account and the windows, as `offramp status` shows them; `in_flight` is the transport's number."""
        health = self.health.state
        oldest = [i.read_ms / 1000 for i in self._first_held()]
        if (since := self.backlog.oldest()) is not None:
            oldest.append(since)
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
            waiting_retry=self.waiting,
            error_rate=round(self.window.error_rate(now), 4),
            p50_ms=self.window.quantile_ms(now, 0.5),
            p99_ms=self.window.quantile_ms(now, 0.99),
            lag_s=round(max(0.0, now - min(oldest)), 3) if oldest else 0.0,
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
        held: dict[tuple[str, int], tuple[str, int, list[int], float]] = {}
        for invocation in (*self._held.values(), *(invocation for _, invocation in self._unlisted)):
            stream, partition = invocation.stream, invocation.partition
            group = held.get((stream, partition))
            if group is None:
                group = held[stream, partition] = (stream, partition, [], invocation.read_ms / 1000)
            group[2].append(invocation.offset)
        return msgspec.msgpack.encode(
            OutboxState(
                version=STATE_VERSION,
                destination=self.destination,
                matched=self.matched,
                delivered=self.delivered,
                failed=self.failed - len(self._unlisted),
                expired=self.expired,
                skipped=self.skipped,
                ranges=self.backlog.ranges,
                held=list(held.values()),
                health=self.health.state,
                command=self.command,
            )
        )

    def _restore(self, state: OutboxState) -> None:
        self.matched, self.delivered, self.failed = state.matched, state.delivered, state.failed
        self.expired, self.skipped = state.expired, state.skipped
        self.backlog = Backlog(state.ranges)
        for stream, partition, offsets, since in state.held:
            self.backlog.add_exactly(stream, partition, offsets, since)
        self.behind = len(self.backlog) > self._few

    @property
    def _few(self) -> int:
        """With no more than so many owed, new matches are sent at once."""
        return 0 if self._policy.order else self._policy.outbox // 2

    def _keep_order(self) -> None:
        """Something is to be read again: with an order, what is newer must not be sent before it."""
        self.behind |= bool(self._policy.order)

    def _is_full(self) -> bool:
        held = len(self._held)
        return held >= self.policy.outbox and (self.slow or held >= self.policy.outbox * _OVERSHOOT)

    def _send(self, key: Key, invocation: Invocation) -> None:
        self._pending.add(key)
        self._departures.add(invocation)

    def _settle(self, attempt: Attempt, now: float, jitter: float, judged: bool) -> Outcome:
        invocation = attempt.invocation
        key = _key(invocation)
        self._pending.discard(key)
        decision = decide(attempt, invocation.retries, self.policy, now, jitter, invocation.resent)
        if judged:
            self.window.add(now, attempt.duration_ms, decision.verdict is not Verdict.DELIVERED)
        if decision.verdict is Verdict.DELIVERED:
            self.delivered += self._let_go(key)
            if judged:
                self._judge(attempt, now)
            return self._outcome(invocation, Verdict.DELIVERED, now, attempt)
        if decision.verdict is Verdict.RETRYING and key in self._stale and self._let_go(key):
            # Tried again as things are now: the position is read again, and rendered anew.
            self.backlog.add_exactly(*key[:2], [invocation.offset], invocation.read_ms / 1000)
            if self._policy.order:
                # Whoever has waited for it here would overtake it.
                self.recall(())
            self._keep_order()
        elif decision.verdict is Verdict.RETRYING:
            invocation.retries += not decision.instant
            invocation.resent |= decision.instant
            self._sequence += 1
            heapq.heappush(self._retries, (decision.retry_at, self._sequence, invocation))
        else:
            if self._let_go(key):
                self.failed += 1
                self._note_failure(invocation, now)
        outcome = self._outcome(invocation, decision.verdict, now, attempt, decision.reason)
        self.last_error = outcome.reason
        if judged and not decision.instant:
            # A kept-alive connection that was gone says nothing about the endpoint.
            self._judge(attempt, now, outcome)
        return outcome

    def _note_failure(self, invocation: Invocation, now: float) -> None:
        if invocation.stream != UNREPEATABLE:
            # Its position is enough; the body need not be kept for it.
            self._unlisted.append((now, msgspec.structs.replace(invocation, work=None)))

    def _judge(self, attempt: Attempt, now: float, failed: Outcome | None = None) -> None:
        finding = finding_of(attempt, failed is None, self._policy.quarantine)
        reason = "" if failed is None else failed.reason
        answer = "" if failed is None else failed.body[:EXCERPT_BYTES].decode(errors="replace")
        self.health.attempt(finding, attempt.started_at, now, reason, answer)

    def _let_go(self, key: Key) -> bool:
        """Whether it was still held."""
        self._stale.discard(key)
        invocation = self._held.pop(key, None)
        if invocation is None:
            return False
        self._departures.settled(invocation)
        self._unrepeatable -= key[0] == UNREPEATABLE
        return True

    def _outcome(
        self, invocation: Invocation, verdict: Verdict, now: float, attempt: Attempt | None = None, reason: str = ""
    ) -> Outcome:
        return outcome_of(invocation, verdict, now, self.redact, attempt, reason)

    def _first_held(self) -> list[Invocation]:
        return [next(iter(self._held.values()))] if self._held else []


def _key(invocation: Invocation) -> Key:
    return (invocation.stream, invocation.partition, invocation.offset, invocation.id)

"""deliver: one stateful logic per destination in front of the HTTP transport.

Thin: what to send, retry, give up or read again is decided in `delivery`; bytes move in the transport. Nothing here
raises for a failed delivery: outcomes are values.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import sleep, time
from typing import Protocol

import bytewax.operators as op
import msgspec
from bytewax.operators import KeyedStream, StatefulBatchLogic

from delivery import Handoff, KnownFailures, Load, Outbox, OutboxState, Position, Progress, carry_out, read_state
from records import (
    Attempt,
    Command,
    EndOfInput,
    HealthChange,
    Invocation,
    LogLine,
    Metric,
    Missed,
    Outcome,
    Policy,
    RangeRead,
    Replay,
    Status,
    Together,
)

POLL_S = 0.01
"""How often finished attempts are looked for while some are pending. It delays no request: they leave in `on_batch`."""
POLL_EACH_S = 0.001
"""With many destinations at work each looks less often, so that looking costs a few percent of a core at most."""
STATUS_EVERY_S = 1.0
LEDGER_S = 1.0
"""The end of the input waits so long for the ledger, which is written a few times a second."""
KEPT_TO_REDACT = 8
"""So many configurations of a destination are kept to redact answers with."""

Item = Invocation | Together | Missed | RangeRead | EndOfInput | Command
Result = Outcome | Status | Metric | LogLine | HealthChange


class Transport(Protocol):
    """Sends requests; see `connectors.http`. No call blocks."""

    def submit(self, destination: str, policy: Policy, batch: Sequence[Invocation]) -> None:
        """Take invocations to send."""

    def collect(self, destination: str) -> list[Attempt]:
        """Attempts finished since the last call."""

    def cancel_queued(self, destination: str) -> list[str]:
        """Take back what is not on the wire yet; ids of those."""

    def in_flight(self, destination: str) -> int:
        """Requests on the wire."""

    def parked(self, destination: str) -> int:
        """Requests on the wire whose answer takes long: 0.25 s."""

    def hanging(self, destination: str) -> int:
        """Requests on the wire whose answer takes so long that this process cannot be to blame: 1 s."""

    def forget(self, destination: str) -> None:
        """The destination is gone."""


class Target(Protocol):
    """What deliver reads of a destination."""

    name: str
    policy: Policy

    def redact(self, text: bytes) -> bytes:
        """The text without secrets."""


@dataclass(frozen=True)
class Delivery:
    """What the logics of one process share."""

    transport: Transport
    handoff: Handoff
    progress: Progress
    find: Callable[[str], Target | None]
    """The destination as it is configured now; None when it is disabled or does not load."""
    removed: Callable[[str], bool]
    """Whether no file of that id is there any more."""
    drain_until: Callable[[], float] = field(default=lambda: 0.0)
    """The moment (seconds since the epoch) until which the end of the input waits for answers."""
    clock: Callable[[], float] = time
    readable: Callable[[str], bool] = field(default=lambda _: True)
    """Whether a stream is among the inputs."""
    listed: Callable[[str], float] = field(default=lambda _: math.inf)
    """The moment until which everything of a destination that failed for good is in the ledger, whatever happens."""
    failed_since: Callable[[str, float], Iterable[Position]] = field(default=lambda *_: ())
    """Where in the log is what has come into the ledger after a moment."""


class DeliverLogic(StatefulBatchLogic[Item, Result, bytes]):
    """One destination. See `deliver`."""

    _id: str
    _outbox: Outbox
    _waiting: dict[str, int]
    """What is owed of streams that are no input any more, until that has been told."""

    def __init__(self, shared: Delivery, snapshot: bytes | None) -> None:
        # The engine does not tell a logic its key: a new one learns it from its first item.
        self._shared = shared
        self._changed = True
        self._shown_at = 0.0
        self._open = False
        self._redacting: list[Target] = []
        """The latest configurations: what a request was made with may be redacted only by its own."""
        self._rendered_for: Target | None = None
        """The configuration that what is held was rendered with."""
        if snapshot is not None:
            state = read_state(snapshot)
            self._start(state.destination, state)

    def _start(self, destination: str, state: OutboxState | None) -> None:
        self._open = True
        self._id = destination
        target = self._target()
        self._rendered_for = target
        policy = Policy() if target is None else target.policy
        self._outbox = Outbox(
            destination,
            policy,
            state,
            self._redact,
            readable=self._shared.readable,
            known=self._known_failures(destination, state),
        )
        self._waiting = self._outbox.unreadable()
        self._counted = _counts(self._outbox)
        self._report(target is not None)

    def _known_failures(self, destination: str, state: OutboxState | None) -> KnownFailures:
        shared, boundary = self._shared, None if state is None else state.listed_until
        before = () if state is None else state.uncounted
        listed = shared.failed_since(destination, boundary or 0.0)
        return KnownFailures(shared.clock(), boundary, before, listed)

    def on_batch(self, values: list[Item]) -> tuple[Iterable[Result], bool]:
        """Take matches and marks, then do a turn."""
        if not self._open:
            self._start(_destination(values[0]), None)
        now = self._shared.clock()
        if self._target() is not self._rendered_for:
            # Before anything is taken that was made with the new one.
            self._outbox.interrupt()
        results: list[Result] = []
        ended: list[EndOfInput] = []
        for item in values:
            if isinstance(item, Invocation):
                if (outcome := self._outbox.accept(item, now)) is not None:
                    results.append(outcome)
            elif isinstance(item, Together):
                results += self._outbox.accept_together(item.invocations, now)
            elif isinstance(item, Missed):
                self._outbox.miss(item)
            elif isinstance(item, RangeRead):
                finished = self._outbox.range_read(item)
                if finished.expired:
                    results.append(_expired_line(item, finished.expired, now))
                if finished.replayed is not None:
                    results.append(_replayed_line(self._id, finished.replayed, now))
            elif isinstance(item, Command):
                results += carry_out(self._outbox, item, now)
            else:
                ended.append(item)
        self._changed = True
        results += self._turn(now)
        for mark in ended:
            # Not before the load of everything ahead of the mark is reported: else all would seem settled too early.
            self._shared.progress.part_reached(mark.part, self._id)
        return results, self._gone()

    def on_notify(self) -> tuple[Iterable[Result], bool]:
        """Look for finished attempts, retries that are due, and room to read more."""
        return self._turn(self._shared.clock()), self._gone()

    def on_eof(self) -> tuple[Iterable[Result], bool]:
        """Wait for what is on the wire until the end of the grace period; the rest stays owed in the snapshot."""
        transport = self._shared.transport
        transport.cancel_queued(self._id)
        results = self._collect(self._shared.clock())
        while transport.in_flight(self._id) and self._shared.clock() < self._shared.drain_until():
            sleep(POLL_S)
            results += self._collect(self._shared.clock())
        results += self._collect(self._shared.clock())
        self._wait_for_the_ledger()
        return [*results, *self._tell(self._shared.clock())], self.RETAIN

    def _wait_for_the_ledger(self) -> None:
        """What the ledger has not got by then is owed in the snapshot: it may be that nobody can write it."""
        give_up_at = min(self._shared.clock() + LEDGER_S, self._shared.drain_until())
        while self._note_listed() and self._shared.clock() < give_up_at:
            sleep(POLL_S)

    def _note_listed(self) -> int:
        """How many failures the ledger may not have."""
        unlisted = self._outbox.unlisted
        unlisted.listed(self._shared.listed(self._id))
        return len(unlisted)

    def notify_at(self) -> datetime | None:
        """Soon while answers are awaited, else when a retry is due, else once a second while anything is owed."""
        now, outbox = self._shared.clock(), self._outbox
        leaving_at = None if self._rendered_for is None else outbox.next_departure_at(now)
        if outbox.held.handed_over:
            poll_at = now + max(POLL_S, POLL_EACH_S * self._shared.progress.active)
            return datetime.fromtimestamp(min(poll_at, max(leaving_at or poll_at, now)), UTC)
        change_at = outbox.health.next_change_at()
        if not outbox.owed and not outbox.unlisted and not outbox.backlog and not self._changed and change_at is None:
            return None
        soon = now + STATUS_EVERY_S
        due = min(outbox.held.next_retry_at() or soon, change_at or soon, leaving_at or soon, soon)
        return datetime.fromtimestamp(max(due, now) + POLL_S, UTC)

    def snapshot(self) -> bytes:
        """Counts, ranges and positions; no event, no secret."""
        return self._outbox.snapshot()

    def _turn(self, now: float) -> list[Result]:
        outbox, shared = self._outbox, self._shared
        self._note_listed()
        results = self._collect(now)
        outbox.health.tick(now)
        if outbox.must_hold:
            outbox.hold(shared.transport.cancel_queued(self._id))
        if self._waiting:
            results += [_waiting_line(self._id, now, stream, count) for stream, count in self._waiting.items()]
            self._waiting = {}
        target = self._target()
        if target is not None:
            outbox.policy = target.policy
        if target is not self._rendered_for:
            # Changed, or disabled: what is not on the wire yet must not go out as it was.
            outbox.interrupt()
            outbox.recall(shared.transport.cancel_queued(self._id))
            outbox.health.forget_refusals(now)
            self._rendered_for = target
        results += self._follow_health()
        if target is not None:
            if batch := outbox.take_to_send(now):
                shared.transport.submit(self._id, self._effective_policy(), batch)
            if (wish := outbox.next_read()) is not None:
                shared.handoff.put(wish)
        if self._changed and now >= self._shown_at + STATUS_EVERY_S and not shared.removed(self._id):
            results += self._tell(now)
            self._shown_at, self._changed = now, False
        self._report(target is not None)
        return results

    def _follow_health(self) -> list[HealthChange]:
        """Do what changes of health ask for, and tell of them."""
        outbox, transport = self._outbox, self._shared.transport
        changes = outbox.health.take_changes()
        if not changes:
            return []
        self._changed = True
        self._shown_at = 0.0
        if outbox.health.blocked:
            # What is not on the wire stays owed; nothing of it uses up its retries meanwhile.
            outbox.recall(transport.cancel_queued(self._id))
        else:
            transport.submit(self._id, self._effective_policy(), [])
        return [msgspec.structs.replace(change, destination=self._id) for change in changes]

    def _effective_policy(self) -> Policy:
        policy = self._outbox.policy
        allowed = self._outbox.health.concurrency(policy.concurrency)
        return policy if allowed == policy.concurrency else msgspec.structs.replace(policy, concurrency=max(1, allowed))

    def _tell(self, now: float) -> list[Result]:
        """How it stands, and what the account has come to since the last time.

        Of one that is not configured to run at present only the counts are known here: its status has no name.
        """
        target = self._target()
        before, self._counted = self._counted, _counts(self._outbox)
        minute = int(now // 60) * 60
        grown = {name: count - before[name] for name, count in self._counted.items() if count > before[name]}
        metrics = [Metric(self._id, minute, "other", name, count) for name, count in grown.items()]
        in_flight = self._shared.transport.in_flight(self._id)
        return [self._outbox.status("" if target is None else target.name, now, in_flight), *metrics]

    def _collect(self, now: float) -> list[Result]:
        attempts = self._shared.transport.collect(self._id)
        self._changed |= bool(attempts)
        return list(self._outbox.settle(attempts, now))

    def _report(self, sendable: bool) -> None:
        # What will not be sent before a person does something (disabled, paused, a file that does not load) must keep
        # neither the sources nor `--until-end` waiting for ever.
        sendable = sendable and not self._outbox.health.stopped
        pending = self._outbox.held.pending if sendable else self._outbox.held.handed_over
        # Nor must what is owed of a stream that is no input any more.
        unfinished = self._outbox.unfinished if sendable else bool(pending)
        # A run that ends by itself ends with its ledger written.
        unfinished |= bool(self._outbox.unlisted)
        waiting, transport = self._outbox.held.waiting, self._shared.transport
        many = self._outbox.policy.concurrency / 2
        slow = waiting + transport.hanging(self._id) >= many or self._outbox.paced
        late = waiting + transport.parked(self._id) >= many
        unrepeatable = self._outbox.held.unrepeatable if sendable else 0
        load = Load(
            unfinished,
            max(pending, unrepeatable),
            slow and not unrepeatable,
            late and not unrepeatable,
            closed=self._outbox.closed,
            must_wait=bool(unrepeatable),
        )
        self._outbox.slow = self._shared.progress.report(self._id, load)

    def _redact(self, text: bytes) -> bytes:
        # An answer may come when its destination has just been disabled or changed: it may tell secrets of before.
        self._target()
        for target in self._redacting:
            text = target.redact(text)
        return text if self._redacting else b""

    def _target(self) -> Target | None:
        target = self._shared.find(self._id)
        if target is not None and target not in self._redacting:
            self._redacting = [*self._redacting[1 - KEPT_TO_REDACT :], target]
        return target

    def _gone(self) -> bool:
        if not self._shared.removed(self._id):
            return self.RETAIN
        self._outbox.drop()
        self._shared.transport.forget(self._id)
        self._shared.progress.forget(self._id)
        return self.DISCARD


def deliver(step_id: str, up: KeyedStream[Item], shared: Delivery) -> KeyedStream[Result]:
    """Deliver invocations to their destinations.

    Shape: in `(destination, Item)`, out `(destination, Result)`: one outcome per attempt, one status a second while
    something changes, one line when the log has forgotten what was owed.

    State: per destination the counts, its health, the ranges owed and the positions held: at most `policy.outbox`
    positions plus one range per partition and outage.

    Errors: none raised; a snapshot of another version refuses to start with `StateError`.

    Guarantee: what was settled before the last snapshot is not sent again; what was held then or settled after it is,
    with the same `webhook-id`.
    """

    return op.stateful_batch(step_id, up, lambda snapshot: DeliverLogic(shared, snapshot))


def _counts(outbox: Outbox) -> dict[str, int]:
    """The part of the account that no outcome tells of."""
    return {"matched": outbox.matched, "expired": outbox.expired, "skipped": outbox.skipped}


def _expired_line(mark: RangeRead, expired: int, now: float) -> LogLine:
    where = f"{mark.stream}/{mark.partition}, before position {mark.next_offset}"
    return LogLine(
        mark.only_for, now, "error", f"{expired} owed events are no longer in the log and have expired ({where})"
    )


def _replayed_line(destination: str, replay: Replay, now: float) -> LogLine:
    text = f"replay {replay.id} has read all of its {replay.total} positions, and {replay.matched} of them matched"
    return LogLine(destination, now, "info", text)


def _waiting_line(destination: str, now: float, stream: str, count: int) -> LogLine:
    text = f"{count} events of {stream} are owed, which is no longer among the inputs; they wait until it is again"
    return LogLine(destination, now, "warn", text)


def _destination(item: Item) -> str:
    return item.only_for if isinstance(item, RangeRead) else item.destination

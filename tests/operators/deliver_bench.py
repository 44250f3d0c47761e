"""One destination's logic with everything around it in memory: its transport, its configuration, its clock."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from delivery import Handoff, Progress, Reread
from destinations import Destination
from operators.deliver import DeliverLogic, Delivery, Item
from records import Attempt, ErrorKind, Invocation, Metric, Policy, Response, Status
from tests.operators.stand import URL, Clock, Configuration

CRM = f"name: CRM\n{URL[:-1]}, headers: {{Authorization: '{{secrets.TOKEN}}'}}}}"
OFF = f"enabled: false\n{CRM}"


class MemoryTransport:
    """Keeps what it is given until a test answers. Everything is on the wire at once, but for what `queued` holds."""

    def __init__(self, clock: Callable[[], float] = lambda: 0.0) -> None:
        self._clock = clock
        self.wire: list[Invocation] = []
        self.submitted: list[int] = []
        self.queued: list[Invocation] = []
        self.forgotten: list[str] = []
        self.slow = self.late = 0
        self.looked_at: Callable[[], None] = lambda: None
        self._ended: list[Attempt] = []

    def submit(self, destination: str, policy: Policy, batch: Sequence[Invocation]) -> None:
        assert {one.destination for one in batch} <= {destination}
        self.wire += batch
        self.submitted += [one.offset for one in batch]

    def answer(self, status: int = 200, body: bytes = b"") -> None:
        """Answer everything on the wire."""
        self._ended += [Attempt(one, self._clock(), 5.0, Response(status, {}, body)) for one in self.wire]
        self.wire = []

    def break_off(self, detail: str) -> None:
        self._ended += [Attempt(one, self._clock(), 5.0, error=ErrorKind.CONNECT, detail=detail) for one in self.wire]
        self.wire = []

    def collect(self, destination: str) -> list[Attempt]:
        ended = [attempt for attempt in self._ended if attempt.invocation.destination == destination]
        self._ended = [attempt for attempt in self._ended if attempt.invocation.destination != destination]
        return ended

    def cancel_queued(self, destination: str) -> list[str]:
        cancelled, self.queued = self.queued, []
        return [one.id for one in cancelled]

    def in_flight(self, destination: str) -> int:
        self.looked_at()
        return len(self.wire)

    def parked(self, destination: str) -> int:
        return max(self.slow, self.late)

    def hanging(self, destination: str) -> int:
        return self.slow

    def forget(self, destination: str) -> None:
        self.forgotten.append(destination)


class Bench:
    """One logic and everything around it."""

    def __init__(self, policy: Policy | None = None, text: str = CRM, busy: bool = False) -> None:
        self.clock = Clock()
        self.transport = MemoryTransport(self.clock)
        self.configured = Configuration(crm=text)
        self.progress = Progress(self.clock, busy=lambda: busy)
        self.handoff = Handoff()
        self.drain_until = 0.0
        self.policy = policy
        self.shown: Status | None = None
        self.counted: Counter[str] = Counter()
        self.shared = Delivery(
            self.transport,
            self.handoff,
            self.progress,
            self._find,
            self.configured.removed,
            lambda: self.drain_until,
            self.clock,
        )
        self.logic = DeliverLogic(self.shared, None)

    def _find(self, id: str) -> Destination | None:
        target = self.configured.find(id)
        if target is not None and self.policy is not None:
            target.policy = self.policy
        return target

    def give(self, *items: Item) -> list[Any]:
        return self._taken(self.logic.on_batch(list(items)))

    def wake(self, after_s: float = 0.0) -> list[Any]:
        self.clock.advance(after_s)
        return self._taken(self.logic.on_notify())

    def _taken(self, turn: tuple[Iterable[Any], bool]) -> list[Any]:
        """The results but for the status, which `status` tells, and the metrics, which are added up."""
        results, discard = turn
        assert not discard
        statuses = [item for item in results if isinstance(item, Status)]
        self.shown = statuses[-1] if statuses else self.shown
        metrics = [item for item in results if isinstance(item, Metric)]
        self.counted.update({one.metric_name: one.count for one in metrics})
        return [item for item in results if not isinstance(item, Status | Metric)]

    def restart(self) -> None:
        """Lose everything but the snapshot."""
        snapshot = self.logic.snapshot()
        self.transport.wire, self.transport.submitted = [], []
        self.wishes()
        self.logic = DeliverLogic(self.shared, snapshot)

    def wishes(self) -> list[Reread]:
        return list(iter(self.handoff.take, None))

    def status(self) -> Status:
        """What is shown a second later at most."""
        self.wake(1.0)
        assert self.shown is not None
        return self.shown

    def awake_at(self) -> float | None:
        at = self.logic.notify_at()
        return None if at is None else at.timestamp()

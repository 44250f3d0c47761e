"""Decides which request goes out next, so that no destination waits for another one.

Three limits hold at every moment: a destination has at most its own `concurrency` requests out; at most `total`
requests count as working over all; and once `parked` requests are parked, a destination that has some of them starts
no more.

A request that has been out for longer than `park_after_s` is parked: it costs no CPU while its endpoint thinks, so it
no longer counts against `total`, only against its own destination. Otherwise three hanging destinations would use up
the total for everybody. Turns go round among the destinations that have something queued and a free slot of their own.

One that has been out for longer than `hang_after_s` hangs. Whoever judges the endpoint is told of both: a busy process
hears of an answer late, which looks like parking and hardly like hanging.

It knows nothing of HTTP, threads or clocks: the caller says what time it is. It is not thread-safe.
"""

from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lane(Generic[T]):
    """One destination: what it has queued and how many of its requests are out."""

    __slots__ = ("concurrency", "hanging", "in_turn", "out", "parked", "queue")

    def __init__(self) -> None:
        """An idle lane; its concurrency is set with what is queued."""
        self.queue: deque[T] = deque()
        self.concurrency = 1
        self.out = 0
        self.parked = 0
        self.hanging = 0
        self.in_turn = False


class Slot(Generic[T]):
    """One item that is out, until `Slots.release`."""

    __slots__ = ("hangs", "item", "lane", "out", "parked", "since")

    def __init__(self, lane: Lane[T], item: T, since: float) -> None:
        """`since` is the time of taking, seconds on the caller's clock."""
        self.lane = lane
        self.item = item
        self.since = since
        self.out = True
        self.parked = self.hangs = False


class Slots(Generic[T]):
    """The queues of all destinations and the budget they share. Every operation but `park` is O(1)."""

    def __init__(
        self, total: int = 128, park_after_s: float = 0.25, parked: int = 1024, hang_after_s: float = 1.0
    ) -> None:
        """`total` counts what works, `parked` what has waited longer than `park_after_s`."""
        self._total = total
        self._park_after_s = park_after_s
        self._hang_after_s = hang_after_s
        self._parked_limit = parked
        self._lanes: dict[str, Lane[T]] = {}
        self._turn: deque[Lane[T]] = deque()
        self._working: set[Slot[T]] = set()
        self._parked = 0
        self._may_hang: deque[Slot[T]] = deque()
        """What is or was parked and does not hang, the oldest about first."""

    @property
    def working(self) -> int:
        """Items out that count against the total."""
        return len(self._working)

    @property
    def parked(self) -> int:
        """Items out that no longer count against the total."""
        return self._parked

    def add(self, destination: str, concurrency: int, items: Iterable[T]) -> None:
        """Queues items behind the destination's others. The latest `concurrency` holds for all of them."""
        lane = self._lanes.get(destination)
        if lane is None:
            lane = self._lanes[destination] = Lane()
        lane.concurrency = concurrency
        lane.queue.extend(items)
        self._join_turn(lane)

    def take(self, now: float) -> Slot[T] | None:
        """The next item that may go out, or None when nothing is queued or no slot is free."""
        if len(self._working) >= self._total:
            return None
        while self._turn:
            lane = self._turn.popleft()
            lane.in_turn = False
            if not self._may_start(lane):
                continue
            slot = Slot(lane, lane.queue.popleft(), now)
            lane.out += 1
            self._working.add(slot)
            self._join_turn(lane)
            return slot
        return None

    def release(self, slot: Slot[T]) -> None:
        """The item is done, however it ended."""
        lane = slot.lane
        lane.out -= 1
        slot.out = False
        if slot.parked:
            lane.parked -= 1
            lane.hanging -= slot.hangs
            self._parked -= 1
            if self._parked == self._parked_limit - 1:
                self._wake_all()
        else:
            self._working.remove(slot)
        self._join_turn(lane)

    def park(self, now: float) -> int:
        """Parks what has been out for too long; returns how many slots of the total that has freed."""
        late = [slot for slot in self._working if now - slot.since >= self._park_after_s]
        for slot in late:
            slot.parked = True
            slot.lane.parked += 1
        self._working.difference_update(late)
        self._parked += len(late)
        self._may_hang.extend(late)
        while self._may_hang and (not self._may_hang[0].out or now - self._may_hang[0].since >= self._hang_after_s):
            slot = self._may_hang.popleft()
            if slot.out:
                slot.hangs = True
                slot.lane.hanging += 1
        return len(late)

    def cancel_queued(self, destination: str) -> list[T]:
        """Takes back everything of a destination that is not out yet, in order."""
        lane = self._lanes.get(destination)
        if lane is None:
            return []
        items = list(lane.queue)
        lane.queue.clear()
        return items

    def forget(self, destination: str) -> list[T]:
        """Like `cancel_queued`, and the destination is gone. What is out stays out and is released as usual."""
        items = self.cancel_queued(destination)
        self._lanes.pop(destination, None)
        return items

    def out(self, destination: str) -> int:
        """The destination's items that are out, parked ones included."""
        lane = self._lanes.get(destination)
        return lane.out if lane is not None else 0

    def parked_of(self, destination: str) -> int:
        """The destination's items that are parked."""
        lane = self._lanes.get(destination)
        return lane.parked if lane is not None else 0

    def hanging_of(self, destination: str) -> int:
        """The destination's items that hang."""
        lane = self._lanes.get(destination)
        return lane.hanging if lane is not None else 0

    def _may_start(self, lane: Lane[T]) -> bool:
        if not lane.queue or lane.out >= lane.concurrency:
            return False
        return not lane.parked or self._parked < self._parked_limit

    def _join_turn(self, lane: Lane[T]) -> None:
        if not lane.in_turn and self._may_start(lane):
            lane.in_turn = True
            self._turn.append(lane)

    def _wake_all(self) -> None:
        for lane in self._lanes.values():
            self._join_turn(lane)

"""How far this process has come, so that sources know when to wait and when everything is settled. Thread-safe.

The worker as bottleneck and one slow destination are different things. When this process is at its limit, the sources
wait until it has brought out what it holds, for reading on would only mean reading twice. A destination that is slow by
itself is waited for by nobody: its outbox fills, and it goes behind.
"""

import threading
import time
from collections.abc import Callable, Iterable

import msgspec

from delivery.strain import Strain

PENDING_PER_DESTINATION = 512
PENDING_IN_ALL = 2048
FULL_S = 0.5
"""A destination that keeps this many waiting for so long, while this process is not at its limit, is slow by itself."""


class Load(msgspec.Struct, gc=False):
    """What one destination's operator says of itself."""

    unfinished: bool
    """Whether anything of it is to be waited for at the end."""
    pending: int
    """Held in memory: waiting for a slot or in flight. Waiting retries are not counted."""
    slow: bool
    """Whether its endpoint is known to be slow: requests that hang, or attempts that failed and wait for a retry."""
    late: bool = False
    """Whether it seems to be slow: its answers take long. Of a process at its limit that may be its own fault."""
    closed: bool = False
    """Whether its new matches are only noted as owed."""
    must_wait: bool = False
    """Whether it holds what cannot be read again: then the sources wait for it, however slow it is."""


class Progress:
    """Counts of one process; its operators write, its sources ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, busy: Callable[[], bool] | None = None) -> None:
        """Start with nothing read. `busy` tells whether this process is at its limit."""
        self._clock = clock
        self._busy = busy or Strain(clock=clock).busy
        self._lock = threading.Lock()
        self._loads: dict[str, Load] = {}
        self._full_since: dict[str, float] = {}
        self._active = 0
        self._open: set[str] = set()
        self._waited_for: dict[str, set[str]] = {}

    def report(self, destination: str, load: Load) -> bool:
        """An operator tells its destination's load.

        Returns:
            Whether the destination is slow by itself: then nobody waits for it.
        """
        with self._lock:
            before = self._loads.get(destination)
            if load.late and not load.slow:
                # Once judged while there was time to spare, it stays so: else the sources would wait for it by turns.
                load.slow = (before is not None and before.slow) or not self._busy()
            if load.pending < PENDING_PER_DESTINATION:
                self._full_since.pop(destination, None)
            elif not load.slow and not load.must_wait:
                now = self._clock()
                if self._busy():
                    self._full_since[destination] = now
                load.slow = now - self._full_since.setdefault(destination, now) >= FULL_S
            self._active += bool(load.pending) - bool(before is not None and before.pending)
            self._loads[destination] = load
            return load.slow

    @property
    def active(self) -> int:
        """Destinations with something pending."""
        return self._active

    def closed(self, destination: str) -> bool:
        """Whether new matches of a destination are only noted as owed: then they need no rendering.

        It may be out of date at once, and does not know of operators in other processes.
        """
        load = self._loads.get(destination)
        return load is not None and load.closed

    def forget(self, destination: str) -> None:
        """The destination is gone."""
        with self._lock:
            before = self._loads.pop(destination, None)
            self._active -= bool(before is not None and before.pending)
            for waiting in self._waited_for.values():
                waiting.discard(destination)

    def may_read(self) -> bool:
        """False while this process has as much in hand as it can bring out promptly."""
        total = 0
        with self._lock:
            for load in self._loads.values():
                if not load.slow:
                    if load.pending >= PENDING_PER_DESTINATION:
                        return False
                    total += load.pending
        return total < PENDING_IN_ALL

    def part_opened(self, part: str) -> None:
        """A partition is being read."""
        with self._lock:
            self._open.add(part)

    def part_ended(self, part: str, destinations: Iterable[str]) -> None:
        """All of a partition is routed; each of `destinations` is about to be told so by its own mark."""
        with self._lock:
            self._open.discard(part)
            self._waited_for[part] = set(destinations)

    def part_reached(self, part: str, destination: str) -> None:
        """The mark has come to the destination's operator: everything before it is there too."""
        with self._lock:
            self._waited_for.get(part, set()).discard(destination)

    def drained(self) -> bool:
        """Whether every partition has ended and everything that matched is settled."""
        with self._lock:
            return (
                not self._open
                and not any(self._waited_for.values())
                and not any(load.unfinished for load in self._loads.values())
            )

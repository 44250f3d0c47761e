"""How the backlog lane gives way to live events: small batches, and a rest behind each.

A backlog is drained at full speed while nothing is live. Beside live events a large batch would make each of them wait
for all of it: 500 events at once took 100 ms, where an event else takes 4. Yet whoever is behind must catch up, however
busy the road is: for each live event a destination may read more than one again without a rest.

Units: seconds. Pure but for the clock that is passed in.
"""

import time
from collections.abc import Callable
from typing import Final

BATCH: Final = 500
"""Messages at once while nothing is live."""
SMALL_BATCH: Final = 10
"""Beside live events: about as long as one of them may wait unnoticed."""
REST: Final = 6.0
"""A rest is so many times as long as the worker was busy before it. It sends meanwhile, which costs as much again."""
LONGEST_REST_S: Final = 0.05
CATCHING_UP: Final = 1.5
"""What a destination that is behind may read again for each live event without a rest: all of them may be its own."""
_MOST_SAVED: Final = 1000
"""What was not needed makes no long stretch without rests."""
_LIVE_S: Final = 1.0
"""So long after a live event others are expected."""


class GivingWay:
    """For one worker's backlog lane."""

    def __init__(self, live: Callable[[], int] = lambda: 0, clock: Callable[[], float] = time.monotonic) -> None:
        """`live` counts the live events so far."""
        self._live = live
        self._clock = clock
        self._count = live()
        self._live_at = float("-inf")
        self._gave_at: float | None = None
        self._free = 0.0
        """So many may be read without a rest."""
        self._rest_until = float("-inf")

    def rest_s(self, behind: int = 1) -> float:
        """How long the lane rests from now on; 0 when it may read. The engine calls the lane.

        Args:
            behind: For so many destinations it reads.
        """
        now = self._clock()
        if (count := self._live()) != self._count:
            self._free = min(self._free + CATCHING_UP * behind * (count - self._count), _MOST_SAVED)
            self._count, self._live_at = count, now
        if self._gave_at is not None:
            busy_s, self._gave_at = now - self._gave_at, None
            if self._is_live(now) and self._free <= 0:
                self._rest_until = now + min(REST * busy_s, LONGEST_REST_S)
        return max(0.0, self._rest_until - now) if self._free <= 0 else 0.0

    def batch(self) -> int:
        """How many messages to read at once."""
        return min(max(SMALL_BATCH, int(self._free)), BATCH) if self._is_live(self._clock()) else BATCH

    def gave(self, messages: int) -> None:
        """The lane has given so many to the worker."""
        self._free = max(0.0, self._free - messages)
        self._gave_at = self._clock()

    def _is_live(self, now: float) -> bool:
        return now - self._live_at <= _LIVE_S

"""Sliding windows of errors and response times of one destination. They count; what follows is decided elsewhere."""

import math
from typing import NamedTuple

SLOTS = 12
BINS_PER_DOUBLING = 8
BINS = 24 * BINS_PER_DOUBLING
"""From 0.06 ms to 17 minutes, each bin 9 % wider than the one before: a quantile is right within 5 %."""
_LOWEST_EXPONENT = -4


class _Slot:
    __slots__ = ("errors", "histogram", "number", "samples")

    def __init__(self, number: int) -> None:
        self.number = number
        self.samples = 0
        self.errors = 0
        self.histogram = [0] * BINS


class Window:
    """The last `window_s` seconds, moving in twelfths of it. Bounded: 12 slots of 192 counters."""

    def __init__(self, window_s: float = 60.0) -> None:
        """Start empty."""
        self._slot_s = window_s / SLOTS
        self._slots: list[_Slot] = []

    def add(self, now: float, duration_ms: float, error: bool) -> None:
        """Count one attempt that ended at `now` (seconds)."""
        number = int(now / self._slot_s)
        slots = self._slots
        if not slots or slots[-1].number < number:
            slots.append(_Slot(number))
            del slots[: -SLOTS - 1]
        slot = slots[-1]
        slot.samples += 1
        slot.errors += error
        slot.histogram[_bin(duration_ms)] += 1

    def samples(self, now: float) -> int:
        """Attempts within the window."""
        return sum(slot.samples for slot in self._recent(now))

    def error_rate(self, now: float) -> float:
        """Share of the attempts within the window that failed, 0 to 1; 0 without any."""
        recent = self._recent(now)
        samples = sum(slot.samples for slot in recent)
        return sum(slot.errors for slot in recent) / samples if samples else 0.0

    def quantile_ms(self, now: float, q: float) -> float | None:
        """The response time that a share `q` of the attempts did not exceed; None without any."""
        recent = self._recent(now)
        wanted = q * sum(slot.samples for slot in recent)
        if not recent or not wanted:
            return None
        seen = 0
        for index in range(BINS):
            seen += sum(slot.histogram[index] for slot in recent)
            if seen >= wanted:
                return _middle_ms(index)
        return None

    def _recent(self, now: float) -> list[_Slot]:
        oldest = int(now / self._slot_s) - SLOTS
        return [slot for slot in self._slots if slot.number > oldest]


class Shares(NamedTuple):
    """Of the attempts within a window: how many, and which share of them, 0 to 1, was an error or slow."""

    samples: int
    errors: float
    slow: float


class Tally:
    """Errors and slow answers of the last `window_s` seconds, moving in twelfths of it."""

    def __init__(self, window_s: float = 60.0) -> None:
        """Start empty."""
        self._slot_s = window_s / SLOTS
        self._slots: list[list[int]] = []
        """Of each twelfth: its number, attempts, errors, slow answers."""

    def add(self, now: float, error: bool, slow: bool) -> None:
        """Count one attempt that ended at `now` (seconds)."""
        number = int(now / self._slot_s)
        slots = self._slots
        if not slots or slots[-1][0] < number:
            slots.append([number, 0, 0, 0])
            del slots[: -SLOTS - 1]
        slot = slots[-1]
        slot[1] += 1
        slot[2] += error
        slot[3] += slow

    def shares(self, now: float) -> Shares:
        """What the window holds."""
        oldest = int(now / self._slot_s) - SLOTS
        samples = errors = slow = 0
        for number, all_, failed, late in self._slots:
            if number > oldest:
                samples, errors, slow = samples + all_, errors + failed, slow + late
        return Shares(samples, errors / samples, slow / samples) if samples else Shares(0, 0.0, 0.0)


def _bin(duration_ms: float) -> int:
    if duration_ms <= 2.0**_LOWEST_EXPONENT:
        return 0
    return min(BINS - 1, int((math.log2(duration_ms) - _LOWEST_EXPONENT) * BINS_PER_DOUBLING))


def _middle_ms(index: int) -> float:
    return round(float(2.0 ** (_LOWEST_EXPONENT + (index + 0.5) / BINS_PER_DOUBLING)), 3)

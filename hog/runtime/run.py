"""One evaluation under way: its clock, its budgets, and what its host lets it do.

Compiled code calls `tick` at every turn of a loop and at every call of a function. That is an iterator written in C, so
it costs some 30 ns; the fences are looked at after so many ticks as take about half a millisecond.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import Token
from itertools import chain, repeat
from types import FrameType, MappingProxyType
from typing import Any, Final

from hog.runtime.calls import callback
from hog.runtime.errors import Failure, LimitFailure
from hog.runtime.limits import CURRENT, LOOK_UNITS, Budget, Limits, memory_exceeded
from hog.runtime.memory import live_bytes

Effect = Callable[..., Any]

SLICE_S: Final = 0.002
"""A program that may pause does so after this time."""
_LOOK_EVERY_S: Final = 0.0005
_FIRST_CHUNK: Final = 64
_MAX_CHUNK: Final = 1024
"""Not more, however quick the ticks have been: those that come may each bring many calls too small to be counted."""
_BYTES_PER_S: Final = 1_000_000_000
"""As fast as small values can be made: what is too small to be counted is counted as this much."""
_GROWTH_BYTES: Final = 256 * 1024 * 1024
"""The second net: the process may not grow by more than this during an evaluation."""
_RECURSION_LIMIT: Final = 6_000
"""Python's own limit, as deep as `Limits.depth` needs: a call of a program takes up to four Python frames."""

# Once, when this is imported: it holds for all threads, and a host that has set more keeps more.
sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION_LIMIT))


class Run:
    """The environment of one call of one program. It serves once."""

    def __init__(
        self,
        limits: Limits,
        effects: Mapping[str, Effect] = MappingProxyType({}),
        pause: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        """`effects` are the functions that do something outside, by name. `pause` lets others go on for a moment.

        The clock is the thread's own: on a machine that has no time for this process no program takes longer for it.
        """
        self.limits = limits
        self.steps = 0
        """Ticks so far, as far as they were counted."""
        self._effects = effects
        self._pause = pause
        self._clock = clock
        self._started = self._looked = self._slice_began = clock()
        self._outside_s = 0.0
        self._spent = 0
        self._reserved = 0
        self._depth = 0
        self._globals: Any = None
        self._frame: FrameType | None = None
        self._grown = 0
        self.tick: Final = chain.from_iterable(self._chunks()).__next__

    @property
    def used_s(self) -> float:
        """The time that the program itself has run."""
        return self._clock() - self._started - self._outside_s

    def enter(self, globals: Any) -> "Token[Budget | None]":
        """The program begins, in this frame's caller."""
        self._globals = globals
        self._frame = sys._getframe(2)
        return CURRENT.set(self)

    def leave(self, token: "Token[Budget | None]") -> None:
        """The program has ended."""
        self._frame = None
        CURRENT.reset(token)

    def call(self, function: Any, *arguments: Any) -> Any:
        """Call what an expression gave. Such calls take C stack, so they are counted by themselves."""
        target = callback(function, len(arguments))
        if self._depth >= self.limits.depth:
            raise depth_exceeded(self.limits.depth)
        self._depth += 1
        try:
            return target(*arguments)
        finally:
            self._depth -= 1

    def has(self, effect: str) -> bool:
        """Whether the host has this effect."""
        return effect in self._effects

    def effect(self, name: str, *arguments: Any) -> Any:
        """Do something outside; the time it takes is not the program's."""
        function = self._effects.get(name)
        if function is None:
            raise Failure(f"{name} is not available here")
        began, peak = self._clock(), self._peak()
        try:
            return function(*arguments)
        finally:
            self._was_outside(began, peak)

    def spend(self, units: int) -> None:
        """See Budget."""
        self._spent += units
        if self._spent >= LOOK_UNITS:
            self._spent = 0
            self.look()

    def reserve(self, size: int) -> None:
        """See Budget. What was reserved is forgotten when the values that are still there are found to be small."""
        self._reserved += size
        if self._reserved > self.limits.memory_bytes:
            self._weigh(size)

    def _weigh(self, size: int) -> None:
        """Look whether what is there has room for `size` bytes more."""
        limit = self.limits.memory_bytes
        live = live_bytes(self._frame, (self._globals,), self._breathe) if self._frame is not None else 0
        if live + size > limit:
            raise memory_exceeded(limit, live + size)
        grown = _peak_bytes()
        if self._grown and grown - self._grown > _GROWTH_BYTES:
            raise memory_exceeded(limit, grown - self._grown)
        self._grown = self._grown or grown
        self._reserved = live + size
        # Weighing makes nothing. Did its time count, the next look would come at once and weigh again, at each tick.
        self._looked = self._clock()

    def look(self) -> float:
        """Look at the clock; returns the seconds since the last look.

        Raises:
            LimitFailure: The time is over.
        """
        now = self._clock()
        since_s = now - self._looked
        self._looked = now
        if now - self._started - self._outside_s > self.limits.time_s:
            raise LimitFailure(f"it ran for longer than {self.limits.time_s:g} s")
        self._reserved += int(since_s * _BYTES_PER_S)
        if self._reserved > self.limits.memory_bytes:
            # A reason to weigh, nothing more: the time may have gone by while the machine did something else.
            self._weigh(0)
        self._breathe()
        return since_s

    def _breathe(self) -> None:
        """Let others go on when the slice is over."""
        if self._pause is None:
            return
        now = self._clock()
        if now - self._slice_began >= SLICE_S:
            peak = self._peak()
            self._pause()
            self._was_outside(now, peak)

    def _peak(self) -> int:
        """The process's size, where the second net is up."""
        return _peak_bytes() if self._grown else 0

    def _was_outside(self, began: float, peak: int) -> None:
        now = self._clock()
        self._outside_s += now - began
        self._looked = self._slice_began = now
        if peak:
            # Who else grew meanwhile is not this program's doing; how far it had grown by itself is not forgotten.
            self._grown += _peak_bytes() - peak

    def _chunks(self) -> Iterator[Iterator[None]]:
        """Ticks in chunks; between two of them the fences are looked at."""
        count = _FIRST_CHUNK
        while True:
            yield repeat(None, count)
            self.steps += count
            if self.steps > self.limits.steps:
                raise LimitFailure(f"it made more than {self.limits.steps} steps")
            since_s = self.look()
            if since_s < _LOOK_EVERY_S / 2:
                count = min(2 * count, _MAX_CHUNK)
            elif since_s > 2 * _LOOK_EVERY_S:
                count = max(1, int(count * _LOOK_EVERY_S / since_s))


def current_run() -> Run | None:
    """The evaluation under way in this thread or greenlet."""
    run = CURRENT.get()
    return run if isinstance(run, Run) else None


def depth_exceeded(depth: int) -> LimitFailure:
    """The failure of a program whose calls are nested too deeply."""
    return LimitFailure(f"calls are nested more than {depth} deep")


def _peak_bytes() -> int:
    """The most memory that this process ever had."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes if sys.platform == "darwin" else kilobytes * 1024

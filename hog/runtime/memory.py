"""Estimates what the values of a running program take, from what its frames hold.

It sees what a variable, a parameter or a closure leads to. What lies on the evaluation stack alone, such as the first
items of an array that is being built, it does not see; `hog.runtime.run` has a second net for that.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from types import CellType, FrameType, FunctionType
from typing import Any, Final

from hog.runtime.values import FunctionValue

_SCALARS: Final = frozenset({int, float, bool, type(None)})
_NUMBER_BYTES: Final = 40
"""A number of usual size, which is not counted: it may be in many places."""
_STRIDE: Final = 4096
"""Values that are looked at, about a millisecond's worth, before others may go on."""
_CONTAINERS: Final = (list, tuple, dict, FunctionValue, FunctionType, CellType)


def live_bytes(until: FrameType, passed_over: Iterable[Any], breathe: Callable[[], object]) -> int:
    """The bytes of everything that the frames of this thread hold, from the caller's up to `until`.

    `breathe` is called on the way, every millisecond or so: it may let others go on, but not the program itself.
    """
    seen = {id(value) for value in passed_over}
    total = 0
    waiting: list[Any] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame is not until:
        waiting.extend(frame.f_locals.values())
        frame = frame.f_back
    looked = 0
    while waiting:
        value = waiting.pop()
        looked += 1
        if looked % _STRIDE == 0:
            breathe()
        if type(value) is str:
            if len(value) > 32 and id(value) not in seen:
                seen.add(id(value))
                total += sys.getsizeof(value)
        elif isinstance(value, _CONTAINERS) and id(value) not in seen:
            seen.add(id(value))
            total += sys.getsizeof(value)
            numbers = _numbers_bytes(value, breathe) if isinstance(value, (list, tuple)) else None
            if numbers is None:
                waiting.extend(_inside(value))
            else:
                total += numbers
    return total


def _numbers_bytes(items: Sequence[Any], breathe: Callable[[], object]) -> int | None:
    """What they take above the usual; None where not all are scalars.

    Most long arrays hold numbers; at this speed looking at them often does not stop the program.
    """
    total = 0
    for start in range(0, len(items), 4 * _STRIDE):
        part = items[start : start + 4 * _STRIDE]
        if not _SCALARS.issuperset(map(type, part)):
            return None
        total += sum(map(sys.getsizeof, part))
        if len(part) > _STRIDE:
            breathe()
    return max(0, total - _NUMBER_BYTES * len(items))


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, FunctionValue):
        return (value.call,)
    if isinstance(value, FunctionType):
        return value.__closure__ or ()
    if isinstance(value, CellType):
        try:
            return (value.cell_contents,)
        except ValueError:  # Not set yet.
            return ()
    return tuple(value)

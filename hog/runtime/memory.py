"""Estimates what the values of a running program take, from what its frames hold.

It sees what a variable, a parameter or a closure leads to. What lies on the evaluation stack alone, such as the first
items of an array that is being built, it does not see; `hog.runtime.run` has a second net for that.
"""

import sys
from collections.abc import Iterable
from types import CellType, FrameType, FunctionType
from typing import Any, Final

from hog.runtime.values import FunctionValue

_SCALARS: Final = frozenset({int, float, bool, type(None)})
_NUMBER_BYTES: Final = 40
"""A number of usual size, which is not counted: it may be in many places."""
_CONTAINERS: Final = (list, tuple, dict, FunctionValue, FunctionType, CellType)


def live_bytes(until: FrameType, passed_over: Iterable[Any] = ()) -> int:
    """The bytes of everything that the frames of this thread hold, from the caller's up to `until`."""
    seen = {id(value) for value in passed_over}
    total = 0
    waiting: list[Any] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame is not until:
        waiting.extend(frame.f_locals.values())
        frame = frame.f_back
    while waiting:
        value = waiting.pop()
        if type(value) is str:
            if len(value) > 32 and id(value) not in seen:
                seen.add(id(value))
                total += sys.getsizeof(value)
        elif isinstance(value, _CONTAINERS) and id(value) not in seen:
            seen.add(id(value))
            total += sys.getsizeof(value)
            if isinstance(value, (list, tuple)) and _SCALARS.issuperset(map(type, value)):
                # Most long arrays hold numbers; at this speed looking at them often does not stop the program.
                total += max(0, sum(map(sys.getsizeof, value)) - _NUMBER_BYTES * len(value))
            else:
                waiting.extend(_inside(value))
    return total


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

"""How much one step of a template may take: the clock is looked at between steps, never within one.

So every step has to be short: ranges and what goes into filters and comes out of them are bounded.
"""

from collections.abc import Mapping
from typing import Any

from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import ResourceLimitError

TIME_S = 0.1
"""As for a template in Hog: events wait behind it."""
MAX_OUTPUT_BYTES = 1 << 20
MAX_LOCALS_BYTES = 1 << 24
MAX_SIZE = 1 << 21
"""Of a value, about in characters."""
MAX_RANGE = 10_000
_ITEM = 100
"""What an item counts for: it takes a filter about as long as so many characters of a text."""
_MAX_INTEGER_BITS = 4096


class BoundedRange(RangeLiteral):
    """`(1..n)` that refuses to be longer than what anybody would loop over: `in` alone may walk through all of it."""

    __slots__ = ()

    def _make_range(self, start: Any, stop: Any) -> range:
        made = super()._make_range(start, stop)
        if made.stop - made.start > MAX_RANGE:
            raise ResourceLimitError(f"a range is longer than {MAX_RANGE:,}", token=self.token)
        return made


def check_size(*values: Any) -> None:
    """Raise ResourceLimitError where the values are too large together."""
    check_total(sum(size_of(value) for value in values))


def check_total(size: int) -> None:
    """Raise ResourceLimitError for a size that is too large."""
    if size > MAX_SIZE:
        raise ResourceLimitError(f"a value is larger than {MAX_SIZE:,} characters", token=None)


def size_of(value: Any) -> int:
    """About how large the value is; more than `MAX_SIZE` is not counted to the end."""
    size = 0
    pending = [value]
    while pending and size <= MAX_SIZE:
        each = pending.pop()
        size += _ITEM
        if isinstance(each, str):
            size += len(each)
        elif isinstance(each, Mapping):
            size += sum(len(str(key)) for key in each)
            pending.extend(each.values())
        elif isinstance(each, list | tuple):
            pending.extend(each)
        elif isinstance(each, range):
            size += _ITEM * len(each)
        elif isinstance(each, int) and each.bit_length() > _MAX_INTEGER_BITS:
            raise ResourceLimitError("a whole number has too many digits", token=None)
    return size

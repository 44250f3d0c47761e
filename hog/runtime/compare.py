"""`== != < <= > >= in`: the two sides are made alike first, nothing raises but `in` on what holds nothing.

Null equals only null and orders with nothing. Containers are equal when they are one, or hold the same numbers.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

from hog.runtime.arithmetic import text_number
from hog.runtime.dates import moment_of, seconds
from hog.runtime.errors import Failure
from hog.runtime.limits import FEW, SMALL, spend
from hog.runtime.patterns import text_contains
from hog.runtime.text import to_string
from hog.runtime.truth import type_name
from hog.runtime.values import Date, DateTime

_BATCH: Final = 1024
_SAME_UNITS: Final = 4
"""What comparing two small values takes."""


def equal(left: Any, right: Any) -> bool:
    """`left == right`."""
    if left is None or right is None:
        return left is right
    if isinstance(left, str) and isinstance(right, str):
        if len(left) > SMALL:
            _count(len(left))
        return left == right
    left, right = _alike(left, right)
    return same(left, right)


def not_equal(left: Any, right: Any) -> bool:
    """`left != right`."""
    return not equal(left, right)


def less(left: Any, right: Any) -> bool:
    """`left < right`."""
    left, right = _ordered(left, right)
    return bool(left < right)


def less_or_equal(left: Any, right: Any) -> bool:
    """`left <= right`."""
    left, right = _ordered(left, right)
    return bool(left <= right)


def greater(left: Any, right: Any) -> bool:
    """`left > right`."""
    left, right = _ordered(left, right)
    return bool(left > right)


def greater_or_equal(left: Any, right: Any) -> bool:
    """`left >= right`."""
    left, right = _ordered(left, right)
    return bool(left >= right)


def between(low: Any, value: Any, high: Any) -> bool:
    """`value between low and high`, in the order of evaluation."""
    return greater_or_equal(value, low) and less_or_equal(value, high)


def outside(low: Any, value: Any, high: Any) -> bool:
    """`value not between low and high`, in the order of evaluation."""
    return less(value, low) or greater(value, high)


def contains(item: Any, holder: Any) -> bool:
    """`item in holder`: a member of an array, a part of a text, a key of a dictionary."""
    if isinstance(holder, (list, tuple)):
        return member(item, holder)
    if isinstance(holder, str):
        return text_contains(holder, to_string(item))
    if isinstance(holder, dict):
        return has_key(holder, item)
    raise Failure(f"'in' needs an array, a text or a dictionary on its right, got {type_name(holder)}")


def not_contains(item: Any, holder: Any) -> bool:
    """`item not in holder`."""
    return not contains(item, holder)


def member(item: Any, items: Sequence[Any]) -> bool:
    """Whether `item` is among `items`, without making text and numbers alike."""
    if type(item) is str and len(item) <= SMALL and len(items) <= _BATCH:
        return item in items
    return position(item, items) > 0


def position(item: Any, items: Sequence[Any]) -> int:
    """Where `item` is among `items`, from 1; 0 when it is not. As `member`."""
    if len(items) <= FEW:
        return _position(item, items)
    for start in range(0, len(items), _BATCH):
        batch = items[start : start + _BATCH]
        spend(len(batch) * _SAME_UNITS)
        found = _position(item, batch)
        if found:
            return start + found
    return 0


def has_key(holder: dict[Any, Any], key: Any) -> bool:
    """Whether the dictionary has the key; what cannot be a key is none."""
    return not isinstance(key, (list, tuple, dict)) and key in holder


def same(left: Any, right: Any) -> bool:
    """Equality of two values that are not made alike first: `1` is neither `'1'` nor `true`."""
    if left is right:
        return left == left if isinstance(left, float) else True
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and _numeric(left) and _numeric(right) and list(left) == list(right)
    if isinstance(left, (dict, list, tuple)) or isinstance(right, (dict, list, tuple)):
        return False
    if isinstance(left, str) and len(left) > SMALL:
        _count(len(left))
    return bool(left == right)


def _position(item: Any, items: Sequence[Any]) -> int:
    return next((index for index, other in enumerate(items, 1) if same(item, other)), 0)


def _count(length: int) -> None:
    """Two texts of this length are compared, as fast as memory is read."""
    spend(length // 128)


def _ordered(left: Any, right: Any) -> tuple[Any, Any]:
    """Both sides made alike for an ordering; two NaN, of which every ordering is false, when there is none."""
    if left is None or right is None:
        return math.nan, math.nan
    if isinstance(left, str) and isinstance(right, str):
        if len(left) > SMALL:
            _count(len(left))
        return left, right
    left, right = _alike(left, right)
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return left, right
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)) and _numeric(left) and _numeric(right):
        return list(left), list(right)
    return math.nan, math.nan


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    """The two sides of a comparison in one type, where their types have a common one."""
    if isinstance(left, (DateTime, Date)) or isinstance(right, (DateTime, Date)):
        return _as_seconds(left, right)
    if isinstance(left, bool) or isinstance(right, bool):
        return _beside_boolean(left), _beside_boolean(right)
    if isinstance(left, str) and isinstance(right, (int, float)):
        return text_number(left), right
    if isinstance(right, str) and isinstance(left, (int, float)):
        return left, text_number(right)
    return left, right


def _beside_boolean(value: Any) -> Any:
    if isinstance(value, str):
        return int(value == "true")
    return int(value) if isinstance(value, bool) else value


def _as_seconds(left: Any, right: Any) -> tuple[Any, Any]:
    moments = moment_of(left), moment_of(right)
    if moments[0] is None or moments[1] is None:
        return math.nan, math.nan
    return seconds(moments[0]), seconds(moments[1])


def _numeric(items: Sequence[Any]) -> bool:
    if len(items) > FEW:
        spend(len(items) * _SAME_UNITS)
    return all(
        math.isfinite(item) if isinstance(item, float) else isinstance(item, int) and not isinstance(item, bool)
        for item in items
    )

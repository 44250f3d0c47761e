"""`== != < <= > >= in`: the two sides are made alike first, nothing raises but `in` on what holds nothing.

Null equals only null and orders with nothing. Containers are equal when they are one, or hold the same numbers.
"""

import math
from typing import Any

from hog.runtime.arithmetic import text_number
from hog.runtime.dates import moment_of, seconds
from hog.runtime.errors import Failure
from hog.runtime.text import to_string
from hog.runtime.truth import type_name
from hog.runtime.values import Date, DateTime


def equal(left: Any, right: Any) -> bool:
    """`left == right`."""
    if left is None or right is None:
        return left is right
    if isinstance(left, str) and isinstance(right, str):
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
        return to_string(item) in holder
    if isinstance(holder, dict):
        return has_key(holder, item)
    raise Failure(f"'in' needs an array, a text or a dictionary on its right, got {type_name(holder)}")


def not_contains(item: Any, holder: Any) -> bool:
    """`item not in holder`."""
    return not contains(item, holder)


def member(item: Any, items: list[Any] | tuple[Any, ...]) -> bool:
    """Whether `item` is among `items`, without making text and numbers alike."""
    return any(same(item, other) for other in items)


def has_key(holder: dict[Any, Any], key: Any) -> bool:
    """Whether the dictionary has the key; what cannot be a key is none."""
    try:
        return key in holder
    except TypeError:
        return False


def same(left: Any, right: Any) -> bool:
    """Equality of two values that are not made alike first: `1` is neither `'1'` nor `true`."""
    if left is right:
        return left == left if isinstance(left, float) else True
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return _numeric(left) and _numeric(right) and list(left) == list(right)
    if isinstance(left, (dict, list, tuple)) or isinstance(right, (dict, list, tuple)):
        return False
    return bool(left == right)


def _ordered(left: Any, right: Any) -> tuple[Any, Any]:
    """Both sides made alike for an ordering; two NaN, of which every ordering is false, when there is none."""
    if left is None or right is None:
        return math.nan, math.nan
    if isinstance(left, str) and isinstance(right, str):
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


def _numeric(items: list[Any] | tuple[Any, ...]) -> bool:
    return all(isinstance(item, (int, float)) and not isinstance(item, bool) and math.isfinite(item) for item in items)

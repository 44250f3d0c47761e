"""Reading, changing and walking containers: `a.b`, `a['b'] := 1`, `for (let k, v in a)`. What is missing is null.

Arrays count from 1, and from -1 backwards.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from hog.runtime.errors import Failure
from hog.runtime.limits import FEW, ITEM_BYTES, SMALL, check_items, check_length, reserve, spend
from hog.runtime.text import nested_text
from hog.runtime.truth import type_name
from hog.runtime.values import FIELDS

_COPY_UNITS: Final = 8


def get(holder: Any, key: Any) -> Any:
    """The member of `holder` under `key`, null when there is none."""
    if holder is None:
        return None
    if isinstance(holder, Mapping):
        return holder.get(key) if can_be_key(key) else None
    if isinstance(holder, (list, tuple)):
        return _item(holder, key)
    if key in FIELDS.get(type(holder), ()):
        return getattr(holder, key)
    return None


def dictionary(*pairs: tuple[Any, Any]) -> dict[Any, Any]:
    """A dictionary of computed keys and values."""
    result = {}
    for key, value in pairs:
        _check_key(key)
        result[key] = value
    return result


def set_member(holder: Any, key: Any, value: Any) -> None:
    """`holder[key] := value`. An array grows as far as it has to, with nulls between."""
    if isinstance(holder, dict):
        _check_key(key)
        holder[key] = value
    elif isinstance(holder, list):
        _set_item(holder, key, value)
    else:
        raise Failure(f"Can not set property {nested_text(key)} on a value of the type {type_name(holder)}")


def loop_values(holder: Any) -> list[Any]:
    """What `for (let v in holder)` walks: a copy, so that changes on the way do not matter."""
    if isinstance(holder, Mapping):
        _count(len(holder))
        return list(holder.values())
    if holder is None:
        raise Failure("null cannot be walked; write `?? []` behind it")
    if not isinstance(holder, (list, tuple)):
        return []
    _count(len(holder))
    return list(holder)


def loop_items(holder: Any) -> Iterable[tuple[Any, Any]]:
    """What `for (let k, v in holder)` walks. The keys of an array count from 0."""
    values = loop_values(holder)
    if isinstance(holder, Mapping):
        _count(len(holder))
        return zip(list(holder), values, strict=True)
    return enumerate(values)


def copied(value: Any) -> Any:
    """A copy of what a program reads of its globals and may change. They are JSON, so nothing contains itself."""
    if not isinstance(value, (Mapping, list)):
        return value
    if len(value) > FEW:
        spend(len(value) * _COPY_UNITS)
    if isinstance(value, list):
        return [copied(item) for item in value]
    return {key: copied(item) for key, item in value.items()}


def can_be_key(value: Any) -> bool:
    """Containers cannot. A tuple of tuples of tuples, each twice the one before, would take forever to hash."""
    return not isinstance(value, (list, tuple, dict))


def _count(items: int) -> None:
    """So many items are copied, so that they can be walked."""
    if items > SMALL:
        spend(items // 2)
        reserve(items * ITEM_BYTES)


def _check_key(key: Any) -> None:
    if not can_be_key(key):
        raise Failure(f"a value of the type {type_name(key)} cannot be a key")


def _set_item(items: list[Any], index: Any, value: Any) -> None:
    if isinstance(index, float) and index.is_integer():
        index = int(index)
    if not isinstance(index, int) or isinstance(index, bool):
        raise Failure(f"the index of an array must be a whole number, got {type_name(index)}")
    if index < 1:
        raise Failure("Hog arrays start from index 1")
    if index > len(items):
        # Of the array as a whole the length is bounded; what is taken now is only what it grows by.
        check_length(index)
        check_items(index - len(items))
        items.extend([None] * (index - len(items)))
    items[index - 1] = value


def _item(items: list[Any] | tuple[Any, ...], index: Any) -> Any:
    if isinstance(index, float) and index.is_integer():
        index = int(index)
    if not isinstance(index, int) or isinstance(index, bool):
        return None
    if index == 0:
        raise Failure("Hog arrays start from index 1")
    if index > len(items) or -index > len(items):
        return None
    return items[index - 1 if index > 0 else index]

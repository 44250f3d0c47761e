"""Reading members: `a.b`, `a['b']`, `a[1]`. What is missing is null, at any depth.

Arrays count from 1, and from -1 backwards.
"""

from collections.abc import Mapping
from typing import Any

from hog.runtime.errors import Failure
from hog.runtime.truth import type_name
from hog.runtime.values import FIELDS


def get(holder: Any, key: Any) -> Any:
    """The member of `holder` under `key`, null when there is none."""
    if holder is None:
        return None
    if isinstance(holder, Mapping):
        try:
            return holder.get(key)
        except TypeError:
            return None
    if isinstance(holder, (list, tuple)):
        return _item(holder, key)
    if key in FIELDS.get(type(holder), ()):
        return getattr(holder, key)
    return None


def dictionary(*pairs: tuple[Any, Any]) -> dict[Any, Any]:
    """A dictionary of computed keys and values."""
    result = {}
    for key, value in pairs:
        try:
            result[key] = value
        except TypeError:
            raise Failure(f"a value of the type {type_name(key)} cannot be a key") from None
    return result


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

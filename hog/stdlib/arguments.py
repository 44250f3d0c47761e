"""What library functions do with arguments of the wrong type: refuse them by the function's name."""

from typing import Any

from hog.runtime.errors import Failure
from hog.runtime.truth import type_name


def text_of(function: str, value: Any) -> str:
    """The value, which must be text."""
    if isinstance(value, str):
        return value
    raise Failure(f"{function} needs a text, got {type_name(value)}")


def whole_of(function: str, value: Any) -> int:
    """The value, which must be a whole number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Failure(f"{function} needs a whole number, got {type_name(value)}")


def is_array(value: Any) -> bool:
    """Whether array functions work on it: arrays and tuples."""
    return isinstance(value, (list, tuple))

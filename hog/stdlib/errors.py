"""Error values. They do nothing until they are thrown."""

from typing import Any

from hog.runtime.text import to_text
from hog.runtime.values import ErrorValue
from hog.stdlib.registry import function

_NO_MESSAGE = "An error occurred"


@function("Error", (0, 2), ("Error('no')", "Error('no')"), ("Error('no', 1)", "Error('no', 1)"))
def error(message: Any = None, payload: Any = None) -> ErrorValue:
    """An error with a message and a payload."""
    return hog_error("Error", message, payload)


@function("RetryError", (0, 2), ("RetryError('later')", "RetryError('later')"))
def retry_error(message: Any = None, payload: Any = None) -> ErrorValue:
    """An error of the type RetryError."""
    return hog_error("RetryError", message, payload)


@function("NotImplementedError", (0, 2), ("NotImplementedError()", "NotImplementedError('An error occurred')"))
def not_implemented_error(message: Any = None, payload: Any = None) -> ErrorValue:
    """An error of the type NotImplementedError."""
    return hog_error("NotImplementedError", message, payload)


@function("HogError", (1, 3), ("HogError('Mine', 'no')", "Mine('no')"))
def hog_error(type_: Any, message: Any = None, payload: Any = None) -> ErrorValue:
    """An error of any type."""
    return ErrorValue(to_text(type_) or "Error", to_text(message) or _NO_MESSAGE, payload)

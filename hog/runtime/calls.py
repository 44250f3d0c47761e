"""Calling function values: lambdas, and library functions that are passed around."""

from collections.abc import Callable
from typing import Any

from hog.runtime.errors import Failure
from hog.runtime.text import print_text
from hog.runtime.values import FunctionValue


def closure(call: Callable[..., Any], arity: int) -> FunctionValue:
    """A lambda as a value. Its parameters all have a default of null."""
    return FunctionValue("lambda", arity, call)


def call_value(function: Any, *arguments: Any) -> Any:
    """Call what an expression gave. Missing arguments are null."""
    return callback(function, len(arguments))(*arguments)


def callback(function: Any, count: int) -> Callable[..., Any]:
    """The Python callable behind a function value, checked once to take `count` arguments."""
    if not isinstance(function, FunctionValue):
        raise Failure(f"Invalid closure: {print_text(function)}")
    return function.taking(count)

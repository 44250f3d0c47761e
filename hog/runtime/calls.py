"""Calling function values: those of the program, and library functions that are passed around."""

from collections.abc import Callable
from typing import Any

from hog.runtime.errors import Failure
from hog.runtime.text import print_text
from hog.runtime.values import FunctionValue


def function_value(name: str, arity: int, call: Callable[..., Any]) -> FunctionValue:
    """A function of the program as a value. Its parameters all have a default of null."""
    return FunctionValue(name, arity, call)


def callback(function: Any, count: int) -> Callable[..., Any]:
    """The Python callable behind a function value, checked once to take `count` arguments; missing ones are null."""
    if not isinstance(function, FunctionValue):
        raise Failure(f"Invalid closure: {print_text(function)}")
    problem = function.too_many(count)
    if problem is not None:
        raise Failure(problem)
    return function.padded(count)

"""Rounding, and chance."""

import math
import random
import uuid
from typing import Any

from hog.runtime.arithmetic import number
from hog.stdlib.conversion import EXACT
from hog.stdlib.registry import function


@function("round", (1, 2), ("round(2.6)", "3"), ("round(2.5)", "3"), ("round(-2.5)", "-2"), ("round(null)", "null"))
def round_(value: Any, digits: Any = None) -> int | float | None:
    """The nearest whole number, halves up; null stays null. A number of digits is accepted and ignored."""
    if value is None:
        return None
    exact = number(value)
    whole = _whole(exact)
    return whole + 1 if exact - whole >= 0.5 else whole


@function(
    "floor", (1, 2), ("floor(2.9)", "2"), ("floor(-2.1)", "-3"), ("floor('7.5')", "7"), ("floor(1e300)", "1e+300")
)
def floor(value: Any, digits: Any = None) -> int | float | None:
    """The greatest whole number that is not greater; null stays null. A number of digits is accepted and ignored."""
    return None if value is None else _whole(number(value))


@function("randomFloat", 0, ("randomFloat() < 1", "true"), pure=False)
def random_float() -> float:
    """A random number from 0 up to, not including, 1."""
    return random.random()


@function("generateUUIDv4", 0, ("length(generateUUIDv4())", "36"), pure=False)
def generate_uuid_v4() -> str:
    """A random UUID, in lower case."""
    return str(uuid.uuid4())


def _whole(value: int | float) -> int | float:
    return math.floor(value) if isinstance(value, int) or abs(value) < EXACT else value

"""Conversions between types, and `typeof`. What cannot be converted is null."""

import math
import re
from typing import Any, Final

from hog.runtime.concat import join
from hog.runtime.dates import seconds
from hog.runtime.text import to_string, to_text
from hog.runtime.truth import type_name
from hog.runtime.values import Date, DateTime
from hog.stdlib.arguments import text_of
from hog.stdlib.registry import function

_INTEGER_PREFIX: Final = re.compile(r"\s*([+-]?(?:0[xX][0-9a-fA-F]{1,1000}|\d{1,1200}))", re.ASCII)
_FLOAT_PREFIX: Final = re.compile(r"\s*([+-]?(?:Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))", re.ASCII)
_DAY_S: Final = 86400
EXACT: Final = 2.0**53
"""From here on a float has no fraction. It stays one: as an integer it would print digits that it does not have."""


@function("toString", (1, 2), ("toString([1, 'a'])", "'[1, \\'a\\']'"), ("toString(null)", "'null'"))
def to_string_(value: Any, zone: Any = None) -> str:
    """The value as text; text stays as it is."""
    return to_string(value)


@function("toUUID", 1, ("toUUID('u-1')", "'u-1'"))
def to_uuid(value: Any) -> str:
    """The value as text; nothing is checked."""
    return to_string(value)


@function("concat", (1, None), ("concat('a', 1, null, true)", "'a1true'"), ("concat([1, 'a'])", "'[1, \\'a\\']'"))
def concat(*values: Any) -> str:
    """All arguments as one text; null adds nothing."""
    return join(tuple(map(to_text, values)))


@function("typeof", 1, ("typeof([1])", "'array'"), ("typeof(null)", "'null'"), ("typeof(1.5)", "'float'"))
def typeof(value: Any) -> str:
    """The name of the value's type."""
    return type_name(value)


@function(
    "toInt",
    1,
    ("toInt('12')", "12"),
    ("toInt(-4.9)", "-4"),
    ("toInt('12abc')", "12"),
    ("toInt('abc')", "null"),
    ("toInt(toDate('1970-01-03'))", "2"),
)
def to_int(value: Any) -> int | float | None:
    """The whole number at the start of a text, or a number cut towards zero; null when there is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, DateTime):
        return math.floor(value.dt)
    if isinstance(value, Date):
        return int(seconds(value)) // _DAY_S
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return _cut(value) if math.isfinite(value) else None
    match = _INTEGER_PREFIX.match(text_of("toInt", value)) if isinstance(value, str) else None
    if match is None:
        return None
    return int(match[1], 16 if "x" in match[1].lower() else 10)


@function("toFloat", 1, ("toFloat('4.5')", "4.5"), ("toFloat('1e3')", "1000"), ("toFloat('abc')", "null"))
def to_float(value: Any) -> float | None:
    """The number at the start of a text; null when there is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, DateTime):
        return value.dt
    if isinstance(value, Date):
        return seconds(value) / _DAY_S
    match = _FLOAT_PREFIX.match(text_of("toFloat", value)) if isinstance(value, str) else None
    return float(match[1]) if match else None


def _cut(value: float) -> int | float:
    return int(value) if abs(value) < EXACT else value

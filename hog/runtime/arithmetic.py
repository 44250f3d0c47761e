"""`+ - * / %` on any two values: both sides are read as numbers, and what is none is NaN. Nothing divides by zero.

Integers stay exact, so an identifier survives; the result of a division is an integer where it comes out even.
"""

import math
import re
from typing import Any, Final

from hog.runtime.errors import Failure
from hog.runtime.limits import MAX_DIGITS, MAX_INTEGER_BITS, SMALL, spend

_RADIX: Final = {"0x": 16, "0o": 8, "0b": 2}
# Possessive (`++`): where the digits of a long text could be shared out again, matching would take its square.
_DECIMAL: Final = re.compile(r"[+-]?(\d++(\.\d*+)?|\.\d++)([eE][+-]?\d++)?", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?\d{1,1200}", re.ASCII)


def number(value: Any) -> int | float:
    """The value as a number: null is 0, true is 1, text is read whole (empty text is 0), anything else is NaN."""
    if isinstance(value, (int, float)):
        return int(value) if value is True or value is False else value
    if value is None:
        return 0
    return text_number(value) if isinstance(value, str) else math.nan


def text_number(text: str) -> int | float:
    """The number that the whole text spells, blanks around it aside; NaN when it spells none."""
    if len(text) > SMALL:
        spend(len(text) // 8)
    digits = text.strip()
    if not digits:
        return 0
    if _INTEGER.fullmatch(digits):
        return int(digits)
    if _DECIMAL.fullmatch(digits):
        return float(digits)
    if digits[:2].lower() in _RADIX:
        return _radix_number(digits)
    return {"Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}.get(digits, math.nan)


def add(left: Any, right: Any) -> int | float:
    """`left + right`."""
    return _bounded(number(left) + number(right))


def subtract(left: Any, right: Any) -> int | float:
    """`left - right`."""
    return _bounded(number(left) - number(right))


def multiply(left: Any, right: Any) -> int | float:
    """`left * right`."""
    return _bounded(number(left) * number(right))


def divide(left: Any, right: Any) -> int | float:
    """`left / right`; a division by zero is an infinity or NaN."""
    dividend, divisor = number(left), number(right)
    if divisor == 0:
        if dividend == 0 or dividend != dividend:
            return math.nan
        return math.copysign(math.inf, dividend) * math.copysign(1, divisor)
    if isinstance(dividend, int) and isinstance(divisor, int) and dividend % divisor == 0:
        return dividend // divisor
    return dividend / divisor


def remainder(left: Any, right: Any) -> int | float:
    """`left % right` with the sign of `left`."""
    dividend, divisor = number(left), number(right)
    if divisor == 0 or dividend in (math.inf, -math.inf):
        return math.nan
    if isinstance(dividend, int) and isinstance(divisor, int):
        size = abs(dividend) % abs(divisor)
        return -size if dividend < 0 else size
    return math.fmod(dividend, divisor)


def _bounded(result: int | float) -> int | float:
    if isinstance(result, int) and result.bit_length() > MAX_INTEGER_BITS:
        raise Failure(f"an integer of more than {MAX_INTEGER_BITS} bits is too large")
    return result


def _radix_number(digits: str) -> int | float:
    if len(digits) > MAX_DIGITS:
        return math.inf
    try:
        return int(digits[2:], _RADIX[digits[:2].lower()]) if digits[2:].isalnum() else math.nan
    except ValueError:
        return math.nan

"""How values read as text: at the top level (`print`), nested in a container, in a concatenation, and by `toString`.

A container that holds itself prints `null` where it would repeat. What is written counts as memory and time.
"""

import re
from decimal import Decimal
from typing import Any, Final

from hog.runtime.dates import iso
from hog.runtime.errors import Failure
from hog.runtime.limits import SMALL, reserve, spend
from hog.runtime.truth import truthy
from hog.runtime.values import Date, DateTime, ErrorValue, FunctionValue

_ESCAPES: Final = (
    ("\\", "\\\\"),
    ("'", "\\'"),
    ("\b", "\\b"),
    ("\f", "\\f"),
    ("\r", "\\r"),
    ("\n", "\\n"),
    ("\t", "\\t"),
    ("\0", "\\0"),
    ("\v", "\\v"),
)
"""The backslash first, so that it escapes what the source has, not what the others make."""
_QUOTED: Final = str.maketrans(dict(_ESCAPES))
_PIECE_BYTES: Final = 16
_SHORT: Final = 512
_COUNT_EVERY: Final = 4096
_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*", re.ASCII)


def to_text(value: Any) -> str:
    """The form in a concatenation or a template: null is empty, text is itself, the rest as `toString` says it."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    return str(value) if type(value) is int else to_string(value)


def to_string(value: Any) -> str:
    """The form that `toString` gives: as `to_text`, but null is `null`."""
    if isinstance(value, str):
        return value
    if isinstance(value, (DateTime, Date)):
        return iso(value)
    return nested_text(value)


def print_text(value: Any) -> str:
    """The form that `print` gives one argument: text as it is, everything else as inside a container."""
    return value if isinstance(value, str) else nested_text(value)


def number_text(number: float) -> str:
    """A number as JavaScript writes it, except that an integer keeps all its digits."""
    if isinstance(number, int):
        return str(number)
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    mantissa, _, exponent = repr(number).partition("e")
    if not exponent:
        whole = mantissa.removesuffix(".0")
        return "0" if whole == "-0" else whole
    if -7 < int(exponent) < 21:
        return format(Decimal(repr(number)), "f")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def quote(text: str) -> str:
    """Text in single quotes with the escapes of a string literal."""
    return f"'{_escaped(text)}'"


def _escaped(text: str) -> str:
    if len(text) > _SHORT:
        spend(len(text) // 8)
        reserve(len(text))
        if not text.isascii():
            # Here `translate` looks up each character in a dictionary: nine quick passes are faster.
            for char, escaped in _ESCAPES:
                text = text.replace(char, escaped)
            return text
    return text.translate(_QUOTED)


def nested_text(value: Any) -> str:
    """The form inside a container: text in quotes."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    writer = _Writer()
    writer.write(value)
    writer.count()
    return "".join(writer.parts)


class _Writer:
    """Writes one value, counting what it has written: a small value whose parts are shared can print as a huge text."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._path: set[int] = set()
        self._length = 0
        self._counted = 0

    def write(self, value: Any) -> None:
        if isinstance(value, (dict, list, tuple)):
            self._write_container(value)
        elif isinstance(value, ErrorValue):
            self._write_error(value)
        elif isinstance(value, str) and len(value) > SMALL:
            # In three pieces: one more copy of a long text takes as long as all the rest.
            self._put("'")
            self._put(_escaped(value))
            self._put("'")
        else:
            self._put(_scalar(value))

    def _put(self, text: str) -> None:
        # Beside the characters each piece takes room of its own.
        self._length += len(text) + _PIECE_BYTES
        if self._length > self._counted + _COUNT_EVERY:
            self.count()
            reserve(self._length)
        self.parts.append(text)

    def count(self) -> None:
        """Count as work what was written since the last time: also a thousand small values take their time."""
        spend(self._length - self._counted)
        self._counted = self._length

    def _write_container(self, value: Any) -> None:
        if id(value) in self._path:
            self._put("null")
            return
        self._path.add(id(value))
        if isinstance(value, dict):
            self._write_dict(value)
        elif isinstance(value, list):
            self._write_items(value, "[", "]")
        else:
            self._write_items(value, "(" if len(value) > 1 else "tuple(", ")")
        self._path.discard(id(value))

    def _write_dict(self, value: dict[Any, Any]) -> None:
        self._put("{")
        for position, (key, item) in enumerate(value.items()):
            if position:
                self._put(", ")
            self.write(key)
            self._put(": ")
            self.write(item)
        self._put("}")

    def _write_items(self, items: list[Any] | tuple[Any, ...], opening: str, closing: str) -> None:
        self._put(opening)
        for position, item in enumerate(items):
            if position:
                self._put(", ")
            self.write(item)
        self._put(closing)

    def _write_error(self, error: ErrorValue) -> None:
        self._put(f"{error.type}({quote(error.message)}")
        if truthy(error.payload):
            self._put(", ")
            self.write(error.payload)
        self._put(")")


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return quote(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, DateTime):
        return f"DateTime({float(value.dt)!r}, {quote(value.zone)})"
    if isinstance(value, Date):
        return f"Date({value.year}, {value.month}, {value.day})"
    if isinstance(value, FunctionValue):
        return f"fn<{_name_text(value.name)}({value.arity})>"
    raise Failure(f"a value of the type {type(value).__name__} is none that a program can hold")


def _name_text(name: str) -> str:
    if _IDENTIFIER.fullmatch(name):
        return name
    return "`" + name.replace("`", "``") + "`"

"""JSON text to plain values and back, exactly: what merely passes through arrives unharmed.

Integers keep every digit, 3.0 becomes 3, a lone surrogate escape becomes U+FFFD, the last of duplicate keys wins. It
refuses NaN and Infinity literals, text that is not UTF-8, and nesting so deep that a reader would run out of stack.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, NoReturn, TypeAlias

import msgspec

from hog.runtime.errors import Failure
from hog.runtime.limits import reserve, spend
from hog.runtime.text import to_string
from hog.runtime.values import RECORDS

Value: TypeAlias = Any
"""None, bool, int, float, str, a list, tuple or dict of values, or one of `hog.runtime.values`."""


_ITEM_BYTES = 16
_COUNT_EVERY = 65_536
_MAX_NESTING = 1_000
_END = object()
_LEAST_WITH_EXPONENT = 1e21
"""From here on JavaScript writes a number with an exponent."""


class JsonError(ValueError):
    """The text is not JSON that can be read, or the value cannot be written as JSON."""


# Every escape is consumed whole, so that `\\ud800` (a backslash, then text) is never taken for a surrogate.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def loads(data: bytes | str) -> Value:
    """Read one JSON value. A number beyond the range of a double becomes an infinity; `dumps` writes that as null."""
    raw = _utf8(data) if isinstance(data, str) else data
    try:
        return msgspec.json.decode(raw)
    except RecursionError:
        raise JsonError("nested too deeply") from None
    except msgspec.ValidationError:
        return _loads_huge_number(raw)
    except msgspec.DecodeError as error:
        mended = _ESCAPE.sub(_replace_lone_surrogate, raw)
        if mended == raw:
            raise JsonError(_reason(error)) from None
    except UnicodeDecodeError:
        raise JsonError("not valid UTF-8") from None
    return loads(mended)


def dumps(value: Value) -> bytes:
    """Write a value as compact JSON, whole numbers without a fraction: 3.0 is `3`, as JavaScript writes it.

    NaN and infinities become null; dates, and keys that are no text, become text.
    """
    try:
        text = msgspec.json.encode(value, enc_hook=_encode_record)
        # Most values have no such number, and need not be looked through.
        if b".0" not in text:
            return text
    except RecursionError:
        raise JsonError("nested too deeply") from None
    except (TypeError, ValueError, Failure):
        pass
    try:
        return msgspec.json.encode(_plain(value), enc_hook=_encode_record)
    except RecursionError:
        raise JsonError("nested too deeply") from None
    except (TypeError, ValueError, Failure) as error:
        raise JsonError(str(error)) from None


def check_size(value: Value, deepest: float = _MAX_NESTING) -> None:
    """Refuse what a program made when its JSON would be too large: a few arrays that hold each other twice are enough.

    To be called before `dumps`, which nothing can stop. It counts as work and memory of the evaluation under way.

    Raises:
        JsonError: It is nested too deeply, or contains itself.
        LimitFailure: It is too large.
    """
    layers: list[Iterator[Value]] = [iter((value,))]
    size = counted = 0
    while layers:
        item = next(layers[-1], _END)
        if item is _END:
            layers.pop()
        elif isinstance(item, str):
            size += len(item)
        elif isinstance(item, (Mapping, list, tuple)):
            size += _ITEM_BYTES * len(item)
            layers.append(chain(item, item.values()) if isinstance(item, Mapping) else iter(item))
            if len(layers) > deepest:
                raise JsonError("nested too deeply")
        if size > counted + _COUNT_EVERY:
            spend(size - counted)
            counted = size
            reserve(size)


def without_lone_surrogates(text: str) -> str:
    """The text with every surrogate that has no partner replaced by U+FFFD; such text has no UTF-8 form."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return without_lone_surrogates(text).encode()


def _replace_lone_surrogate(match: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if match[1] else match[0]


def _reason(error: Exception) -> str:
    return str(error).removeprefix("JSON is malformed: ")


def _loads_huge_number(raw: bytes) -> Value:
    """The slow road for numbers that msgspec has no room for, such as 1e400."""
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except RecursionError:
        raise JsonError("nested too deeply") from None
    except JsonError:
        raise
    except json.JSONDecodeError as error:
        raise JsonError(f"{error.msg} (byte {error.pos})") from None
    except UnicodeDecodeError:
        raise JsonError("not valid UTF-8") from None
    except ValueError:
        raise JsonError("a number has more than 4300 digits") from None


def _refuse_constant(name: str) -> NoReturn:
    raise JsonError(f"{name} is not JSON")


def _encode_record(value: object) -> str:
    if isinstance(value, RECORDS):
        return to_string(value)
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def _plain(value: Value) -> Value:
    """A copy with what the encoder refuses or writes otherwise replaced: keys that are no text, whole floats, …"""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _LEAST_WITH_EXPONENT else value
    if isinstance(value, str):
        return without_lone_surrogates(value)
    if isinstance(value, Mapping):
        return {without_lone_surrogates(to_string(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value

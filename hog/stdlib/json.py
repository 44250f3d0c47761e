"""JSON text and paths into it. Paths: keys of objects, positions of arrays from 1, or from -1 backwards."""

import math
from typing import Any, Final

import msgspec

from hog import json_text
from hog.runtime.errors import Failure
from hog.runtime.limits import FEW, SMALL, reserve, spend
from hog.runtime.text import number_text, to_string
from hog.runtime.values import Date, DateTime, ErrorValue, FunctionValue
from hog.stdlib.arguments import is_array, string_of
from hog.stdlib.conversion import to_float, to_int
from hog.stdlib.registry import function

_MISSING: Final = object()


@function(
    "jsonParse",
    1,
    ("jsonParse('[1, {\"a\": null}]')", "[1, {'a': null}]"),
    ("jsonParse('9007199254740993')", "9007199254740993"),
    ('jsonParse(\'{"__hogDate__": true, "year": 2024, "month": 2, "day": 9}\')', "Date(2024, 2, 9)"),
    ("jsonParse(null)", "null"),
    leaps=True,
)
def json_parse(text: Any) -> Any:
    """The value that JSON text holds; text that is not JSON ends the evaluation."""
    if text is None:
        return None
    text = string_of(text)
    try:
        value = _loaded(text)
        return _revived(value) if "__hog" in text or "\\u00" in text else value
    except json_text.JsonError as error:
        raise Failure(f"jsonParse: not JSON: {error}") from None


@function(
    "jsonStringify",
    (1, 2),
    ("jsonStringify({'a': [1, null]})", "'{\"a\":[1,null]}'"),
    ("jsonStringify([1], 2)", "'[\\n  1\\n]'"),
    ("jsonStringify(('é', 1.0))", "'[\"é\",1]'"),
    ("jsonStringify(toDate('2024-02-09'))", '\'{"__hogDate__":true,"year":2024,"month":2,"day":9}\''),
    leaps=True,
)
def json_stringify(value: Any, indent: Any = None) -> str:
    """The value as compact JSON, or with line breaks and an indentation of that many spaces."""
    spaces = int(max(0, min(indent, 10))) if isinstance(indent, (int, float)) and indent == indent else 0
    plain = _Plain(spaces)
    copy = plain.copy(value)
    plain.count()
    text = json_text.dumps(copy)
    if spaces:
        text = msgspec.json.format(text, indent=spaces)
    return text.decode()


@function(
    "isValidJSON",
    1,
    ("isValidJSON('{}')", "true"),
    ("isValidJSON('{')", "false"),
    ("isValidJSON(null)", "false"),
    leaps=True,
)
def is_valid_json(text: Any) -> bool:
    """Whether the text is JSON."""
    return isinstance(text, str) and _parsed(text) is not _MISSING


@function(
    "JSONHas",
    (1, None),
    ("JSONHas('{\"a\": [1]}', 'a', 1)", "true"),
    ("JSONHas('{}', 'a')", "false"),
    ("JSONHas('{\"a\": null}', 'a')", "true"),
    ("JSONHas('{\"a\": \"[1]\"}', 'a', 1)", "true"),
    leaps=True,
)
def json_has(value: Any, *path: Any) -> bool:
    """Whether there is something at the path, be it null. Text on the way is read as JSON."""
    for step in path:
        value = _step(_parsed_text(value), step) if step != 0 else _MISSING
    return value is not _MISSING


@function("JSONLength", (1, None), ("JSONLength('{\"a\": [1, 2]}', 'a')", "2"), ("JSONLength('x')", "0"), leaps=True)
def json_length(value: Any, *path: Any) -> int:
    """How many elements or keys the value at the path has, 0 when it has none."""
    found = _at(value, path)
    return len(found) if isinstance(found, (dict, list, tuple)) else 0


@function(
    "JSONExtract",
    (2, None),
    ("JSONExtract('{\"a\": 1}', 'a', 'Int')", "1"),
    ("JSONExtract('[3, 4]', -1, 'Int')", "4"),
    leaps=True,
)
def json_extract(value: Any, *path: Any) -> Any:
    """The value at the path, null when there is none. The last argument names a type and is ignored."""
    return _or_null(_at(value, path[:-1]))


@function(
    "JSONExtractBool",
    (1, None),
    ("JSONExtractBool('{\"a\": true}', 'a')", "true"),
    ("JSONExtractBool('1')", "false"),
    leaps=True,
)
def json_extract_bool(value: Any, *path: Any) -> bool:
    """The boolean at the path, else false."""
    return _at(value, path) is True


@function(
    "JSONExtractInt",
    (1, None),
    ("JSONExtractInt('{\"a\": \"7\"}', 'a')", "7"),
    ("JSONExtractInt('1.9')", "1"),
    leaps=True,
)
def json_extract_int(value: Any, *path: Any) -> int | float | None:
    """The number at the path as a whole number, null when there is none."""
    return to_int(_number_or_text(_at(value, path)))


@function(
    "JSONExtractFloat",
    (1, None),
    ("JSONExtractFloat('{\"a\": 1.5}', 'a')", "1.5"),
    ("JSONExtractFloat('{}', 'a')", "null"),
    leaps=True,
)
def json_extract_float(value: Any, *path: Any) -> float | None:
    """The number at the path, null when there is none."""
    return to_float(_number_or_text(_at(value, path)))


@function(
    "JSONExtractString",
    (1, None),
    ("JSONExtractString('{\"a\": \"b\"}', 'a')", "'b'"),
    ("JSONExtractString('[[1]]', 1)", "'[1]'"),
    leaps=True,
)
def json_extract_string(value: Any, *path: Any) -> str | None:
    """The text at the path; a container as JSON text; null when there is nothing."""
    found = _or_null(_at(value, path))
    if found is None:
        return None
    return json_stringify(found) if isinstance(found, (dict, list, tuple)) else to_string(found)


@function(
    "JSONExtractArrayRaw",
    (1, None),
    ("JSONExtractArrayRaw('{\"a\": [1]}', 'a')", "[1]"),
    ("JSONExtractArrayRaw('{}')", "null"),
    leaps=True,
)
def json_extract_array_raw(value: Any, *path: Any) -> Any:
    """The array at the path, else null."""
    found = _at(value, path)
    return found if is_array(found) else None


_SIGN_BYTES: Final = (("[", 72), ("{", 300), (",", 72), (":", 72), ("\\", 4))
"""What a sign in JSON text stands for takes in memory: an array, an object, an item, a key, an escape."""
_SURROGATES: Final = ("\\ud", "\\uD")
_SURROGATE_BYTES: Final = 128
"""What an escape takes while lone surrogates are looked for."""
_ITEM_BYTES: Final = 64
_COUNT_EVERY: Final = 4096


class _Plain:
    """Copies a value into what JSON has a form for, counting: shared parts are written as often as they occur."""

    def __init__(self, spaces: int) -> None:
        self._spaces = spaces
        self._size = 0
        self._counted = 0
        self._path: set[int] = set()

    def copy(self, value: Any) -> Any:
        self._size += _ITEM_BYTES + self._spaces * len(self._path)
        if isinstance(value, str):
            self._size += _written_bytes(value)
        if self._size > self._counted + _COUNT_EVERY:
            self.count()
            reserve(self._size)
        if isinstance(value, (dict, list, tuple)):
            return self._container(value)
        if isinstance(value, float):
            # In JavaScript's spelling: the encoder would write 1e21 and 1e-6.
            return msgspec.Raw(number_text(value).encode()) if math.isfinite(value) else None
        return self._record(value)

    def count(self) -> None:
        """Count as work what was copied since the last time."""
        spend(self._size - self._counted)
        self._counted = self._size

    def _container(self, value: Any) -> Any:
        if id(value) in self._path:
            return None
        self._path.add(id(value))
        if isinstance(value, dict):
            copy: Any = {self._key(key): self.copy(item) for key, item in value.items()}
        else:
            copy = [self.copy(item) for item in value]
        self._path.discard(id(value))
        return copy

    def _key(self, key: Any) -> str:
        text = to_string(key)
        self._size += _written_bytes(text)
        return text

    def _record(self, value: Any) -> Any:
        if isinstance(value, DateTime):
            return {"__hogDateTime__": True, "dt": self.copy(value.dt), "zone": value.zone}
        if isinstance(value, Date):
            return {"__hogDate__": True, "year": value.year, "month": value.month, "day": value.day}
        if isinstance(value, ErrorValue):
            error = {"__hogError__": True, "type": value.type, "message": value.message}
            return error if value.payload is None else {**error, "payload": self.copy(value.payload)}
        return to_string(value) if isinstance(value, FunctionValue) else value


def _written_bytes(text: str) -> int:
    """At most, in JSON and as the text of that; roughly for a short one."""
    if len(text) <= SMALL:
        return len(text)
    spend(len(text) // 8)
    return (2 if text.isprintable() else 6) * len(text)


def _loaded(text: str) -> Any:
    """The value of JSON text, when there is room for it: sixteen million of `[` and `]` are as many objects."""
    if len(text) > FEW:
        spend(len(text))
    if len(text) > SMALL:
        reserve(len(text) + sum(text.count(sign) * size for sign, size in _SIGN_BYTES))
        if any(escape in text for escape in _SURROGATES):
            reserve(text.count("\\") * _SURROGATE_BYTES)
    return json_text.loads(text)


def _revived(value: Any) -> Any:
    """The parsed value, in which objects with a marker become the dates and errors that they stand for."""
    if isinstance(value, list):
        return [_revived(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"__hogDateTime__": True, "dt": int() | float() as dt, "zone": str() as zone}:
            return DateTime(float(dt), zone)
        case {"__hogDate__": True, "year": int() as year, "month": int() as month, "day": int() as day}:
            return Date(year, month, day)
        case {"__hogError__": True, "type": str() as type_, "message": str() as message}:
            return ErrorValue(type_, message, value.get("payload"))
    return {key: _revived(item) for key, item in value.items()}


def _parsed(text: str) -> Any:
    try:
        return _loaded(text)
    except json_text.JsonError:
        return _MISSING


def _parsed_text(value: Any) -> Any:
    return _parsed(value) if isinstance(value, str) else value


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    """What is at the path of a value, or of the value that JSON text holds."""
    value = _parsed_text(value)
    for step in path:
        value = _step(value, step)
    return value


def _step(holder: Any, step: Any) -> Any:
    if isinstance(holder, dict):
        return holder.get(step if isinstance(step, str) else to_string(step), _MISSING)
    if isinstance(step, float) and step.is_integer():
        step = int(step)
    if not is_array(holder) or isinstance(step, bool) or not isinstance(step, int):
        return _MISSING
    if step == 0:
        raise Failure("Hog arrays start from index 1")
    index = step - 1 if step > 0 else step
    return holder[index] if -len(holder) <= index < len(holder) else _MISSING


def _or_null(value: Any) -> Any:
    return None if value is _MISSING else value


def _number_or_text(value: Any) -> Any:
    return value if isinstance(value, (int, float, str)) else None

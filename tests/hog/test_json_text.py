from typing import Any

import pytest

from hog import json_text
from hog.runtime.values import Date, DateTime, FunctionValue


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("-18446744073709551616", -18446744073709551616),
        ("9223372036854775808", 9223372036854775808),
        ('"\u2028"', "\u2028"),
        ('"a\\u0000b"', "a\x00b"),
        ('"\\ud800"', "\ufffd"),
        ('"\\udc00x\\ud83d"', "\ufffdx\ufffd"),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"\\\\ud800"', "\\ud800"),
        ('{"\\ud800": 1}', {"\ufffd": 1}),
        ('"\ud800"', "\ufffd"),
        ('{"": 1, "a.b": 2}', {"": 1, "a.b": 2}),
        ('{"a": 1, "b": 2, "a": 3}', {"a": 3, "b": 2}),
        ("[1.0, 1e2]", [1.0, 100.0]),
        ("1e400", float("inf")),
    ],
)
def test_reads_exactly(text: str, value: Any) -> None:
    assert json_text.loads(text) == value
    if "\ud800" not in text:
        assert json_text.loads(text.encode()) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, b"3"),
        ([1.0, 1.5, 0.05, "1.0"], b'[1,1.5,0.05,"1.0"]'),
        ({"a": {"b": -0.0}, 2.0: 1}, b'{"a":{"b":0},"2":1}'),
        ([1.0, 1e20, 1e22, float("inf"), float("nan")], b"[1,100000000000000000000,1e22,null,null]"),
    ],
)
def test_a_whole_float_is_written_as_javascript_writes_it(value: object, text: bytes) -> None:
    assert json_text.dumps(value) == text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "Input data was truncated"),
        (b"NaN", "invalid character (byte 0)"),
        (b"[Infinity]", "invalid character (byte 1)"),
        (b"[1e400, NaN]", "NaN is not JSON"),
        (b'{"a":1,}', "trailing comma in object (byte 7)"),
        (b'"\xff"', "not valid UTF-8"),
        (b"1" * 5000, "a number has more than 4300 digits"),
        (b"[" * 20_000_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[1e400," + b"[" * 100_000, "nested too deeply"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_refuses(data: bytes, message: str) -> None:
    with pytest.raises(json_text.JsonError) as caught:
        json_text.loads(data)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": (1, [2**70])}, '{"a":[1,[1180591620717411303424]]}'),
        ([float("nan"), float("-inf")], "[null,null]"),
        ({1: "x", None: 2, (1, "a"): 3}, '{"1":"x","null":2,"(1, \'a\')":3}'),
        ("\ud800x", '"\ufffdx"'),
        ("\u2028\x00", '"\u2028\\u0000"'),
        ([DateTime(0.5), Date(2024, 2, 9)], '["1970-01-01T00:00:00.500Z","2024-02-09"]'),
        (FunctionValue("lambda", 1, len), '"fn<lambda(1)>"'),
    ],
)
def test_writes(value: Any, text: str) -> None:
    assert json_text.dumps(value).decode() == text


def test_what_is_no_value_is_refused() -> None:
    with pytest.raises(json_text.JsonError, match="a object cannot be written as JSON"):
        json_text.dumps([object()])


def test_a_value_within_itself_is_refused() -> None:
    items: list[Any] = []
    items.append(items)
    with pytest.raises(json_text.JsonError, match="nested too deeply"):
        json_text.dumps(items)


def test_a_time_outside_the_calendar_cannot_be_written() -> None:
    with pytest.raises(json_text.JsonError, match=r"^the time 1e\+300 is outside the calendar$"):
        json_text.dumps({"at": DateTime(1e300)})

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import hog
from hog import json_text

TOKENS = (
    "event properties . ['x'] ( ) [ ] { } ' f' a 1 - + and or not in =~ '(' -> x , ? : ?? || lower( arrayMap( \\ "
    "like is & null"
)
PIECES = st.lists(st.sampled_from([*TOKENS.split(), "\n"]), max_size=25)
SOURCES = st.one_of(st.text(max_size=60), PIECES.map("".join), PIECES.map(" ".join))
NUMBERS = st.one_of(
    st.integers(),
    st.integers(min_value=2**63, max_value=2**200),
    st.floats(allow_nan=False, allow_infinity=False),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, st.text())
VALUES: Any = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=15
)


@given(source=SOURCES, event=VALUES)
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_program_or_a_hog_error(source: str, event: Any) -> None:
    for compile_ in (hog.expression, hog.template):
        error = hog.HogError("")
        try:
            compile_(source)({"event": event, "properties": {"x": event}, "a": event, "x": event})
        except hog.HogError as raised:
            error = raised
        assert error.line >= 1
        assert error.column >= 1
        assert error.caret().count("\n") == 1


@given(left=VALUES, right=VALUES)
@settings(max_examples=200, deadline=None)
def test_operators_take_any_values(left: Any, right: Any) -> None:
    operators = ["==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "||", "??"]
    program = hog.expression(f"[{', '.join(f'a {op} b' for op in operators)}]")
    result = program({"a": left, "b": right})
    assert result[0] is not result[1]


@given(value=SCALARS, literal=st.sampled_from(["'x'", "''", "'1'", "1", "0", "1.5", "null", "true", "'true'"]))
@settings(deadline=None)
def test_a_comparison_with_a_literal_is_the_comparison(value: Any, literal: str) -> None:
    operators = ["==", "!=", "<", "<=", ">", ">="]
    fast = hog.expression(f"[{', '.join(f'a {op} {literal}' for op in operators)}]")({"a": value})
    slow = hog.expression(f"(b -> [{', '.join(f'a {op} b' for op in operators)}])({literal})")({"a": value})
    assert fast == slow


@given(value=VALUES)
@settings(deadline=None)
def test_json_arrives_unharmed(value: Any) -> None:
    assert json_text.loads(json_text.dumps(value)) == value


@given(data=st.binary(max_size=80))
@settings(deadline=None)
def test_any_bytes_are_json_or_a_json_error(data: bytes) -> None:
    try:
        value = json_text.loads(data)
    except json_text.JsonError:
        return
    json_text.dumps(value)

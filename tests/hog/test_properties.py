from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hog
from hog import json_text
from tests.hog.differential.programs import GLOBALS, Drawn, Writer

TOKENS = (
    "event properties . ['x'] ( ) [ ] { } ' f' a 1 - + and or not in =~ '(' -> x , ? : ?? || lower( arrayMap( \\ "
    "like is & null let fun := ; if while for try catch throw return <a /> fn else {} e: finally #"
)
PIECES = st.lists(st.sampled_from([*TOKENS.split(), "\n"]), max_size=25)
SOURCES = st.one_of(st.text(max_size=60), PIECES.map("".join), PIECES.map(" ".join))
LONGEST = 2048
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
@settings(max_examples=300)
def test_any_text_is_a_program_or_a_hog_error(source: str, event: Any) -> None:
    for compile_ in (hog.program, hog.expression, hog.template):
        error = hog.HogError("")
        try:
            compile_(source)({"event": event, "properties": {"x": event}, "a": event, "x": event})
        except hog.HogError as raised:
            error = raised
        assert error.line >= 1
        assert error.column >= 1
        assert error.caret().count("\n") == 1


@given(left=VALUES, right=VALUES)
@settings(max_examples=200)
def test_operators_take_any_values(left: Any, right: Any) -> None:
    operators = ["==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "||", "??"]
    program = hog.expression(f"[{', '.join(f'a {op} b' for op in operators)}]")
    result = program({"a": left, "b": right})
    assert result[0] is not result[1]


@given(value=SCALARS, literal=st.sampled_from(["'x'", "''", "'1'", "1", "0", "1.5", "null", "true", "'true'"]))
def test_a_comparison_with_a_literal_is_the_comparison(value: Any, literal: str) -> None:
    operators = ["==", "!=", "<", "<=", ">", ">="]
    fast = hog.expression(f"[{', '.join(f'a {op} {literal}' for op in operators)}]")({"a": value})
    slow = hog.expression(f"(b -> [{', '.join(f'a {op} b' for op in operators)}])({literal})")({"a": value})
    assert fast == slow


@given(value=VALUES)
def test_json_arrives_unharmed(value: Any) -> None:
    assert json_text.loads(json_text.dumps(value)) == value


@given(data=st.binary(max_size=80))
def test_any_bytes_are_json_or_a_json_error(data: bytes) -> None:
    try:
        value = json_text.loads(data)
    except json_text.JsonError:
        return
    json_text.dumps(value)


@st.composite
def unbounded_programs(draw: Any) -> str:
    """Loops without end, recursion without end, values that grow."""
    growth = draw(st.sampled_from(GROWTH))
    return "\n".join([growth, Writer(Drawn(draw), bounded=False).program()])[:LONGEST]


GROWTH = (
    "",
    "let s := 'x'; while (s) { s := s || s; }",
    "let a := []; while (true) { a := arrayPushBack(a, a); print(length(a)); }",
    "let a := [1]; for (let i := 0; i < 60; i := i + 1) { a := [a, a]; } print(length(jsonStringify(a)));",
    "let a := [1]; a[1] := a; a[2] := {'a': a}; print(a, jsonStringify(a), a == a, a in a);",
    "fun f(x) { return f([x, x]) } f(1);",
    "let f := null; f := x -> arrayMap(y -> f(x), range(3)); f(1);",
    "let n := 3; while (n) { n := n * n; }",
    "let s := 'ab'; for (let i := 0; i < 99; i := i + 1) { s := replaceAll(s, 'a', s); }",
    "let d := {}; let i := 0; while (true) { i := i + 1; d[f'{i}'] := f'{d}'; }",
    "try { while (true) {} } catch { while (true) {} }",
    "arrayMap(x -> { while (true) {} return x; }, range(1000000));",
    "let e := Error('x'); while (true) { e := Error(f'{e}', e); }",
    "fun f() { try { return f() } catch { return f() } } f();",
    "print(splitByString('', arrayStringConcat(range(100000), ',')));",
    "let s := 'a'; for (let i := 0; i < 99; i := i + 1) { s := jsonStringify([s, s]); }",
)


@given(source=unbounded_programs())
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_no_program_leaves_the_fences(source: str) -> None:
    """Steps and bytes bound it, so that it ends in the same way each time; the seconds are only there to notice."""
    run = hog.Run(hog.Limits(time_s=5.0, steps=20_000, memory_bytes=4 * 1024 * 1024), {"print": len})
    error = hog.HogError("")
    try:
        hog.program(source)(GLOBALS, run)
    except hog.HogError as raised:
        error = raised
    assert error.caret().count("\n") == 1
    assert run.used_s < 10.0
    assert GLOBALS["properties"]["deep"] == {"x": [1, {"y": 2}]}


@given(source=SOURCES)
@settings(max_examples=300)
def test_any_text_is_run_or_refused(source: str) -> None:
    run = hog.Run(hog.Limits(time_s=5.0, steps=20_000, memory_bytes=4 * 1024 * 1024))
    error = hog.HogError("")
    try:
        hog.program(source)({"a": 1, "x": {"y": [1]}, "event": "e", "properties": {}}, run)
    except hog.HogError as raised:
        error = raised
    assert (error.line, error.column) >= (1, 1)

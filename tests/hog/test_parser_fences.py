"""The bounds of the parser: what is beyond them is refused with its place, and all reading takes time in proportion."""

import threading
from typing import Any

import pytest

import hog
from hog import nodes, parser
from hog.parser.tokens import MAX_BLOCKS, MAX_CHAIN, MAX_DEPTH, MAX_ELSE_IFS, MAX_SOURCE_BYTES, Tokens

SIZE = 20_000
TRAPS = [
    "(", "[", "{", "{a ", "{a: ", "{a} ", "f(", "f(a, ", "(a, ", "a -> ", "(a, b) -> ", "a, b -> c, ", "x -> { y; ",
    "x -> { return (z) + ", "x -> { if (a) (b) ", "not ", "not in (", "not {", "case ", "case when a then ",
    "interval ", "interval (", "a between ", "a between (", "lambda x: ", "if (a) ", "if (a) b else ", "for (a; ",
    "for (", "return ", "return {", "let a := ", "a := ", "a ? ", "a + ", "a and ", "a || ", "- ", "a < ", "a <b ",
    "<a>", "<a b={", "f'{", "f'a{b}' ", "'a", "/* ", "#", "1.", "a.", "a[", "a [1, 2] ", "(select ",
    "f(a order by ", "try { ", "fun f() { ",
]  # fmt: skip


def frames(count: int, function: Any) -> Any:
    return function() if count == 0 else frames(count - 1, function)


def in_a_thread(function: Any) -> Any:
    """What the function gives or raises, called a hundred frames deep in a new thread."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(frames(100, function))
        except Exception as error:  # noqa: BLE001  # it is looked at by the test
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("parse", [parser.parse_program, parser.parse_expression])
def test_no_token_is_read_more_than_a_few_times(trap: str, parse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted is where the parser goes to; it never goes back further than it is allowed to in all."""
    read: list[Tokens] = []
    make = Tokens.__init__

    def noted(self: Tokens, source: str, mode: str) -> None:
        make(self, source, mode)
        read.append(self)

    monkeypatch.setattr(Tokens, "__init__", noted)
    source = (trap * SIZE)[:SIZE]
    outcome = in_a_thread(lambda: parse(source))
    assert isinstance(outcome, nodes.Node | hog.HogError), outcome
    assert read[0].wasted <= 9 * len(read[0].kinds)


@pytest.mark.parametrize(
    ("source", "column", "message"),
    [
        ("(" * 401 + "1" + ")" * 401, 401, "nested too deeply"),
        ("x -> " * 401 + "1", 2001, "nested too deeply"),
        ("1" + " + 1" * 501, 2003, "more than 500 operators in a row"),
        ("a" + ".b" * 501, 1002, "more than 500 members in a row"),
    ],
)
def test_beyond_a_bound_the_place_is_told(source: str, column: int, message: str) -> None:
    with pytest.raises(hog.HogSyntaxError) as caught:
        hog.expression(source)
    assert (caught.value.line, caught.value.column, caught.value.message) == (1, column, message)


def test_a_source_may_have_so_many_bytes() -> None:
    assert hog.expression("'" + "x" * (MAX_SOURCE_BYTES - 2) + "'")({}) == "x" * (MAX_SOURCE_BYTES - 2)
    with pytest.raises(hog.HogSyntaxError, match="larger than 100000 bytes"):
        hog.expression("'" + "é" * (MAX_SOURCE_BYTES // 2) + "'")


@pytest.mark.parametrize(
    "source",
    [
        "[" * (MAX_DEPTH - 1) + "1" + "]" * (MAX_DEPTH - 1),
        "x -> " * (MAX_DEPTH - 1) + "1",
        "x -> { return " * (MAX_DEPTH // 2 - 1) + "1" + "; }" * (MAX_DEPTH // 2 - 1),
        "a ? b : c or d and not e ?? f = g + h * - (" * 32 + "a" + ")" * 32,
        "1" + " + 1" * MAX_CHAIN,
        "1" + " ?? 1" * MAX_CHAIN,
        "'a'" + " || 'a'" * 3_000,
        "1" + " or 1" * 2_000,
        "<a b={" * (MAX_DEPTH - 1) + "1" + "} />" * (MAX_DEPTH - 1),
        "case when a then b else " * (MAX_DEPTH - 1) + "c" + " end" * (MAX_DEPTH - 1),
    ],
    ids=lambda source: source[:12],
)
def test_up_to_the_bounds_everything_compiles(source: str) -> None:
    outcome = in_a_thread(lambda: hog.expression(source))
    assert isinstance(outcome, hog.Program), outcome


def test_else_if_may_be_repeated() -> None:
    chain = " else ".join(f"if (x == {number}) {{ return {number} }}" for number in range(MAX_ELSE_IFS + 1))
    program = in_a_thread(lambda: hog.program(chain))
    assert [program({"x": x}) for x in (0, 500, MAX_ELSE_IFS, -1)] == [0, 500, MAX_ELSE_IFS, None]
    with pytest.raises(hog.HogSyntaxError, match="more than 1000 'else if' in a row"):
        hog.program(f"{chain} else if (x) {{}}")


def test_loops_may_be_within_each_other() -> None:
    assert hog.program("while (0) " * MAX_BLOCKS + "{}")({}) is None
    assert hog.program("while (0) " * MAX_BLOCKS + "{ fun f() { while (0) {} } }")({}) is None
    with pytest.raises(hog.HogSyntaxError, match="too many loops"):
        hog.program("try {} catch { " * 11 + "}" * 11)

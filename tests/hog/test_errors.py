import pytest

import hog
from hog.errors import HogError

NAMES = hog.Names({"event", "properties", "person"})


def explain(chain: tuple[str, ...]) -> str | None:
    return f"write event.{'.'.join(chain)}" if chain[0] == "properties" else None


@pytest.mark.parametrize(
    ("source", "position", "message"),
    [
        ("evnt == 1", (1, 1), "unknown name 'evnt'; did you mean 'event'?"),
        ("1 +\n  zzz.b", (2, 3), "unknown name 'zzz'"),
        ("event == lenght('x')", (1, 10), "unknown function 'lenght'; did you mean 'length'?"),
        ("PRINT(1)", (1, 1), "unknown function 'PRINT'; did you mean 'print'?"),
        ("fetch('x')", (1, 1), "`fetch` cannot be called here"),
        ("arrayMap(fetch, [])", (1, 10), "`fetch` cannot be called here"),
        ("Lower('x')", (1, 1), "unknown function 'Lower'; did you mean 'lower'?"),
        ("lower()", (1, 1), "Function lower requires at least 1 argument"),
        ("substring('a')", (1, 1), "Function substring requires at least 2 arguments"),
        ("lower(1, 2)", (1, 1), "Function lower requires at most 1 argument"),
        ("if(1)", (1, 1), "Function if requires at least 2 arguments"),
        ("event[0]", (1, 7), "Array access starts from 1"),
        ("event.0", (1, 1), "Array access starts from 1"),
        ("{event}", (1, 1), "Placeholders are not allowed in this context"),
        ("(x, x) -> x", (1, 1), "the parameter 'x' is named twice"),
        ("lower(text := 'x')", (1, 15), "arguments have no names here: remove 'text :='"),
        ("(select 1)", (1, 2), "SQL is not supported here: `select …`"),
        ("event as x", (1, 1), "SQL is not supported here: `expr as name`"),
        ("event::int", (1, 1), "SQL is not supported here: `expr::type`"),
        ("sql(1)", (1, 1), "SQL is not supported here: `sql(…)`"),
        ("event in cohort 5", (1, 1), "cohorts are not supported: write the conditions themselves"),
        ("event =~ '('", (1, 10), "bad regular expression '(': missing ): ("),
        ("match(event, '(?=a)')", (1, 14), "bad regular expression '(?=a)': invalid perl operator: (?="),
        ("1 + " + "9" * 1201, (1, 5), "a number has more than 1200 digits"),
        ("*", (1, 1), "'*' has no meaning here"),
    ],
)
def test_compile_error(source: str, position: tuple[int, int], message: str) -> None:
    with pytest.raises(hog.HogCompileError) as caught:
        hog.expression(source, names=NAMES)
    error = caught.value
    assert ((error.line, error.column), error.message) == (position, message)
    assert error.source == source


@pytest.mark.parametrize(
    ("source", "position", "message"),
    [
        ("", (1, 1), "unexpected end"),
        ("1 +", (1, 4), "unexpected end"),
        ("}", (1, 1), "unexpected '}': it closes nothing"),
        ("a ! b", (1, 3), "Unexpected character '!' (U+0021); write 'not'"),
        ("'ünï' + é", (1, 9), "Unexpected character U+00E9"),
        ("1,\n 2", (1, 2), "unexpected ','"),
        ("'a\\q'", (1, 3), "unknown escape \\q; a backslash itself is written \\\\"),
        ("'abc", (1, 1), "the text that begins here has no closing '"),
        ("f(`a)", (1, 3), "the name that begins here has no closing `"),
        ("((1 + 2) 3)", (1, 10), "unexpected '3', expected ')'"),
        ("[1 2]", (1, 4), "unexpected '2', expected ']'"),
        ("{'a': 1 'b': 2}", (1, 9), "unexpected text 'b', expected '}'"),
        ("f(1 2)", (1, 5), "unexpected '2', expected ')'"),
        ("f(\n 1\n 2)", (3, 2), "unexpected '2', expected ')' to close '(' of line 1"),
        ("f(a,\n  g(b)", (2, 7), "unexpected end: '(' in line 1 is not closed"),
        ("[1, (2 +", (1, 9), "unexpected end: '(' in line 1 is not closed"),
        ("[1)", (1, 3), "unexpected ')', expected ']'"),
        ("a..b", (1, 3), "unexpected '.', expected a member's name"),
        ("a ? b", (1, 6), "unexpected end, expected ':' of '? :'"),
        ("f'a {b", (1, 7), "unexpected end: '{' in line 1 is not closed"),
        ("f'a", (1, 4), "unexpected end: the template is not closed"),
        ("F'a'", (1, 1), "a template begins with a small f: f'…'"),
        ("x between 1 or 2", (1, 13), "unexpected 'or', expected 'and' between the bounds of 'between'"),
        ("case when a then b", (1, 19), "unexpected end, expected 'end' of 'case' in line 1"),
        ("interval 2 lightyears", (1, 12), "unexpected 'lightyears', expected a unit such as 'day'"),
        ("interval 'soon'", (1, 10), "an interval is written '2 days', with a whole number and a unit"),
        ("<a>\n<b>\n</a>", (3, 3), "<b> is closed by </a>"),
        ("<a>\n<b>x", (2, 1), "the tag <b> is not closed"),
        ("<a b=1 />", (1, 6), "Unexpected character '1' (U+0031)"),
        ("1 /* 2", (1, 3), "the comment is not closed"),
        ("a " + "x" * 100, (1, 3), f"unexpected '{'x' * 40}…'"),
        ("a '" + "x" * 100 + "'", (1, 3), f"unexpected text '{'x' * 39}…"),
        ("1 +\n date '2024-01-01'", (2, 2), "there is no literal date '…'; write toDate('…')"),
        ("substring(x from 1)", (1, 1), "SQL is not supported here"),
    ],
)
def test_syntax_error(source: str, position: tuple[int, int], message: str) -> None:
    with pytest.raises(hog.HogSyntaxError) as caught:
        hog.expression(source)
    assert ((caught.value.line, caught.value.column), caught.value.message) == (position, message)


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("a {x", (1, 5), "unexpected end: '{' in line 1 is not closed"),
        ("a {} b", (1, 4), "unexpected '}'"),
        ("one\ntwo {evnt.x}", (2, 6), "unknown name 'evnt'; did you mean 'event'?"),
        ("{evnt.x}", (1, 2), "unknown name 'evnt'; did you mean 'event'?"),
    ],
)
def test_template_error(text: str, position: tuple[int, int], message: str) -> None:
    with pytest.raises(HogError) as caught:
        hog.template(text, names=NAMES)
    assert ((caught.value.line, caught.value.column), caught.value.message) == (position, message)


@pytest.mark.parametrize(
    ("source", "position", "message"),
    [
        ("1 + length(lower(5))", (1, 12), "lower needs a text, got integer"),
        ("[1,\n 2,\n jsonParse('x')]", (3, 2), "jsonParse: not JSON: invalid character (byte 0)"),
        ("arrayMap(x -> upper(x), ['a', 1])", (1, 15), "upper needs a text, got integer"),
        ("[1][event]", (1, 1), "Hog arrays start from index 1"),
        ("'é' || lower(event)", (1, 8), "lower needs a text, got integer"),
        ("true and person.x", (1, 10), "Global variable not found: person"),
        ("1 in event", (1, 1), "'in' needs an array, a text or a dictionary on its right, got integer"),
    ],
)
def test_runtime_error_points_at_what_failed(source: str, position: tuple[int, int], message: str) -> None:
    with pytest.raises(hog.HogRuntimeError) as caught:
        hog.expression(source, names=NAMES)({"event": 0})
    assert ((caught.value.line, caught.value.column), caught.value.message) == (position, message)


def test_runtime_error_in_a_template_counts_columns_of_the_text() -> None:
    with pytest.raises(hog.HogRuntimeError) as caught:
        hog.template("Hi {lower(5)}")({})
    assert str(caught.value) == "(1,5): lower needs a text, got integer"
    assert caught.value.caret() == "Hi {lower(5)}\n    ^"


def test_the_caller_may_explain_an_unknown_name() -> None:
    names = hog.Names({"event"}, explain)
    with pytest.raises(hog.HogCompileError, match=r"^\(1,1\): write event\.properties\.x$"):
        hog.expression("properties.x", names=names)
    with pytest.raises(hog.HogCompileError, match="did you mean 'event'"):
        hog.expression("evemt", names=names)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (HogError("m", 1, 3, "a + b"), "a + b\n  ^"),
        (HogError("m", 2, 2, "a\n\tb\nc"), "\tb\n\t^"),
        (HogError("m", 1, 201, "x" * 400), "x" * 160 + "\n" + " " * 80 + "^"),
        (HogError("m", 9, 9, ""), "\n^"),
    ],
)
def test_caret_stands_under_the_place(error: HogError, shown: str) -> None:
    assert error.caret() == shown


@pytest.mark.parametrize(
    "source",
    [
        "(" * 10_000 + "1" + ")" * 10_000,
        "[" * 10_000 + "]" * 10_000,
        "1" + "+1" * 10_000,
        "not " * 10_000 + "1",
        "- " * 3 + "(" * 400 + "1" + ")" * 400,
        "f(" * 10_000 + ")" * 10_000,
        "f" + "(1)" * 10_000,
        "a" + "[1]" * 10_000,
        "a" + ".b" * 10_000,
        "x -> " * 10_000 + "1",
        "lambda x: " * 10_000 + "1",
        "1 ? 2 : " * 10_000 + "3",
        "{1: " * 10_000 + "1" + "}" * 10_000,
        "f'{" * 10_000 + "1" + "}'" * 10_000,
        "case when " * 10_000,
        "a" + " or a" * 10_000,
        "<a>" * 10_000,
        "1" * 100_001,
        "'" + "x" * 100_001 + "'",
        "1" + " + 1" * 501,
    ],
    ids=lambda source: source[:12],
)
def test_sources_that_would_exhaust_the_stack_are_refused_at_once(source: str) -> None:
    with pytest.raises(hog.HogSyntaxError):
        hog.expression(source)
    with pytest.raises(hog.HogSyntaxError):
        hog.template("{" + source + "}")


def test_brackets_in_text_and_comments_do_not_count_as_nesting() -> None:
    assert hog.expression("'" + "(" * 100 + "' // " + "(" * 100)({}) == "(" * 100
    assert hog.template("(" * 100 + "{1}")({}) == "(" * 100 + "1"

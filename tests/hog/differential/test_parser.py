"""Our parser against PostHog's own: both must refuse the same sources, and make the same trees of all others.

`HOG_DIFFERENTIAL=5000` tries so many, other ones each time; without it, the same ones each time. What differs, and may,
is listed in `_explained`, each with its reason.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hog import parser
from hog.errors import HogError
from tests.hog.case_files import CASES, read_programs
from tests.hog.differential.oracle import (
    OracleError,
    comparable,
    has_refused,
    oracle_expression,
    oracle_program,
    oracle_template,
)
from tests.hog.differential.programs import Drawn, Writer

EXAMPLES: Final = int(os.environ.get("HOG_DIFFERENTIAL", "0"))
_LONGEST: Final = 350
_DEEPEST: Final = 10
"""Characters, and brackets within each other, of a source that is given to the other parser: its time is cubic."""
_BENCHMARKS: Final = Path(__file__).parents[3] / "bench" / "hog_programs"
_VECTORS: Final = Path(__file__).parents[1] / "vectors.json"
_TOKEN: Final = re.compile(
    r"\s+|[A-Za-z_$][\w$]*|\d+|'(?:[^'\\]|\\.)*'|:=|->|\|\||\?\?|\?\.|==|!=|<=|>=|=~\*?|.", re.DOTALL
)
_WORDS: Final = (
    "a b x f 1 2.5 'x' ( ) [ ] { } , ; : := . ?. ? ?? || + - * / % = == != < <= > >= <> =~ ~ <=> and or not in like "
    "ilike between is null as case when then else end if for while return let fun fn throw try catch finally -> lambda "
    "interval day true false distinct cohort f'{a}' f'x' <a/> <a> </a> # :: order by date `q` \"q\" inf 0x1F .5 1e3 x, "
    "(x) (a, {a} {} [1] := 1 a.b a.1 ?.b a[1] f(x) if(a) for(;;) {a:1} ignore nulls trim {return in"
)
_SOUP: Final = _WORDS.split()
_OPERATOR_WORDS: Final = frozenset(
    {"and", "or", "not", "in", "like", "ilike", "between", "is", "as", "case", "interval", "cohort"}
)
_PROGRAMS: Final = [case.source for case in read_programs()]
_SHORT: Final = [source for source in _PROGRAMS if len(source) < _LONGEST]


def _expressions() -> list[str]:
    lines = [line for file in sorted(CASES.glob("*.txt")) for line in file.read_text().splitlines()]
    return [line.partition("  =>  ")[0] for line in lines if line and not line.startswith(("//", "globals: "))]


_EXPRESSIONS: Final = _expressions()
Parse = Callable[[str], Any]
Kind = tuple[str, Parse, Parse]
_PROGRAM: Final[Kind] = ("program", parser.parse_program, oracle_program)
_EXPRESSION: Final[Kind] = ("expression", parser.parse_expression, oracle_expression)
_TEMPLATE: Final[Kind] = ("template", parser.parse_template, oracle_template)


def check(kind: Kind, source: str) -> None:
    """Both do the same with the source, or there is a known reason."""
    _, ours, oracle = kind
    mine, problem = _tried(lambda: comparable(ours(source)))
    theirs, reason = _tried(lambda: oracle(source))
    if mine != theirs and not _explained(source, theirs, mine, problem):
        pytest.fail(f"{source!r}\nours   {mine} {problem}\ntheirs {theirs} {reason[:80]}", pytrace=False)


def _tried(parse: Callable[[], Any]) -> tuple[Any, str]:
    """The tree; or None, and why there is none."""
    try:
        return parse(), ""
    except (HogError, OracleError) as error:
        return None, error.message


def _explained(source: str, theirs: Any, mine: Any, problem: str) -> bool:
    # SQL: the compiler refuses each of its nodes, so we look neither into them nor for the end of all of them. A lone
    # `*` is a column, and refused too; where an operand is missing behind `*`, we say so instead.
    if has_refused(mine) or (has_refused(theirs) and mine is None):
        return True
    # A fence of the compiler, which the parser knows: the other one reads any number of loops.
    if problem.startswith("too many loops"):
        return True
    # There, the beginning of a comment without end is a division by `*`.
    if problem == "the comment is not closed":
        return True
    # `1.name`: there `1.` and then a name, but only where a statement may begin. Here always a member of 1. In the same
    # way `a.01` and `a.1e3` are two statements there, and nothing here.
    if re.search(r"\d\s*\.\s*[A-Za-z_$`\"]|\.\s*(?:0\d|\d+[eE])", source):
        return True
    # There, the whole rest of the source decides where a statement ends. Here what follows decides, so an assignment
    # that begins like an index, a call or the right side of an operator does not begin in the middle of one:
    # `let x := a  (b).c := 1`. The same for a return without a value: `return a [0] := 1`.
    if theirs is not None and (problem == "unexpected ':='" or (mine is not None and source.count(":=") > 0)):
        return "VariableAssignment" in str(theirs)
    # There, a word that is an operator is a name wherever the rest of the source leaves no other way.
    return theirs is not None and _names(theirs) & _OPERATOR_WORDS != set()


def _names(tree: Any) -> set[str]:
    if isinstance(tree, str):
        return {tree.lower()}
    return set().union(*map(_names, tree)) if isinstance(tree, tuple) else set()


def _is_small(source: str) -> bool:
    depth = deepest = 0
    for char in source:
        depth += (char in "([{") - (char in ")]}")
        deepest = max(deepest, depth)
    return len(source) <= _LONGEST and deepest <= _DEEPEST


@pytest.mark.parametrize("source", _PROGRAMS)
def test_golden_programs(source: str) -> None:
    if source.count("[") < _DEEPEST and source.count("while") < _DEEPEST:
        check(_PROGRAM, source)


def test_golden_expressions() -> None:
    for source in _EXPRESSIONS:
        check(_EXPRESSION, source)


def test_programs_of_others() -> None:
    for vector in json.loads(_VECTORS.read_text()):
        check(_PROGRAM, vector["program"])


@pytest.mark.parametrize("file", sorted(_BENCHMARKS.glob("*.hog")), ids=lambda file: file.name)
def test_programs_of_the_benchmarks(file: Path) -> None:
    check(_PROGRAM, file.read_text())


def tries(fewest: int) -> Callable[[Any], Any]:
    return settings(
        max_examples=EXAMPLES or fewest,
        derandomize=not EXAMPLES,
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def programs(draw: Any) -> str:
    return Writer(Drawn(draw)).program()


@given(source=programs())
@tries(40)
@pytest.mark.timeout(0 if EXAMPLES else 180)
def test_generated_programs(source: str) -> None:
    if len(source) < 10 * _LONGEST:
        check(_PROGRAM, source)


@st.composite
def mutants(draw: Any, sources: list[str]) -> str:
    """A valid source in which some tokens are left out, doubled, exchanged, added or replaced."""
    tokens = _TOKEN.findall(draw(st.sampled_from(sources)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(tokens) - 1)))
        word = f" {draw(st.sampled_from(_SOUP))} "
        match draw(st.integers(0, 4)):
            case 0:
                del tokens[at : at + 1]
            case 1:
                tokens[at:at] = tokens[at : at + 1]
            case 2 if tokens:
                other = draw(st.integers(0, len(tokens) - 1))
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case 3:
                tokens.insert(at, word)
            case _:
                tokens[at : at + 1] = [word]
    return "".join(tokens)


@given(source=mutants(_SHORT))
@tries(300)
@pytest.mark.timeout(0 if EXAMPLES else 180)
def test_programs_with_mistakes(source: str) -> None:
    if _is_small(source):
        check(_PROGRAM, source)


@given(source=mutants(_EXPRESSIONS))
@tries(300)
@pytest.mark.timeout(0 if EXAMPLES else 180)
def test_expressions_with_mistakes(source: str) -> None:
    if _is_small(source):
        check(_EXPRESSION, source)


@given(tokens=st.lists(st.sampled_from(_SOUP), max_size=10), kind=st.sampled_from([_PROGRAM, _EXPRESSION]))
@tries(400)
@pytest.mark.timeout(0 if EXAMPLES else 180)
def test_any_tokens(tokens: list[str], kind: Kind) -> None:
    source = " ".join(tokens)
    if _is_small(source):
        check(kind, source)


@given(pieces=st.lists(st.sampled_from(["a ", "{", "}", "{a}", "\\", "'", "\n", "{'x'}", "{f'{b}'}", "{a: 1}", "é"])))
@tries(200)
@pytest.mark.timeout(0 if EXAMPLES else 180)
def test_any_template(pieces: list[str]) -> None:
    text = "".join(pieces)
    if _is_small(text):
        check(_TEMPLATE, text)

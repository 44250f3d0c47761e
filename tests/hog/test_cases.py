import json
import re
from pathlib import Path
from typing import Any

import pytest

import hog
from hog.runtime.text import nested_text
from tests.hog.case_files import CASES, ProgramCase, answer, as_expected, read_programs

TABLE = Path(__file__).parents[2] / "docs" / "hog.md"
PROGRAMS = read_programs()


def read_cases() -> list[Any]:
    found = []
    for file in sorted(CASES.glob("*.txt")):
        globals_: dict[str, Any] = {}
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if line.startswith("globals: "):
                globals_ = json.loads(line.removeprefix("globals: "))
            elif line and not line.startswith("//"):
                source, arrow, printed = line.partition("  =>  ")
                assert arrow, f"{file.name}:{number}: no '  =>  ' in the line"
                found.append(pytest.param(source, globals_, printed, id=f"{file.stem}:{number}"))
    return found


def printed_form(program: hog.Program, globals_: dict[str, Any]) -> str:
    try:
        return nested_text(program(globals_))
    except hog.HogRuntimeError as error:
        return f"error: {error.message}"


@pytest.mark.parametrize(("source", "globals_", "printed"), read_cases())
def test_expression_prints_as_expected(source: str, globals_: dict[str, Any], printed: str) -> None:
    expected = printed.replace("\\ufffd", "\ufffd")
    before = json.dumps(globals_)
    assert printed_form(hog.expression(source), globals_) == expected
    assert json.dumps(globals_) == before


@pytest.mark.parametrize(("source", "globals_", "printed"), [case for case in read_cases() if case.values[1]])
def test_known_names_change_no_result(source: str, globals_: dict[str, Any], printed: str) -> None:
    names = hog.Names([*globals_, "missing"])
    assert printed_form(hog.expression(source, names=names), globals_) in (printed, "false")


@pytest.mark.parametrize("case", PROGRAMS, ids=lambda case: case.place)
def test_program_answers_as_expected(case: ProgramCase) -> None:
    before = json.dumps(case.globals)
    answered = answer(case)
    assert as_expected(answered, case.expected), "\n".join([f"{case.place} ({case.title}) answers:", *answered])
    assert json.dumps(case.globals) == before


def test_no_two_cases_of_a_file_have_one_title() -> None:
    titles = [(case.file, case.title) for case in PROGRAMS]
    assert len(set(titles)) == len(titles)


def test_every_line_of_the_table_of_divergences_has_a_case() -> None:
    named = {
        (file, title) for file, title in re.findall(r"\| `([a-z]+)`: ([^|]+?) \|$", TABLE.read_text(), re.MULTILINE)
    }
    known = {(case.file, case.title) for case in PROGRAMS}
    assert named - known == set()
    assert {pair for pair in known if pair[0] == "choices"} - named == set()


def test_a_line_that_ends_in_an_ellipsis_says_only_the_beginning() -> None:
    assert as_expected(["one", "two 2"], ["one", "two…"])
    assert not as_expected(["one"], ["one", "two…"])
    assert not as_expected(["one", "2"], ["one", "two…"])

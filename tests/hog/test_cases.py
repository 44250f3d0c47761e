import json
from pathlib import Path
from typing import Any

import pytest

import hog
from hog.runtime.text import nested_text

CASES = Path(__file__).parent / "cases"


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

"""Every operator meets every kind of value, on both sides: `operator_cases.txt` says which property passes.

A row of that file is an operator and the filter's value; its columns are what the property is. `refused` is a value
that the operator does not take. The rows were compared with the answers of PostHog's own machine (`@posthog/hogvm`
1.0.71): where they differ, docs/destinations.md says so.
"""

from pathlib import Path
from typing import Any

import pytest

from destinations.filters.operators import OPERATORS
from hog import json_text
from tests.destinations.events import view
from tests.destinations.filters.conftest import compiled, problems_of

_HEADER, *_LINES = [line for line in Path(__file__).with_name("operator_cases.txt").read_text().splitlines() if line]
_PROPERTIES = [{} if column == "missing" else {"x": json_text.loads(column)} for column in _HEADER.split()[2:]]
# No value in the file has a blank in it.
ROWS = [(row[0], json_text.loads(row[1]), row[2:]) for row in map(str.split, _LINES)]


def _filters(operator: str, value: Any) -> dict[str, Any]:
    return {"properties": [{"key": "x", "operator": operator, "value": value}]}


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return "date" if value == "2026-01-31" else "number as text" if value == "5" else "text"
    return type(value).__name__


@pytest.mark.parametrize(("operator", "value", "answers"), [row for row in ROWS if row[2] != ["refused"]])
def test_who_passes(operator: str, value: Any, answers: list[str]) -> None:
    chosen = compiled(_filters(operator, value))
    passes = ["yes" if chosen.matches(view(properties)) else "no" for properties in _PROPERTIES]
    assert passes == answers


@pytest.mark.parametrize(("operator", "value"), [row[:2] for row in ROWS if row[2] == ["refused"]])
def test_what_is_refused(operator: str, value: Any) -> None:
    (problem,) = problems_of(_filters(operator, value))
    assert problem.startswith("crm.yaml: filters.properties[0].value"), problem


@pytest.mark.parametrize("operator", OPERATORS)
def test_the_operator_meets_every_kind_of_value(operator: str) -> None:
    kinds = {_kind(value) for of, value, _ in ROWS if of == operator}
    assert kinds >= {"NoneType", "number as text", "int", "bool", "date", "a list of 0", "a list of 1", "a list of 2"}

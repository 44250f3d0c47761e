"""Programs that nobody wrote, run here and by PostHog's TypeScript machine: both must print and give the same.

`HOG_DIFFERENTIAL=5000` tries so many, other ones each time; without it, the same ones each time.
"""

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hog
from hog import parser
from hog.runtime.text import nested_text
from tests.hog.case_files import ProgramCase, read_programs
from tests.hog.differential.choices import javascript_failed, same_numbers, we_refuse, with_our_choices
from tests.hog.differential.machine import Machine, MissingMachineError, Outcome
from tests.hog.differential.programs import GLOBALS, Drawn, Writer

EXAMPLES = int(os.environ.get("HOG_DIFFERENTIAL", "0"))


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    try:
        machine = Machine()
    except MissingMachineError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    yield machine
    machine.close()


@st.composite
def programs(draw: Any) -> str:
    return Writer(Drawn(draw)).program()


def ours(source: str) -> Outcome:
    prints: list[str] = []
    run = hog.Run(hog.Limits(time_s=10.0), {"print": prints.append})
    try:
        return Outcome(prints, nested_text(hog.program(source)(GLOBALS, run)), None)
    except hog.HogError as error:
        return Outcome(prints, None, str(error))


def comparable(outcome: Outcome) -> tuple[list[str], str | None, bool]:
    """Messages are compared by nobody: ours have positions and name types as Hog does."""
    result = None if outcome.result is None else same_numbers(outcome.result)
    return [same_numbers(text) for text in outcome.prints], result, outcome.error is not None


@given(source=programs())
@settings(
    max_examples=EXAMPLES or 150,
    derandomize=not EXAMPLES,
    suppress_health_check=list(HealthCheck),
)
@pytest.mark.timeout(0 if EXAMPLES else 180)
def test_programs_do_the_same_on_both_machines(machine: Machine, source: str) -> None:
    here = ours(source)
    there = machine.run_tree(with_our_choices(parser.parse_program(source)), GLOBALS)
    mine, theirs = comparable(here), comparable(there)
    if there.error is not None and javascript_failed(there.error):
        assert mine[0][: len(theirs[0])] == theirs[0]
    elif here.error is not None and we_refuse(here.error):
        assert theirs[0][: len(mine[0])] == mine[0]
    else:
        assert mine == theirs


def told(machine: Machine, case: ProgramCase, *, repaired: bool) -> list[str]:
    """What the other machine answers to a golden case; of an error no more than that there is one."""
    try:
        there = machine.run(case.source, case.globals, repaired=repaired)
    except NotImplementedError as error:
        return [f"not for that machine: {error}"]
    ending = [] if there.result in (None, "null") else [f"result: {there.result}"]
    failure = [] if there.error is None else ["error: "]
    return [line for text in (*there.prints, *ending, *failure) for line in text.split("\n")]


def wanted(case: ProgramCase) -> list[str]:
    return ["error: " if re.match("error: [a-z]+ ", line) else line for line in case.expected]


@pytest.mark.parametrize(
    "case",
    [case for case in read_programs() if case.file not in ("choices", "limits", "syntax", "compile")],
    ids=lambda case: case.place,
)
def test_the_golden_cases_hold_on_the_other_machine_too(machine: Machine, case: ProgramCase) -> None:
    assert told(machine, case, repaired=True) == wanted(case)


@pytest.mark.parametrize(
    "case", [case for case in read_programs() if case.file == "choices"], ids=lambda case: case.title
)
def test_what_we_decided_otherwise_differs(machine: Machine, case: ProgramCase) -> None:
    assert told(machine, case, repaired=False) != wanted(case)

"""Reads and runs the golden cases in `cases/`; their form is described in `cases/README.md`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import hog
from hog.runtime.text import nested_text

CASES: Final = Path(__file__).parent / "cases"
_TITLE: Final = "=== "
_DIVIDER: Final = "---"
_SLOWEST_S: Final = 10.0
"""No case is about time; a machine under load must not make one fail."""


@dataclass
class ProgramCase:
    """One program of a `*.hog` file, and the lines that it should answer with."""

    title: str
    file: str
    """The file's name without its ending: the theme."""
    line: int
    source: str = ""
    expected: list[str] = field(default_factory=list)
    globals: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where the case begins."""
        return f"{self.file}.hog:{self.line}"


def read_programs() -> list[ProgramCase]:
    """The cases of all `*.hog` files."""
    return [case for file in sorted(CASES.glob("*.hog")) for case in _cases_of(file)]


def answer(case: ProgramCase) -> list[str]:
    """What the program prints, line by line, then its result unless that is null, or its error."""
    printed: list[str] = []
    run = hog.Run(hog.Limits(**({"time_s": _SLOWEST_S} | case.limits)), {"print": printed.append})
    try:
        result = hog.program(case.source)(case.globals, run)
        ending = [] if result is None else [f"result: {nested_text(result)}"]
    except hog.HogError as error:
        ending = [f"error: {_phase(error)} {error}"]
    return [line for text in (*printed, *ending) for line in text.split("\n")]


def as_expected(answered: list[str], expected: list[str]) -> bool:
    """Whether the lines are the same. An expected line that ends in `…` says only how a line begins."""
    return len(answered) == len(expected) and all(
        line.startswith(wanted[:-1]) if wanted.endswith("…") else line == wanted
        for line, wanted in zip(answered, expected, strict=True)
    )


def _phase(error: hog.HogError) -> str:
    match error:
        case hog.HogSyntaxError():
            return "parse"
        case hog.HogCompileError():
            return "compile"
        case hog.HogLimitError():
            return "limit"
        case _:
            return "runtime"


def _cases_of(file: Path) -> Iterator[ProgramCase]:
    case: ProgramCase | None = None
    lines: list[str] = []
    answering = False

    def complete(case: ProgramCase) -> ProgramCase:
        assert answering, f"{case.place}: the case '{case.title}' has no line '{_DIVIDER}'"
        return case

    for number, line in enumerate(file.read_text("utf-8").split("\n"), 1):
        if line.startswith(_TITLE):
            if case is not None:
                yield complete(case)
            case, answering, lines = ProgramCase(line.removeprefix(_TITLE), file.stem, number), False, []
        elif case is None:
            assert not line or line.startswith("//"), f"{file.name}:{number}: this stands before the first '{_TITLE}'"
        elif line == _DIVIDER and not answering:
            case.source, answering = "\n".join(lines), True
        elif answering:
            case.expected.append(line)
        elif line.startswith("globals: ") and not lines:
            case.globals = json.loads(line.removeprefix("globals: "))
        elif line.startswith("limits: ") and not lines:
            case.limits = json.loads(line.removeprefix("limits: "))
        else:
            lines.append(line)
    if case is not None:
        # The file's last line end is none of the case's.
        assert case.expected.pop() == "", f"{file.name}: the last line has no end"
        yield complete(case)

"""A destination's program: Hog code that is run for each event, instead of one request made from a template."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import hog
from destinations.names import IN_CODE
from destinations.report import Report
from destinations.spec import LimitsSpec
from records import Code

MAX_PRINTED: Final = 24
"""So many of the lines that one run prints are kept."""
_PATH = ("code",)


class CodeTemplate:
    """The compiled program, with what it may take."""

    def __init__(self, program: hog.Program, limits: LimitsSpec) -> None:
        self.chains = program.chains
        self._program = program
        self._fetches = limits.fetches
        self._limits = hog.Limits(
            time_s=limits.time_ms / 1000,
            memory_bytes=limits.memory_mb * 1024 * 1024,
            fetches=limits.fetches,
        )

    def render(self, globals: Mapping[str, Any]) -> Code:
        """The program with the globals of one event; raises nothing."""
        seen = {root: globals.get(root) for root in IN_CODE.roots}
        person = globals.get("person") or {}
        event = globals["event"]
        captured = {
            "project": globals["project"]["id"],
            "distinct_id": event["distinct_id"],
            "person_id": person.get("id"),
            "properties": event["properties"] or {},
        }
        return Code(partial(self._evaluate, seen), globals["inputs"], captured, self._fetches)

    def _evaluate(
        self, globals: Mapping[str, Any], effects: Mapping[str, Callable[..., Any]], pause: Callable[[], None]
    ) -> object:
        return self._program(globals, hog.Run(self._limits, effects, pause))


def compile_code(source: str, limits: LimitsSpec, report: Report) -> CodeTemplate | None:
    """Compile the source; what is wrong goes to the report."""
    try:
        return CodeTemplate(hog.program(source, names=IN_CODE), limits)
    except hog.HogError as error:
        report.of_hog(_PATH, error)
        return None

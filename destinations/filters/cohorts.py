"""Cohorts: who is in one is told by the properties of the person alone, at the moment of the event.

What persons did, lists of persons and cohorts of cohorts are not known here; such a cohort is refused where it is used.
"""

from typing import Any, Final

from catalog.yaml_file import Steps
from destinations.filters.build import TRUE, all_of, any_of, negated
from destinations.filters.properties import PropertyCompiler
from destinations.kinds import kind_of
from destinations.report import Report
from hog.nodes import Expr

_WHY: Final = {
    "behavioral": "is made of what persons did",
    "cohort": "is made of other cohorts",
    "static-cohort": "is made of other cohorts",
    "precalculated-cohort": "is made of other cohorts",
}


class RefusedError(ValueError):
    """Nothing here can tell who is in the cohort; the message says why, as the end of a sentence."""


class CohortCompiler:
    """Compiles the filters of cohorts; what is wrong goes to the report of their file."""

    def __init__(self, properties: PropertyCompiler, report: Report) -> None:
        """`properties` compiles the single ones."""
        self._properties = properties
        self._report = report

    def members(self, filters: Any, path: Steps) -> Expr:
        """Whether a person is a member; raises RefusedError."""
        if isinstance(filters, dict) and "properties" in filters:
            filters, path = filters["properties"], (*path, "properties")
        return self._node(filters, path)

    def _node(self, written: Any, path: Steps) -> Expr:
        if not isinstance(written, dict):
            self._report.at(path, f"expected a mapping with type and values, got {kind_of(written)}")
            return TRUE
        if "values" not in written:
            return self._leaf(written, path)
        operator, values = written.get("type"), written["values"]
        if operator not in ("AND", "OR"):
            self._report.at((*path, "type"), "expected AND or OR")
        if not isinstance(values, list) or not values:
            self._report.at((*path, "values"), "expected a list of at least one filter")
            return TRUE
        nodes = [self._node(item, (*path, "values", index)) for index, item in enumerate(values)]
        return all_of(nodes) if operator == "AND" else any_of(nodes)

    def _leaf(self, written: dict[str, Any], path: Steps) -> Expr:
        kind = written.get("type")
        if kind != "person":
            raise RefusedError(_WHY.get(str(kind), f"is made of '{kind}' filters"))
        node = self._properties.one(written, path)
        return negated(node) if written.get("negation") is True else node

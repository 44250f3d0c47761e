"""Property filters: what each `type` looks at, and the test of it."""

from collections.abc import Mapping
from typing import Any, Final

import hog
from catalog.problem import suggestion
from catalog.yaml_file import Steps
from destinations.fields import fitted
from destinations.filters.build import TRUE, all_of, exists, field, negated, unplaced
from destinations.filters.context import Project
from destinations.filters.elements import element_test
from destinations.filters.errors import OperandError
from destinations.filters.operators import NEEDS_NO_VALUE, OPERATORS, Subject, test
from destinations.filters.spec import PropertySpec
from destinations.kinds import kind_of
from destinations.names import IN_FILTER
from destinations.report import Report
from hog.nodes import Expr

TYPES: Final = ("event", "person", "group", "element", "event_metadata", "cohort", "hogql")
_ARRAYS: Final = frozenset({"$exception_types", "$exception_values", "$exception_sources", "$exception_functions"})
"""Event properties that are lists: a test holds where one of their items passes it."""
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    **{name: (name,) for name in ("event", "uuid", "timestamp", "distinct_id", "elements_chain")},
    **{f"$group_{index}": (f"$group_{index}",) for index in range(5)},
    "person_id": ("person", "id"),
}


class PropertyCompiler:
    """Compiles property filters of one file; what is wrong goes to its report."""

    def __init__(self, project: Project, report: Report) -> None:
        """`project` is what they refer to."""
        self._project = project
        self._report = report

    def all(self, written: list[Any], path: Steps, *, nested: bool = False) -> Expr:
        """All of a list; with `nested` a dot in an event property's key leads into an object."""
        return all_of([self.one(item, (*path, index), nested=nested) for index, item in enumerate(written)])

    def one(self, written: Any, path: Steps, *, nested: bool = False) -> Expr:
        """One filter. A mistake counts as "always holds": its file does not load anyway."""
        if not isinstance(written, dict):
            self._report.at(path, f"expected a mapping with key, operator, value and type, got {kind_of(written)}")
            return TRUE
        before = len(self._report.problems)
        spec = fitted(written, PropertySpec, path, self._report)
        if len(self._report.problems) > before or spec.key is None:
            return TRUE
        try:
            node = self._compiled(spec, str(spec.key), path, nested)
            hog.compile_node(node, names=IN_FILTER)
        except OperandError as error:
            self._report.at((*path, "value"), str(error))
        except hog.HogError as error:
            # Such as a bad regular expression, which is known when it is compiled.
            self._report.at((*path, "value"), error.message)
        else:
            return node
        return TRUE

    def _compiled(self, spec: PropertySpec, key: str, path: Steps, nested: bool) -> Expr:
        kind = "event" if spec.type is None else spec.type
        operator = "exact" if spec.operator is None else spec.operator
        if kind not in TYPES:
            self._report.at((*path, "type"), f"unknown type '{kind}'{suggestion(kind, TYPES)}")
            return TRUE
        if kind == "hogql":
            return self._expression(key, (*path, "key"))
        if kind == "cohort":
            return self._cohort(spec, operator, path)
        if operator not in OPERATORS:
            self._report.at((*path, "operator"), f"unknown operator '{operator}'{suggestion(operator, OPERATORS)}")
            return TRUE
        if spec.value is None and operator not in NEEDS_NO_VALUE:
            return TRUE
        if kind == "element":
            return element_test(key, operator, spec.value, path, self._report)
        return self._plain(spec, kind, key, operator, path, nested)

    def _plain(self, spec: PropertySpec, kind: str, key: str, operator: str, path: Steps, nested: bool) -> Expr:
        """A property or a column."""
        chain = self._chain(spec, kind, key, path, nested)
        if chain is None:
            return TRUE
        place = f"group_{spec.group_type_index}" if kind == "group" else kind
        boolean = (place, key) in self._project.booleans
        node = field(*chain)
        if kind == "event" and key in _ARRAYS and operator not in NEEDS_NO_VALUE:
            return exists(test(operator, self._subject(field("v")), spec.value), "v", node)
        return test(operator, self._subject(node, boolean), spec.value)

    def _subject(self, node: Expr, boolean: bool = False) -> Subject:
        return Subject(node, boolean, self._project.timezone, self._project.path_cleaning)

    def _chain(self, spec: PropertySpec, kind: str, key: str, path: Steps, nested: bool) -> tuple[str, ...] | None:
        """What is read; None where the filter says nothing, or is wrong."""
        if kind == "person":
            return ("pdi", "distinct_id") if key == "distinct_id" else ("person", "properties", key)
        if kind == "group":
            return self._group(spec, key, path)
        if kind == "event_metadata":
            if key not in _COLUMNS:
                self._report.at((*path, "key"), f"unknown column '{key}'{suggestion(key, sorted(_COLUMNS))}")
            return _COLUMNS.get(key)
        if key == "$elements_chain":
            return ("elements_chain",)
        return ("properties", *(key.split(".") if nested else [key]))

    def _group(self, spec: PropertySpec, key: str, path: Steps) -> tuple[str, ...] | None:
        index = spec.group_type_index
        if index is not None and not 0 <= index <= 4:
            self._report.at((*path, "group_type_index"), f"expected a number from 0 to 4, got {index}")
            return None
        return None if index is None else (f"group_{index}", "properties", key)

    def _expression(self, text: str, path: Steps) -> Expr:
        try:
            return unplaced(hog.expression(text, names=IN_FILTER).expression)
        except hog.HogError as error:
            self._report.of_hog(path, error)
            return TRUE

    def _cohort(self, spec: PropertySpec, operator: str, path: Steps) -> Expr:
        """The members of a cohort, by the properties that make somebody one."""
        if operator not in ("exact", "in", "not_in"):
            self._report.at((*path, "operator"), f"a cohort takes `in` or `not_in`, not `{operator}`")
            return TRUE
        if spec.value is None:
            return TRUE
        if isinstance(spec.value, bool) or not isinstance(spec.value, int | str):
            raise OperandError(f"expected the id of a cohort, got {kind_of(spec.value)}")
        id = str(spec.value)
        if id in self._project.refused_cohorts:
            raise OperandError(self._project.refused_cohorts[id])
        node = self._project.cohorts.get(id)
        if node is None:
            known = sorted(self._project.cohorts)
            raise OperandError(f"project.yaml has no cohort '{id}'{suggestion(id, known) if known else ''}")
        return negated(node) if spec.negation or operator == "not_in" else node

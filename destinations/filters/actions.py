"""Actions: names for what people do, each of some steps, of which one has to fit."""

from typing import Any, Final

import msgspec

import hog
from catalog.problem import suggestion
from catalog.yaml_file import Steps
from destinations.fields import fitted
from destinations.filters.build import FALSE, all_of, any_of, compare, constant, exists, field, is_not_null
from destinations.filters.elements import HREF, TEXTS, matches
from destinations.filters.errors import OperandError
from destinations.filters.properties import PropertyCompiler
from destinations.kinds import kind_of
from destinations.names import IN_FILTER
from destinations.report import Report
from hog.nodes import Expr

_MATCHINGS: Final = ("exact", "contains", "regex")
_URL: Final = field("properties", "$current_url")


class StepSpec(msgspec.Struct, frozen=True):
    """One step. All that it says has to hold; what is empty says nothing."""

    event: str | None = None
    """The event's name; absent is any."""
    url: str | None = None
    url_matching: str | None = None
    """Absent: `contains`."""
    selector: str | None = None
    tag_name: str | None = None
    text: str | None = None
    text_matching: str | None = None
    """Absent: `exact`."""
    href: str | None = None
    href_matching: str | None = None
    """Absent: `exact`."""
    properties: list[Any] = msgspec.field(default_factory=list[Any])
    id: Any = None
    """This and what follows is for PostHog's screens."""
    name: Any = None
    selector_regex: Any = None


class ActionCompiler:
    """Compiles the steps of actions; what is wrong goes to the report of their file."""

    def __init__(self, properties: PropertyCompiler, report: Report) -> None:
        """`properties` compiles those of the steps."""
        self._properties = properties
        self._report = report

    def steps(self, written: list[Any], path: Steps) -> Expr:
        """Whether one of the steps fits."""
        if not written:
            self._report.at_key(path, "an action needs at least one step")
        return any_of([self._step(item, (*path, index)) for index, item in enumerate(written)])

    def _step(self, written: Any, path: Steps) -> Expr:
        if not isinstance(written, dict):
            self._report.at(path, f"expected a mapping such as {{event: signed up}}, got {kind_of(written)}")
            return FALSE
        step = fitted(written, StepSpec, path, self._report)
        parts: list[Expr] = []
        if step.event:
            parts.append(compare(field("event"), "==", constant(step.event)))
        if step.url:
            # Of the three it is the only one that minds upper and lower case in `contains`.
            parts.append(self._text("url", _URL, step.url, step.url_matching or "contains", path, "like"))
        if step.href:
            parts.append(self._text("href", HREF, step.href, step.href_matching or "exact", path))
        if step.text:
            found = self._text("text", field("v"), step.text, step.text_matching or "exact", path)
            parts.append(exists(found, "v", TEXTS))
        for key in ("selector", "tag_name"):
            value = getattr(step, key)
            if value:
                parts.append(self._element(key, value, (*path, key)))
        parts.append(self._properties.all(step.properties, (*path, "properties")))
        return all_of(parts)

    def _text(self, key: str, subject: Expr, value: str, matching: str, path: Steps, like: str = "ilike") -> Expr:
        if matching not in _MATCHINGS:
            where = (*path, f"{key}_matching")
            self._report.at(where, f"unknown way of matching '{matching}'{suggestion(matching, _MATCHINGS)}")
            return FALSE
        if matching == "exact":
            return compare(subject, "==", constant(value))
        if matching == "contains":
            return all_of([is_not_null(subject), compare(subject, like, constant(f"%{value}%"))])
        node = compare(subject, "=~", constant(value))
        try:
            hog.compile_node(node)
        except hog.HogError as error:
            self._report.at((*path, key), error.message)
        return node

    def _element(self, key: str, value: str, path: Steps) -> Expr:
        try:
            node = matches(key, value)
            hog.compile_node(node, names=IN_FILTER)
        except OperandError as error:
            self._report.at(path, str(error))
        except hog.HogError as error:
            self._report.at(path, error.message)
        else:
            return node
        return FALSE

"""`events` and `actions`: one of them has to fit, with its own properties."""

from typing import Any, TypeVar

from catalog.problem import suggestion
from catalog.yaml_file import Steps
from destinations.fields import fitted
from destinations.filters.build import FALSE, all_of, any_of, compare, constant, field, one_of
from destinations.filters.context import Project
from destinations.filters.properties import PropertyCompiler
from destinations.filters.spec import ActionEntrySpec, EventEntrySpec
from destinations.kinds import kind_of
from destinations.report import Report
from hog.nodes import Expr

T = TypeVar("T", EventEntrySpec, ActionEntrySpec)
_NESTED_KEYS = "$activity_log_entry_created"
"""Of this event alone a dot in the key of a property leads into an object."""


def any_entry(events: list[Any], actions: list[Any], path: Steps, project: Project, report: Report) -> Expr:
    """Whether one of the entries fits. Events that are named and nothing more become one `in`."""
    properties = PropertyCompiler(project, report)
    names: list[str] = []
    others: list[Expr] = []
    for index, written in enumerate(events):
        where = (*path, "events", index)
        spec = _fitted(written, EventEntrySpec, "events", where, report)
        if spec is None:
            continue
        if spec.id is not None and not spec.properties:
            names.append(spec.id)
            continue
        named = [] if spec.id is None else [compare(field("event"), "==", constant(spec.id))]
        own = properties.all(spec.properties, (*where, "properties"), nested=spec.id == _NESTED_KEYS)
        others.append(all_of([*named, own]))
    for index, written in enumerate(actions):
        where = (*path, "actions", index)
        entry = _fitted(written, ActionEntrySpec, "actions", where, report)
        if entry is not None:
            own = properties.all(entry.properties, (*where, "properties"))
            others.append(all_of([_action(entry.id, (*where, "id"), project, report), own]))
    return any_of([*_named(names), *others])


def _named(names: list[str]) -> list[Expr]:
    if len(names) > 1:
        return [one_of(field("event"), names)]
    return [compare(field("event"), "==", constant(name)) for name in names]


def _action(id: int | str | None, path: Steps, project: Project, report: Report) -> Expr:
    if id is None:
        return FALSE
    action = project.actions.get(str(id))
    if action is None:
        if not project.broken:
            known = sorted(project.actions)
            report.at(path, f"project.yaml has no action '{id}'{suggestion(str(id), known) if known else ''}")
        return FALSE
    return action


def _fitted(written: Any, struct: type[T], type_: str, path: Steps, report: Report) -> T | None:
    if not isinstance(written, dict):
        report.at(path, f"expected a mapping with an id, got {kind_of(written)}")
        return None
    spec = fitted(written, struct, path, report)
    if spec.type not in (None, type_):
        report.at((*path, "type"), f"expected '{type_}', got '{spec.type}'")
    return spec

"""A destination file's own `inputs_schema`: `{key: {type, …}}`, or the list of `{key, type, …}` that PostHog has."""

from collections.abc import Mapping
from typing import Any

from catalog.problem import suggestion
from catalog.refused import REFUSED
from catalog.spec import Choice, InputSpec, InputType
from catalog.yaml_file import Steps
from destinations.fields import fitted
from destinations.kinds import kind_of
from destinations.report import Report

_TYPES = [kind.value for kind in InputType]
# What PostHog keeps for its own forms and integrations. It changes nothing about a value.
_NOT_OURS = frozenset(
    {
        "integration",
        "integration_field",
        "integration_key",
        "platform",
        "requiredScopes",
        "required_scopes",
        "requires_field",
        "searchable",
    }
)
TEMPLATINGS = (True, False, "hog", "liquid")


def compile_schema(
    written: list[Any] | dict[str, Any], report: Report, at: Steps = ("inputs_schema",)
) -> dict[str, InputSpec]:
    """The inputs by key; what is wrong goes to the report, and the input is then any JSON. `at` is where it stands."""
    schema: dict[str, InputSpec] = {}
    for key, item, path in _items(written, at, report):
        if key in schema:
            report.at(path, f"input '{key}' is there twice")
        schema[key] = _input(item, path, report)
    return schema


def _items(written: list[Any] | dict[str, Any], at: Steps, report: Report) -> list[tuple[str, dict[str, Any], Steps]]:
    listed = isinstance(written, list)
    items: list[tuple[str, dict[str, Any], Steps]] = []
    for step, item in enumerate(written) if isinstance(written, list) else written.items():
        path: Steps = (*at, step)
        if not isinstance(item, dict):
            report.at(path, f"expected a mapping, got {kind_of(item)}")
            continue
        key = item.get("key") if listed else step
        if isinstance(key, str) and key:
            fields = {name: value for name, value in item.items() if not (listed and name == "key")}
            items.append((key, fields, path))
        else:
            report.at(path, "an input of the list needs its name: `key: NAME`")
    return items


def _input(item: dict[str, Any], path: Steps, report: Report) -> InputSpec:
    placeholder = InputSpec(InputType.JSON)
    problem = _type_problem(item.get("type"))
    if problem is not None:
        report.at((*path, "type"), problem)
        return placeholder
    if item.get("templating") not in (None, *TEMPLATINGS):
        report.at((*path, "templating"), f"expected {templating_words()}")
        return placeholder
    fields = {key: value for key, value in item.items() if key not in _NOT_OURS}
    choices = _choices(fields.pop("choices", None), (*path, "choices"), report)
    try:
        return fitted({**fields, "choices": choices}, InputSpec, path, report)
    except ValueError as error:
        report.at(path, str(error))
        return placeholder


def templating_words() -> str:
    """The languages, as a person writes them."""
    names = [each if isinstance(each, str) else str(each).lower() for each in TEMPLATINGS]
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _type_problem(written: Any) -> str | None:
    if written is None:
        return f"key 'type' is missing: one of {', '.join(_TYPES)}"
    if written in _TYPES:
        return None
    if not isinstance(written, str):
        return f"expected text, got {kind_of(written)}"
    if written in REFUSED:
        return f"inputs of type '{written}' do not exist here: {REFUSED[written]}"
    return f"unknown type '{written}'{suggestion(written, _TYPES)}"


def _choices(written: Any, path: Steps, report: Report) -> list[Choice]:
    if written is None:
        return []
    if not isinstance(written, list):
        report.at(path, f"expected a list of {{value, label}}, got {kind_of(written)}")
        return []
    choices = []
    for index, item in enumerate(written):
        if isinstance(item, Mapping):
            choices.append(fitted(item, Choice, (*path, index), report))
        else:
            report.at((*path, index), f"expected a mapping of value and label, got {kind_of(item)}")
    return choices

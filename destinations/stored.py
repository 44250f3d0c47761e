"""A value under `inputs`, which is written as it is, or as PostHog stores it: `{value, templating, …}`."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from catalog.spec import NO_LIQUID_URL, InputSpec, InputType
from catalog.yaml_file import Steps
from destinations.report import Report
from destinations.schema import TEMPLATINGS, templating_words

# `bytecode` and `transpiled` are made of the value, `order` of what it needs: all three are found anew here.
_KEYS = frozenset({"value", "templating", "bytecode", "bytecode_contract", "order", "secret", "transpiled"})
_MAPPINGS = frozenset({InputType.DICTIONARY, InputType.JSON, InputType.EMAIL})
_KEPT_BACK = {"secret": True}


class Stored(NamedTuple):
    """What was written, where it stands, and the language of its texts."""

    value: Any
    path: Steps
    language: str | None
    """None where texts are taken as they stand."""


def stored(given: Any, path: Steps, spec: InputSpec, report: Report) -> Stored:
    """Take the value out of what PostHog keeps beside it."""
    if given == _KEPT_BACK and (spec.secret or spec.type not in _MAPPINGS):
        report.at(path, "this stands for a secret that PostHog keeps back; write '{secrets.NAME}'")
        return Stored(None, path, None)
    if not is_stored(given, spec.type):
        return Stored(given, path, _language(spec.templating))
    templating = given.get("templating")
    if templating not in (None, *TEMPLATINGS):
        report.at((*path, "templating"), f"expected {templating_words()}")
        templating = None
    if templating == "liquid" and spec.type is InputType.URL:
        report.at((*path, "templating"), NO_LIQUID_URL)
    inside = (*path, "value")
    if templating is None or spec.templating is False:
        return Stored(given["value"], inside, _language(spec.templating))
    return Stored(given["value"], inside, _language(templating))


def is_stored(given: Any, kind: InputType) -> bool:
    """Whether it is that form. Where a value may be a mapping itself, one with a `value` alone is that mapping."""
    if not isinstance(given, Mapping) or "value" not in given or not given.keys() <= _KEYS:
        return False
    return kind not in _MAPPINGS or bool(given.keys() & {"templating", "bytecode"})


def _language(templating: bool | str) -> str | None:
    if isinstance(templating, str):
        return templating
    return "hog" if templating else None

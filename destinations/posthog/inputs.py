"""The inputs of a function, or of one of its mappings, to those of a destination file, with their schema."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from catalog.refused import REFUSED
from catalog.spec import InputSpec, InputType
from destinations.posthog.findings import Findings
from destinations.posthog.integrations import integration_value
from destinations.posthog.reads import template_reads
from destinations.schema import TEMPLATINGS
from destinations.stored import is_stored
from destinations.typed import misfit
from destinations.values import Chain

# What PostHog compiles as templates. Texts of any other type it takes as they stand.
_TEMPLATED: Final = frozenset({"string", "boolean", "dictionary", "json", "email"})
_TYPES: Final = frozenset(kind.value for kind in InputType)
_LIQUID: Final = re.compile(r"\{\{|\{%")
_STATUSES: Final = "non_failure_status_codes"
_PARSED: Final = {"dictionary": "{}", "json": "{}", "email": "{}", "number": "0", "boolean": "false"}
"""Types of which a secret's text has to be read as JSON, each with a placeholder."""


class InputsConverter:
    """Converts the inputs of one place; what is found out goes to the findings."""

    def __init__(self, findings: Findings, reads: Collection[Chain], place: str = "") -> None:
        """`reads` is what the code and the templates read of globals; `place` is a mapping's name, if it is one."""
        self._findings = findings
        self._reads = reads
        self._place = place
        self._words = (place,) if place else ()
        self._of = f"input '{{}}' of mapping '{place}'" if place else "input '{}'"
        self.schema: dict[str, dict[str, Any]] = {}
        self.values: dict[str, Any] = {}
        self.success: list[int | str] = []
        """Statuses that are no failures, besides those of 2xx."""

    def convert(self, schema: Any, inputs: Any) -> None:
        """Fill `schema`, `values` and `success` from the API's `inputs_schema` and `inputs`."""
        if not isinstance(schema or [], list) or not isinstance(inputs or {}, Mapping):
            self._findings.refuse("its `inputs_schema` is not a list, or its `inputs` are not an object")
            return
        given: Mapping[str, Any] = inputs or {}
        items = {str(item["key"]): item for item in schema or [] if isinstance(item, Mapping) and item.get("key")}
        for key, item in items.items():
            self._input(key, item, given.get(key))
        for key in given.keys() - items.keys():
            # PostHog runs with what is stored, whatever the schema says.
            stored = given[key]
            kept_back = isinstance(stored, Mapping) and stored.get("secret") is True
            self._input(key, {"type": "string" if kept_back else "json"}, stored)
        for chain in template_reads(given):
            # To PostHog an input that does not exist is null.
            if chain[0] == "inputs" and len(chain) > 1 and not self._place:
                self.schema.setdefault(str(chain[1]), {"type": "json"})

    def _input(self, key: str, item: Mapping[str, Any], stored: Any) -> None:
        kind = str(item.get("type"))
        value = stored.get("value") if isinstance(stored, Mapping) else stored
        kept_back = isinstance(stored, Mapping) and stored.get("secret") is True and "value" not in stored
        if kind == _STATUSES:
            self._statuses(key, value)
        elif kind == "integration":
            self._integration(key, item, value)
        elif kind == "integration_field":
            self._plain(key, {**item, "type": "string", "templating": False}, stored, kept_back)
        elif kind not in _TYPES:
            why = f": {REFUSED[kind]}" if kind in REFUSED else ""
            # What nobody has filled in, and nothing reads, is of no use to the function either.
            if value not in (None, "", [], {}) or ("inputs", key) in {chain[:2] for chain in self._reads}:
                self._findings.refuse(f"its {self._of.format(key)} is of type '{kind}', which does not exist here{why}")
        else:
            self._plain(key, item, stored, kept_back)

    def _plain(self, key: str, item: Mapping[str, Any], stored: Any, kept_back: bool) -> None:
        value = stored.get("value") if isinstance(stored, Mapping) else stored
        secret = kept_back or (bool(item.get("secret")) and value not in (None, "", {}))
        spec = _schema_item(item, has_value=secret or value is not None)
        if secret:
            spec["secret"] = True
            spec.pop("default", None)
            value = self._secret(key, str(item["type"]), value)
        elif spec.get("required") and value in (None, ""):
            self._findings.differs(f"{self._of.format(key)} is required and has no value: written as not required")
            del spec["required"]
        elif value is not None:
            value = self._fitting(key, spec, value)
        self.schema[key] = spec
        if value is not None:
            templating = stored.get("templating") if isinstance(stored, Mapping) else None
            language = "hog" if secret else _language(item, templating, value)
            self.values[key] = _written(value, spec, language)

    def _secret(self, key: str, kind: str, value: Any) -> Any:
        """A reference to a secret. A value that stands in the answer is not taken over, unless it is a reference."""
        if isinstance(value, str) and value.startswith("{secrets.") and value.endswith("}"):
            return value
        if kind not in _PARSED:
            return f"{{secrets.{self._findings.secret(*self._words, key)}}}"
        name = self._findings.secret(*self._words, key, placeholder=_PARSED[kind])
        self._findings.differs(f"{self._of.format(key)} is a {kind}: its secret {name} has to be JSON")
        return f"{{jsonParse(secrets.{name})}}"

    def _fitting(self, key: str, spec: dict[str, Any], value: Any) -> Any:
        """PostHog looks at a value once, when it is saved, and not at whether it is among the choices."""
        kind = InputType(spec["type"])
        if kind is InputType.CHOICE:
            choices = [choice["value"] for choice in spec.get("choices", ())]
            if value in choices or value == "":
                return value
            what = "not among its choices"
        else:
            problem = misfit(value, InputSpec(kind))
            if problem is None:
                return value
            what = f"of another type ({problem})"
        self._findings.differs(f"the value of {self._of.format(key)} is {what}: the input is written as json")
        spec["type"] = "json"
        spec.pop("choices", None)
        return value

    def _statuses(self, key: str, value: Any) -> None:
        items = value if isinstance(value, list) else [] if value is None else [value]
        if all(isinstance(item, int | str) for item in items):
            self.success += [int(item) if str(item).isdigit() else item for item in items]
        else:
            self._findings.refuse(f"its {self._of.format(key)} has to be a list of statuses")

    def _integration(self, key: str, item: Mapping[str, Any], value: Any) -> None:
        made = integration_value(key, self._reads, lambda *words: self._findings.secret(*self._words, *words))
        if made is None:
            self._findings.refuse(f"it reads the integration '{key}' as a whole: what is in it is not known here")
        elif made:
            names = ", ".join(sorted(_references(made)))
            kind = item.get("integration") or "the vendor"
            what = f"was an integration with {kind}: give what it had as {names}"
            self._findings.differs(f"{self._of.format(key)} {what}")
            self.schema[key] = {"type": "json", "secret": True} | _texts(item)
            self.values[key] = made
        elif value is not None:
            self._findings.differs(f"{self._of.format(key)} was an integration that nothing reads: left out")


def _references(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _references(each)
    else:
        yield value.removeprefix("{secrets.").removesuffix("}")


def _texts(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item[key] for key in ("label", "description") if item.get(key)}


def _schema_item(item: Mapping[str, Any], *, has_value: bool) -> dict[str, Any]:
    """Without what says nothing. PostHog's default fills in a form; here it would be the value where there is none."""
    spec: dict[str, Any] = {"type": item["type"], **_texts(item)}
    spec |= {key: True for key in ("required", "secret", "hidden") if item.get(key)}
    if has_value and item.get("default") is not None:
        spec["default"] = item["default"]
    if item["type"] == "choice":
        spec["choices"] = [_choice(choice) for choice in _choices(item) if _has_value(choice)]
        if not spec["choices"]:
            spec["type"] = "string"
            del spec["choices"]
    if item.get("templating") in TEMPLATINGS and item["templating"] not in (True, "hog", None):
        spec["templating"] = item["templating"]
    return spec


def _choices(item: Mapping[str, Any]) -> list[Any]:
    choices = item.get("choices")
    return choices if isinstance(choices, list) else []


def _has_value(choice: Any) -> bool:
    return isinstance(choice, Mapping) and isinstance(choice.get("value"), str | int | float)


def _choice(choice: Mapping[str, Any]) -> dict[str, Any]:
    label = choice.get("label")
    return {"value": choice["value"]} | ({"label": label} if label and label != choice["value"] else {})


def _language(item: Mapping[str, Any], templating: Any, value: Any) -> str | bool:
    """In which language PostHog reads the texts of a value; false where it takes them as they stand."""
    if templating == "liquid":
        return "liquid"
    if templating is False or item.get("templating") is False or item.get("type") not in _TEMPLATED:
        return False
    # Liquid in the schema is what the form begins with. The value says it as well, but for some that are old.
    old = templating is None and item.get("templating") == "liquid" and _LIQUID.search(str(value))
    return "liquid" if old else "hog"


def _written(value: Any, spec: dict[str, Any], language: str | bool) -> Any:
    """The value as a reader would write it; in PostHog's form where that would not mean the same."""
    if language and spec.get("templating") is False:
        # To the loader no value can say otherwise than such a schema.
        del spec["templating"]
    of_schema = spec.get("templating", "hog")
    same = language == of_schema or (language is False and not _has_template(value))
    if same and not is_stored(value, InputType(spec["type"])):
        return value
    return {"value": value, "templating": language}


def _has_template(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_template, value.values()))
    if isinstance(value, list):
        return any(map(_has_template, value))
    return isinstance(value, str) and ("{" in value or "\\" in value)

"""The filters object of a function to that of a destination file: the same keys, without what says nothing."""

from collections.abc import Mapping
from typing import Any, Final

from destinations.filters.dates import OPERATORS as DATE_OPERATORS
from destinations.filters.dates import is_relative
from destinations.filters.operators import NEEDS_NO_VALUE
from destinations.kinds import kind_of
from destinations.posthog.findings import Findings

_SOURCES: Final = {
    None: None,
    "": None,
    "events": None,
    "person-updates": "person-updates",
}
# Compiled forms, which are made anew here.
_COMPILED: Final = frozenset({"bytecode", "bytecode_error", "bytecode_contract", "transpiled"})
_KNOWN: Final = frozenset({"source", "events", "actions", "properties", "filter_test_accounts", "when"}) | _COMPILED
_OF_PROPERTY: Final = ("key", "value", "operator", "type", "group_type_index", "negation")
# Of an entry and of a property filter: for PostHog's screens, or made for its own use.
_FOR_SCREENS: Final = frozenset(
    {"name", "custom_name", "order", "uuid", "index", "kind", "math", "label", "cohort_name", "group_key_names"}
    | {"bytecode", "bytecode_contract", "conditionHash"}
)


def converted_filters(written: Any, findings: Findings) -> dict[str, Any]:
    """The filters; what differs, what project.yaml has to have and what cannot be goes to the findings."""
    if written is None:
        return {}
    if not isinstance(written, Mapping):
        findings.refuse(f"its filters are {kind_of(written)}, not an object")
        return {}
    if written.get("bytecode_error"):
        findings.differs(f"PostHog could not compile its filters ({written['bytecode_error']}), so it never ran there")
    for key in written.keys() - _KNOWN:
        if written[key]:
            findings.differs(f"`{key}` of its filters is not known here and left out")
    filters: dict[str, Any] = {"when": written.get("when")}
    source = written.get("source")
    if not isinstance(source, str | None) or source not in _SOURCES:
        findings.refuse(f"it is triggered by '{source}', and only 'events' and 'person-updates' are known here")
    else:
        filters["source"] = _SOURCES[source]
    filters["events"] = [_event(entry, findings) for entry in _entries(written, "events", findings)]
    filters["actions"] = [_action(entry, findings) for entry in _entries(written, "actions", findings)]
    filters["properties"] = _properties(written.get("properties"), findings)
    if written.get("filter_test_accounts"):
        filters["filter_test_accounts"] = True
        findings.needs.test_accounts = True
    return {key: value for key, value in filters.items() if value not in (None, [])}


def note_needs(values: Mapping[str, Any], findings: Findings) -> None:
    """What the filters of a destination file, and of its mappings, need in project.yaml."""
    for each in (values, *(values.get("mappings") or ())):
        found = Findings("")
        converted_filters(each.get("filters"), found)
        findings.needs.actions |= found.needs.actions
        findings.needs.cohorts |= found.needs.cohorts
        findings.needs.test_accounts |= found.needs.test_accounts


def _entries(written: Mapping[str, Any], key: str, findings: Findings) -> list[Mapping[str, Any]]:
    entries = written.get(key) or []
    if isinstance(entries, list) and all(isinstance(entry, Mapping) for entry in entries):
        return entries
    findings.refuse(f"`{key}` of its filters is not a list of objects")
    return []


def _event(entry: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    return _entry(entry, entry.get("id"), findings)


def _action(entry: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    id = entry.get("id")
    if id is not None:
        findings.needs.actions[str(id)] = str(entry.get("name") or "")
    return _entry(entry, id, findings)


def _entry(entry: Mapping[str, Any], id: Any, findings: Findings) -> dict[str, Any]:
    for key in entry.keys() - _FOR_SCREENS - {"id", "type", "properties"}:
        if entry[key] is not None:
            findings.differs(f"`{key}` of an event in its filters is not known here and left out")
    properties = _properties(entry.get("properties"), findings)
    return {"id": id} | ({"properties": properties} if properties else {})


def _properties(written: Any, findings: Findings) -> list[dict[str, Any]]:
    """All of which have to hold. A group of them that is joined by AND says the same as its members."""
    if not written:
        return []
    if isinstance(written, Mapping) and "values" in written:
        if written.get("type") == "OR" and len(written["values"]) > 1:
            findings.refuse("its property filters are a group joined by OR; `filters: {when: …}` can say that")
        return _properties(written["values"], findings)
    if isinstance(written, Mapping):
        return [_property(written, findings)]
    if not isinstance(written, list):
        findings.refuse(f"its property filters are {kind_of(written)}, not a list")
        return []
    return [one for item in written for one in ([] if item == {} else _one(item, findings))]


def _one(item: Any, findings: Findings) -> list[dict[str, Any]]:
    if not isinstance(item, Mapping):
        findings.refuse(f"a property filter is {kind_of(item)}, not an object")
        return []
    return _properties(item, findings)


def _property(written: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    for key in written.keys() - _FOR_SCREENS - set(_OF_PROPERTY):
        if written[key] is not None:
            findings.differs(f"`{key}` of a property filter is not known here and left out")
    kept = {key: written[key] for key in _OF_PROPERTY if written.get(key) is not None}
    if kept.get("type") == "event":
        del kept["type"]
    if kept.get("operator") == "exact":
        del kept["operator"]
    if str(kept.get("operator")) in NEEDS_NO_VALUE:
        kept.pop("value", None)
    if kept.get("negation") is False:
        del kept["negation"]
    if kept.get("type") == "cohort" and isinstance(kept.get("value"), list) and len(kept["value"]) == 1:
        kept["value"] = kept["value"][0]
    if kept.get("type") == "cohort" and "value" in kept:
        findings.needs.cohorts[str(kept["value"])] = str(written.get("cohort_name") or "")
    _note_meaning(kept, findings)
    return kept


def _note_meaning(kept: Mapping[str, Any], findings: Findings) -> None:
    """What the same filter means there and not here, see "What is not as in PostHog" in docs/destinations.md."""
    operator, value = str(kept.get("operator", "exact")), kept.get("value")
    about = f"`{kept.get('key')}` {operator}"
    if operator in DATE_OPERATORS and isinstance(value, str) and is_relative(value):
        findings.differs(f"{about} {value}: reckoned when an event is processed; PostHog did when it was saved")
    if operator in ("icontains", "not_icontains") and isinstance(value, str) and value and value.lower() in "null":
        findings.differs(f"{about} '{value}': an absent property contains nothing; PostHog reads it as the text 'null'")
    if operator in ("semver_lt", "semver_lte"):
        findings.differs(f"{about}: an absent property is no version; PostHog takes it as older than any")

"""The mappings of a function to those of a destination file."""

from collections.abc import Collection, Mapping
from typing import Any

from destinations.posthog.filters import converted_filters
from destinations.posthog.findings import Findings
from destinations.posthog.inputs import InputsConverter
from destinations.posthog.names import numbered
from destinations.values import Chain


def converted_mappings(written: Any, findings: Findings, reads: Collection[Chain]) -> list[dict[str, Any]]:
    """The mappings, each with a name of its own; without any, an empty list."""
    if not isinstance(written or [], list) or not all(isinstance(each, Mapping) for each in written or []):
        findings.refuse("its mappings are not a list of objects")
        return []
    mappings: list[dict[str, Any]] = []
    names: set[str] = set()
    for each in written or []:
        filters = converted_filters(each.get("filters"), findings)
        name = numbered(str(each.get("name") or "").strip() or _name_of(filters), " ", names)
        names.add(name)
        inputs = InputsConverter(findings, reads, name)
        inputs.convert(each.get("inputs_schema"), each.get("inputs"))
        if inputs.success:
            findings.refuse(f"its mapping '{name}' has statuses of its own that are no failures: here they are for all")
        mapping = {
            "name": name,
            "enabled": False if each.get("disabled") else None,
            "filters": filters,
            "inputs_schema": inputs.schema,
            "inputs": inputs.values,
        }
        mappings.append({key: value for key, value in mapping.items() if value not in (None, {})})
    return mappings


def _name_of(filters: Mapping[str, Any]) -> str:
    """Of the events that it takes."""
    ids = [entry["id"] for entry in filters.get("events", ()) if entry["id"] is not None]
    ids += [f"action {entry['id']}" for entry in filters.get("actions", ())]
    return ", ".join(map(str, ids)) or "every event"

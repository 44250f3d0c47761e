"""A destination file in the shape of PostHog's function objects, and back, without loss.

What PostHog has no key for stands under `offramp`, which also tells that the object was made here: it is then taken
back as it is, not converted.
"""

from collections.abc import Mapping
from typing import Any, Final

from catalog.loading import Catalog

_OWN: Final = "offramp"
_SHARED: Final = ("name", "enabled", "filters", "inputs_schema", "inputs", "mappings", "masking", "code")


def exported(values: Mapping[str, Any], comment: str, catalog: Catalog) -> dict[str, Any]:
    """The object. `values` are those of the file, `comment` is what stands above them."""
    origin, description = _origin(comment)
    template = catalog.get(str(values.get("template") or ("" if "code" in values else "webhook")))
    shown: dict[str, Any] = {
        "id": origin,
        "type": "destination",
        "name": values.get("name", values["id"]),
        "description": description,
        "enabled": values.get("enabled", True),
        "deleted": False,
        "template_id": next(iter(template.spec.posthog_ids), None) if template is not None else None,
        "hog": values.get("code"),
        "filters": values.get("filters"),
        "inputs_schema": _listed(values.get("inputs_schema")),
        "inputs": _wrapped(values.get("inputs")),
        "mappings": _mappings(values.get("mappings"), _mapping_out),
        "masking": _masking_out(values.get("masking")),
    }
    own = {key: value for key, value in values.items() if key not in _SHARED}
    # A file that says what is so without it says it again when it comes back.
    own["given"] = [key for key in _SHARED if key in values]
    return {**shown, _OWN: own}


def is_exported(function: Mapping[str, Any]) -> bool:
    """Whether it was made by `exported`."""
    own = function.get(_OWN)
    return isinstance(own, Mapping) and isinstance(own.get("id"), str) and isinstance(own.get("given"), list)


def restored(function: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the file that an object was made of."""
    own = function[_OWN]
    shown = {
        "name": function.get("name"),
        "enabled": function.get("enabled"),
        "filters": function.get("filters"),
        "inputs_schema": _by_key(function.get("inputs_schema")),
        "inputs": _unwrapped(function.get("inputs")),
        "mappings": _mappings(function.get("mappings"), _mapping_in),
        "masking": _masking_in(function.get("masking")),
        "code": function.get("hog"),
    }
    values = {key: value for key, value in own.items() if key != "given"}
    return values | {key: shown[key] for key in own["given"] if key in shown}


def _origin(comment: str) -> tuple[str | None, str]:
    """The function's id in PostHog, which an import leaves in the file, and the rest of the comment."""
    first, _, rest = comment.partition("\n")
    if first.startswith("PostHog: "):
        return first.removeprefix("PostHog: "), rest
    return None, comment


def _listed(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    return [{"key": key, **item} if isinstance(item, Mapping) else {"key": key} for key, item in schema.items()]


def _by_key(schema: Any) -> Any:
    if not isinstance(schema, list):
        return schema
    return {item["key"]: {name: value for name, value in item.items() if name != "key"} for item in schema}


def _wrapped(inputs: Any) -> Any:
    if not isinstance(inputs, Mapping):
        return inputs
    return {key: value if _is_wrapped(value) else {"value": value} for key, value in inputs.items()}


def _unwrapped(inputs: Any) -> Any:
    if not isinstance(inputs, Mapping):
        return inputs
    return {key: value["value"] if value.keys() == {"value"} else value for key, value in inputs.items()}


def _is_wrapped(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == {"value", "templating"}


def _mappings(mappings: Any, convert: Any) -> Any:
    return [convert(each) for each in mappings] if isinstance(mappings, list) else mappings


def _mapping_out(mapping: Mapping[str, Any]) -> dict[str, Any]:
    shown = {**mapping, "disabled": mapping.get("enabled") is False}
    shown.pop("enabled", None)
    return _with(shown, inputs=_wrapped, inputs_schema=_listed)


def _mapping_in(mapping: Mapping[str, Any]) -> dict[str, Any]:
    values = {key: value for key, value in mapping.items() if key != "disabled"}
    if mapping.get("disabled"):
        values = {"name": values.pop("name", None), "enabled": False, **values}
    return _with(values, inputs=_unwrapped, inputs_schema=_by_key)


def _with(values: dict[str, Any], **conversions: Any) -> dict[str, Any]:
    return values | {key: convert(values[key]) for key, convert in conversions.items() if key in values}


def _masking_out(masking: Any) -> Any:
    if not isinstance(masking, Mapping):
        return masking
    return {{"ttl_s": "ttl"}.get(key, key): value for key, value in masking.items()}


def _masking_in(masking: Any) -> Any:
    if not isinstance(masking, Mapping):
        return masking
    return {{"ttl": "ttl_s"}.get(key, key): value for key, value in masking.items()}

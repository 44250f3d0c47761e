"""A vendor's published description of its API, cut to what a template calls, and what it has against a request.

A description is `openapi/SLUG.json`: its `origin` with the month in which it was read, the `servers`, and of each path
and method the parameters and the bodies as JSON Schema 2020-12. It comes from OpenAPI, or what `form` says, with
`nullable` and boolean `exclusiveMinimum` written as JSON Schema has them, without sentences and without what is only
read. Where a schema lists names and says nothing of others, others are refused too (`unevaluatedProperties`): OpenAPI
would let a misspelt name pass. Where the vendor's own pages say otherwise, `exceptions` tells what was changed and why.
"""

import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import jsonschema

from hog import json_text
from records import Request

FOLDER: Final = Path(__file__).parent / "openapi"
SLUGS: Final = sorted(file.stem for file in FOLDER.glob("*.json"))

_FORMATS: Final = jsonschema.FormatChecker(formats=["date", "uuid"])


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@cache
def described(slug: str) -> dict[str, Any]:
    """The description of that template's API."""
    read: dict[str, Any] = json.loads((FOLDER / f"{slug}.json").read_text("utf-8"))
    return read


def faults_of(slug: str, request: Request) -> list[str]:
    """What the description has against it; empty where it takes it."""
    description = described(slug)
    parts = urlsplit(request.url)
    address = f"{parts.scheme}://{parts.netloc}{parts.path}"
    methods = _methods(description, address)
    if methods is None:
        return [f"no path is like {address}"]
    operation = methods.get(request.method.lower())
    if operation is None:
        return [f"{request.method} is not among the methods of {address}: {', '.join(methods)}"]
    query = parse_qsl(parts.query, keep_blank_values=True)
    headers = {name.lower(): value for name, value in request.headers.items()}
    parameters = operation["parameters"]
    return [
        *_parameters("query", [each for each in parameters if each["in"] == "query"], query, description),
        *_parameters("header", [each for each in parameters if each["in"] == "header"], headers.items(), description),
        *_body(operation, headers.get("content-type", ""), request.body, description),
    ]


def _methods(description: dict[str, Any], address: str) -> dict[str, Any] | None:
    """Of the path that fits best: one that is written out goes before one with a parameter in its place."""
    fitting = [
        path
        for path in description["paths"]
        if any(re.fullmatch(_pattern(server + path), address) for server in description["servers"])
    ]
    return description["paths"][min(fitting, key=lambda path: path.count("{"))] if fitting else None


def _pattern(address: str) -> str:
    """A parameter is one step of the path; `{name+}` is the rest of it."""
    parts = re.split(r"(\{[^}]*\})", address)
    return "".join(
        ("[^?]+" if part.endswith("+}") else "[^/?]+") if part.startswith("{") else re.escape(part) for part in parts
    )


def _parameters(kind: str, known: list[Any], given: Any, description: dict[str, Any]) -> list[str]:
    """Headers that are not described are let through; queries are not."""
    names = {each["name"].lower() if kind == "header" else each["name"]: each for each in known}
    found = {unquote(name) for name, _ in given}
    faults = [
        f"the {kind} {name!r} is missing" for name, each in names.items() if each["required"] and name not in found
    ]
    for name, value in given:
        if name in names:
            schema = names[name]["schema"]
            faults += [
                f"the {kind} {name!r}: {fault}" for fault in _invalid(schema, _typed(schema, value), description)
            ]
        elif kind == "query":
            faults.append(f"the query {name!r} is not among {', '.join(names)}")
    return faults


def _typed(schema: dict[str, Any], value: str) -> Any:
    """A text of a query as the type that is asked for, where it can be read as one."""
    if schema.get("type") in ("integer", "number", "boolean"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value.split(",") if schema.get("type") == "array" else value


def _body(operation: dict[str, Any], content_type: str, body: bytes, description: dict[str, Any]) -> list[str]:
    kinds = operation.get("body", {})
    if not body:
        return ["the body is missing"] if operation.get("body_required") else []
    kind = content_type.split(";")[0].strip()
    schema = kinds.get(kind, kinds.get("*/*"))
    if schema is None:
        return [f"a body of type {kind!r} is not among {', '.join(kinds) or 'none'}"]
    return [f"the body: {fault}" for fault in _invalid(schema, _value(kind, body), description)] if schema else []


def _value(kind: str, body: bytes) -> Any:
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    return json_text.loads(body) if re.search(r"\bjson\b", kind) else body.decode()


def _invalid(schema: Any, value: Any, description: dict[str, Any]) -> list[str]:
    whole = {"$defs": description.get("$defs", {}), "allOf": [schema]}
    validator = jsonschema.Draft202012Validator(whole, format_checker=_FORMATS)
    return [f"{fault.json_path}: {fault.message[:300]}" for fault in validator.iter_errors(value)]

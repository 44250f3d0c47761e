"""Fits the values of a mapping to a Struct and reports everything that does not fit, not only the first."""

import re
from collections.abc import Mapping
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from catalog.problem import suggestion
from catalog.yaml_file import Steps
from destinations.kinds import kind_of
from destinations.report import Report

T = TypeVar("T", bound=msgspec.Struct)

_WORDS = {"str": "text", "bool": "true or false", "int": "a whole number", "float": "a number", "object": "a mapping"}
_WORDS |= {"array": "a list"}
_EXPECTED = re.compile(r"Expected `([^`]+)`(?P<length> of length)?(?: (?P<bound>[<>]=?) (?P<limit>[\d.]+))?")
_BOUNDS = {">": "above", ">=": "of at least", "<": "below", "<=": "of at most"}


def fitted(values: Mapping[str, Any], struct: type[T], path: Steps, report: Report) -> T:
    """The Struct; a field that does not fit has its default, or an empty text where it has none."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for key in values:
        if key not in fields:
            report.at_key((*path, key), f"unknown key '{key}'{suggestion(key, list(fields))}")
    fitting: dict[str, Any] = {}
    for key, field in fields.items():
        value = values.get(key)
        if value is not None:
            _fit(value, field, (*path, key), fitting, report)
        elif field.required:
            report.at_key((*path, key), f"key '{key}' is missing")
        if field.required:
            fitting.setdefault(field.name, "")
    return struct(**fitting)


def _fit(value: Any, field: msgspec.structs.FieldInfo, path: Steps, fitting: dict[str, Any], report: Report) -> None:
    struct = _struct_of(field.type)
    if struct is not None and isinstance(value, dict):
        fitting[field.name] = fitted(value, struct, path, report)
        return
    try:
        fitting[field.name] = msgspec.convert(value, field.type)
    except msgspec.ValidationError as error:
        report.at(path, _message(error, value))


def _struct_of(type_: Any) -> type[msgspec.Struct] | None:
    """The struct that a field takes, also where it may be null."""
    kinds = get_args(type_) if get_origin(type_) in (Union, UnionType) else (type_,)
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)), None)


def _message(error: msgspec.ValidationError, value: Any) -> str:
    found = _EXPECTED.match(str(error))
    expected = next((word for word in found[1].split(" | ") if word != "null"), "") if found else ""
    if found is None or not expected:
        return str(error)
    what = _WORDS.get(expected, expected)
    if found["bound"] is None:
        return f"expected {what}, got {kind_of(value)}"
    items = (" item" if found["limit"] == "1" else " items") if found["length"] else ""
    return f"expected {what} {_BOUNDS[found['bound']]} {found['limit'].removesuffix('.0')}{items}"

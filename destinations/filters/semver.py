"""Versions. `1.2.3-rc` is read as the numbers 1, 2, 3, which order as versions do; a suffix does not count."""

import re
from collections.abc import Callable
from typing import Any, Final

from destinations.filters.build import all_of, call, compare, constant, is_not_null, negated
from destinations.filters.errors import OperandError
from hog import nodes
from hog.nodes import Expr

Version = tuple[int, ...]

_VERSION: Final = re.compile(r"\d{1,9}(\.\d{1,9})+", re.ASCII)
_FILLED: Final = re.compile(r"\s*v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:[-+.].*)?", re.ASCII)
_WILD: Final = re.compile(r"\s*v?(\d{1,9}(?:\.\d{1,9}){0,2})(?:\.\*)?\s*", re.ASCII)
_COMPARISONS: Final = {"semver_eq": "==", "semver_gt": ">", "semver_gte": ">=", "semver_lt": "<", "semver_lte": "<="}


def compare_versions(operator: str, subject: Expr, value: Any) -> Expr:
    """The test of one `semver_…` operator. What has no version in it passes `semver_neq` alone."""
    if not isinstance(value, str):
        raise OperandError("a version is a text such as '1.2.3'; put quotes around it")
    if operator in _COMPARISONS:
        return _both(subject, [(_COMPARISONS[operator], _version_in(value))])
    if operator == "semver_neq":
        return negated(_both(subject, [("==", _version_in(value))]))
    low, high = _RANGES[operator](value)
    return _both(subject, [(">=", low), ("<", high)])


def _both(subject: Expr, bounds: list[tuple[str, Version]]) -> Expr:
    version = call("sortableSemver", subject)
    there = [is_not_null(subject), compare(call("length", version), ">", constant(0))]
    return all_of([*there, *(compare(version, op, _array(bound)) for op, bound in bounds)])


def _array(version: Version) -> Expr:
    return nodes.Array(exprs=[constant(part) for part in version])


def _version_in(value: str) -> Version:
    found = _VERSION.search(value)
    if found is None:
        raise OperandError(f"there is no version in '{value}'; write it as '1.2' or '1.2.3'")
    return tuple(map(int, found[0].split(".")))


def tilde(value: str) -> tuple[Version, Version]:
    """`~1.2.3` is [1.2.3, 1.3.0), `~1` is [1.0.0, 2.0.0)."""
    parts = _filled(value)
    low = _three(parts)
    return low, (low[0] + 1, 0, 0) if len(parts) == 1 else (low[0], low[1] + 1, 0)


def caret(value: str) -> tuple[Version, Version]:
    """`^1.2.3` is [1.2.3, 2.0.0), `^0.2.3` is [0.2.3, 0.3.0), `^0.0.3` is [0.0.3, 0.0.4)."""
    major, minor, patch = low = _three(_filled(value))
    if major:
        return low, (major + 1, 0, 0)
    return low, (0, minor + 1, 0) if minor else (0, 0, patch + 1)


def wildcard(value: str) -> tuple[Version, Version]:
    """`1.2.*` is [1.2.0, 1.3.0), `1.*` is [1.0.0, 2.0.0)."""
    found = _WILD.fullmatch(value)
    if found is None:
        raise OperandError(f"'{value}' is not a version with a wildcard; write it as '1.2.*'")
    parts = tuple(map(int, found[1].split(".")))
    low, high = (*parts, 0), (*parts[:-1], parts[-1] + 1, 0)
    return (*low, *(0,) * (3 - len(low))), (*high, *(0,) * (3 - len(high)))


_RANGES: Final[dict[str, Callable[[str], tuple[Version, Version]]]] = {
    "semver_tilde": tilde,
    "semver_caret": caret,
    "semver_wildcard": wildcard,
}


OPERATORS: Final = (*_COMPARISONS, "semver_neq", *_RANGES)


def _filled(value: str) -> Version:
    found = _FILLED.fullmatch(value)
    if found is None:
        raise OperandError(f"'{value}' is not a version; write it as '1.2.3'")
    return tuple(int(part) for part in found.groups() if part is not None)


def _three(parts: Version) -> tuple[int, int, int]:
    major, minor, patch = (*parts, 0, 0)[:3]
    return major, minor, patch

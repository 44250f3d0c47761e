"""The operators of property filters, each compiled for one subject: a property, a column, an item of an array.

How several values, none and null are taken is PostHog's, also where it surprises.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import hog
from destinations.filters import dates, semver
from destinations.filters.build import (
    TRUE,
    all_of,
    any_of,
    call,
    compare,
    constant,
    is_not_null,
    is_null,
    negated,
    one_of,
)
from destinations.filters.errors import OperandError
from destinations.filters.paths import cleaned, cleaned_text
from destinations.kinds import kind_of
from hog import nodes
from hog.nodes import Expr
from hog.runtime.arithmetic import text_number

Scalar = bool | int | float | str
NEEDS_NO_VALUE: Final = frozenset({"is_set", "is_not_set"})
NEGATIVE: Final = frozenset({"is_not", "not_icontains", "not_regex"})
"""Of several values all have to hold; of any other operator's, one."""
_RANGES: Final = frozenset({"between", "not_between"})
_MEMBERSHIP: Final = {"exact": "in", "in": "in", "is_not": "not in", "not_in": "not in"}
_ORDERINGS: Final = {"gt": ">", "lt": "<", "gte": ">=", "min": ">=", "lte": "<=", "max": "<="}


@dataclass(frozen=True)
class Subject:
    """What a filter looks at, and what is known of it."""

    node: Expr
    boolean: bool = False
    """Whether it is a property that the project says is Boolean."""
    timezone: str = "UTC"
    path_cleaning: Sequence[tuple[str, str]] = ()


def test(operator: str, subject: Subject, value: Any) -> Expr:
    """Whether the subject passes; raises OperandError for a value that the operator does not take."""
    if operator == "is_set":
        return is_not_null(subject.node)
    if operator == "is_not_set":
        return is_null(subject.node)
    if operator in _RANGES:
        return _between(subject, value, outside=operator == "not_between")
    if operator in ("in", "not_in") and not isinstance(value, list):
        raise OperandError(f"`{operator}` needs a list, got {kind_of(value)}")
    if not isinstance(value, list):
        return _single(operator, subject, _scalar(value))
    values = [_scalar(item) for item in value]
    if not values:
        return TRUE
    if operator.endswith("icontains_multi") or (len(values) > 1 and operator.endswith("icontains")):
        return _contains_any(operator, subject, values)
    if operator in ("in", "not_in") or (len(values) > 1 and operator in _MEMBERSHIP):
        return one_of(subject.node, [_typed(item, subject) for item in values], _MEMBERSHIP[operator])
    return joined(operator, [_single(operator, subject, item) for item in values])


def joined(operator: str, tests: Sequence[Expr]) -> Expr:
    """The tests of several values as one."""
    return all_of(tests) if operator in NEGATIVE else any_of(tests)


def _single(operator: str, subject: Subject, value: Scalar) -> Expr:
    return _SINGLE[operator](operator, subject, value)


def _equals(operator: str, subject: Subject, value: Scalar) -> Expr:
    if isinstance(value, bool) and not subject.boolean:
        value = "true" if value else "false"
    return compare(subject.node, "==" if operator == "exact" else "!=", constant(_typed(value, subject)))


def _typed(value: Scalar, subject: Subject) -> Scalar:
    """The texts `true` and `false` are booleans only where the property is one."""
    return value == "true" if subject.boolean and value in ("true", "false") else value


def _contains(operator: str, subject: Subject, value: Scalar) -> Expr:
    if operator.endswith("_multi"):
        return _contains_any(operator, subject, [value])
    found = compare(call("toString", subject.node), "ilike", constant(f"%{hog.to_text(value)}%"))
    return _positive_or_not(operator, subject, found)


def _contains_any(operator: str, subject: Subject, values: Sequence[Scalar]) -> Expr:
    parts = nodes.Array(exprs=[constant(hog.to_text(value)) for value in values])
    found = compare(call("multiSearchAnyCaseInsensitive", subject.node, parts), ">", constant(0))
    return _positive_or_not(operator, subject, found)


def _matches(operator: str, subject: Subject, value: Scalar) -> Expr:
    found = compare(call("toString", subject.node), "=~", constant(hog.to_text(value)))
    return _positive_or_not(operator, subject, found)


def _positive_or_not(operator: str, subject: Subject, found: Expr) -> Expr:
    """Null contains nothing and matches nothing. `toString` would make it the text `null`."""
    there = all_of([is_not_null(subject.node), found])
    return negated(there) if operator.startswith("not_") else there


def _order(operator: str, subject: Subject, value: Scalar) -> Expr:
    return compare(subject.node, _ORDERINGS[operator], constant(_natural(value)))


def _between(subject: Subject, value: Any, *, outside: bool) -> Expr:
    bounds = [_number(item) for item in value] if isinstance(value, list) else []
    if len(bounds) != 2:
        raise OperandError("a list of two numbers is needed: [least, most]")
    low, high = bounds
    if low > high:
        raise OperandError(f"{hog.to_text(low)} is more than {hog.to_text(high)}; write the lesser one first")
    if outside:
        return any_of([compare(subject.node, "<", constant(low)), compare(subject.node, ">", constant(high))])
    return all_of([compare(subject.node, ">=", constant(low)), compare(subject.node, "<=", constant(high))])


def _number(value: Any) -> int | float:
    number = _natural(value) if isinstance(value, str | int | float) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        shown = f"'{value}'" if isinstance(value, str) else kind_of(value)
        raise OperandError(f"a list of two numbers is needed, [least, most]; {shown} is none")
    return number


def _natural(value: Scalar) -> Scalar:
    """A text that reads as a number orders as one: as text, '10' would come before '9'."""
    if not isinstance(value, str) or not value.strip():
        return value
    number = text_number(value)
    return number if number == number and abs(number) != float("inf") else value


def _date(operator: str, subject: Subject, value: Scalar) -> Expr:
    return dates.compare_dates(operator, subject.node, value, subject.timezone)


def _version(operator: str, subject: Subject, value: Scalar) -> Expr:
    return semver.compare_versions(operator, subject.node, value)


def _cleaned_path(operator: str, subject: Subject, value: Scalar) -> Expr:
    path = cleaned_text(hog.to_text(value), subject.path_cleaning)
    return compare(cleaned(subject.node, subject.path_cleaning), "==", constant(path))


def _scalar(value: Any) -> Scalar:
    if isinstance(value, str | int | float):
        return value
    raise OperandError(f"expected text, a number, true or false, got {kind_of(value)}")


_SINGLE: Final[dict[str, Callable[[str, Subject, Scalar], Expr]]] = {
    **dict.fromkeys(("exact", "is_not"), _equals),
    **dict.fromkeys(("icontains", "not_icontains", "icontains_multi", "not_icontains_multi"), _contains),
    **dict.fromkeys(("regex", "not_regex"), _matches),
    **dict.fromkeys(_ORDERINGS, _order),
    **dict.fromkeys(dates.OPERATORS, _date),
    **dict.fromkeys(semver.OPERATORS, _version),
    "is_cleaned_path_exact": _cleaned_path,
}
OPERATORS: Final = tuple(sorted({*NEEDS_NO_VALUE, *_RANGES, "in", "not_in", *_SINGLE}))

"""Filters of the type `element`: the elements that were clicked, from the inside out."""

from typing import Any, Final

from catalog.problem import suggestion
from catalog.yaml_file import Steps
from destinations.filters.build import TRUE, compare, constant, exists, field, negated
from destinations.filters.errors import OperandError
from destinations.filters.operators import Subject, joined, test
from destinations.filters.selectors import pattern_of_selector, pattern_of_tag
from destinations.report import Report
from hog.nodes import Expr

CHAIN: Final = field("elements_chain")
HREF: Final = field("elements_chain_href")
TEXTS: Final = field("elements_chain_texts")
_KEYS: Final = ("selector", "tag_name", "href", "text")
_PATTERNS: Final = {"selector": pattern_of_selector, "tag_name": pattern_of_tag}


def element_test(key: str, operator: str, value: Any, path: Steps, report: Report) -> Expr:
    """The test; raises OperandError. Several values are several tests, whatever the operator."""
    if key not in _KEYS:
        report.at((*path, "key"), f"unknown part of an element '{key}'{suggestion(key, _KEYS)}")
        return TRUE
    if key in _PATTERNS and operator not in ("exact", "is_not"):
        report.at((*path, "operator"), f"`{key}` takes `exact` or `is_not`, not `{operator}`")
        return TRUE
    if isinstance(value, list) and operator not in ("between", "not_between", "in", "not_in"):
        if not value:
            return TRUE
        return joined(operator, [_one(key, operator, item) for item in value])
    return _one(key, operator, value)


def _one(key: str, operator: str, value: Any) -> Expr:
    if key == "href":
        return test(operator, Subject(HREF), value)
    if key == "text":
        return exists(test(operator, Subject(field("v")), value), "v", TEXTS)
    if not isinstance(value, str):
        raise OperandError(f"`{key}` needs a text")
    found = matches(key, value)
    return negated(found) if operator == "is_not" else found


def matches(key: str, value: str) -> Expr:
    """Whether an element of the chain has that `tag_name`, or fits that `selector`; raises OperandError."""
    return compare(CHAIN, "=~", constant(_PATTERNS[key](value)))

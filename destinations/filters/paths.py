"""Path cleaning: what the project's regular expressions leave of a path, `/users/:id` of `/users/42`."""

from collections.abc import Sequence

import hog
from destinations.filters.build import call, constant
from hog.nodes import Expr

Rules = Sequence[tuple[str, str]]


def cleaned(node: Expr, rules: Rules) -> Expr:
    """The node behind all rules, in order."""
    for pattern, alias in rules:
        node = call("replaceRegexpAll", node, constant(pattern), constant(alias))
    return node


def cleaned_text(text: str, rules: Rules) -> str:
    """The same for a text that is known."""
    return str(hog.compile_node(cleaned(constant(text), rules))({}))

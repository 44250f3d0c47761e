"""Pieces of Python syntax, and what is known about the value that each computes.

Nothing of the source becomes a Python name: text goes into constants, variables into numbered names.
"""

import ast
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Kind(Enum):
    """What type a value surely has."""

    ANY = "any"
    BOOLEAN = "boolean"
    NUMBER = "number"
    """An integer or a float, no boolean."""
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Code:
    """Python syntax that computes a value.

    It is `total` when it cannot fail and has no effect: then nobody sees whether it was evaluated at all.
    """

    tree: ast.expr
    kind: Kind = Kind.ANY
    total: bool = False

    @property
    def constant(self) -> bool:
        """Whether it is a literal."""
        return isinstance(self.tree, ast.Constant)

    @property
    def value(self) -> Any:
        """The value of a literal."""
        assert isinstance(self.tree, ast.Constant)
        return self.tree.value


def constant(value: Any) -> Code:
    """A literal."""
    kind = Kind.ANY
    if isinstance(value, bool):
        kind = Kind.BOOLEAN
    elif isinstance(value, (int, float)):
        kind = Kind.NUMBER
    elif isinstance(value, str):
        kind = Kind.TEXT
    return Code(ast.Constant(value), kind, total=True)


def name(identifier: str) -> ast.Name:
    """A read of a Python name."""
    return ast.Name(identifier, ast.Load())


def call(helper: str, *arguments: ast.expr) -> ast.Call:
    """A call of a helper of the runtime."""
    return ast.Call(name(helper), list(arguments), [])


def right_first(helper: str, left: Code, right: Code, *options: ast.expr) -> ast.expr:
    """A helper call that evaluates the right side first, as the language does; only seen when both sides can fail."""
    if left.total or right.total:
        return call(helper, left.tree, right.tree, *options)
    return call(f"{helper}_reversed", right.tree, left.tree, *options)


def keep(identifier: str, tree: ast.expr) -> ast.NamedExpr:
    """`(identifier := tree)`."""
    return ast.NamedExpr(ast.Name(identifier, ast.Store()), tree)


def put(identifier: str, tree: ast.expr) -> ast.Assign:
    """`identifier = tree`."""
    return ast.Assign([ast.Name(identifier, ast.Store())], tree)


def is_type(tree: ast.expr, type_name: str) -> ast.Compare:
    """`type(tree) is type_name`."""
    return ast.Compare(call("type", tree), [ast.Is()], [name(type_name)])


def choose(condition: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.IfExp:
    """`then if condition else otherwise`."""
    return ast.IfExp(condition, then, otherwise)

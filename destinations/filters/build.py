"""Builds the trees that the filters object is compiled to. It knows nothing of what they mean."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from hog import nodes
from hog.nodes import Expr

TRUE: Final[Expr] = nodes.Constant(value=True)
FALSE: Final[Expr] = nodes.Constant(value=False)
T = TypeVar("T")


def field(*chain: str) -> Expr:
    """`a.b.c`."""
    return nodes.Field(chain=list(chain))


def constant(value: bool | int | float | str | None) -> Expr:
    """A literal."""
    return nodes.Constant(value=value)


def compare(left: Expr, op: str, right: Expr) -> Expr:
    """`left op right`."""
    return nodes.CompareOperation(left=left, op=op, right=right)


def call(name: str, *arguments: Expr) -> Expr:
    """`name(arguments)`."""
    return nodes.Call(name=name, args=list(arguments), distinct=False)


def one_of(left: Expr, values: Sequence[bool | int | float | str], op: str = "in") -> Expr:
    """`left in (values)`."""
    return compare(left, op, nodes.Tuple(exprs=[constant(value) for value in values]))


def exists(condition: Expr, variable: str, items: Expr) -> Expr:
    """`arrayExists(variable -> condition, items)`."""
    return call("arrayExists", nodes.Lambda(args=[variable], expr=condition), items)


def is_null(node: Expr) -> Expr:
    """`node == null`."""
    return compare(node, "==", constant(None))


def is_not_null(node: Expr) -> Expr:
    """`node != null`."""
    return compare(node, "!=", constant(None))


def negated(node: Expr) -> Expr:
    """`not node`."""
    return nodes.Not(expr=node)


def all_of(operands: Iterable[Expr]) -> Expr:
    """All of them, flat; what always holds is left out."""
    flat: list[Expr] = []
    for operand in operands:
        flat += operand.exprs if isinstance(operand, nodes.And) else [operand]
    flat = [operand for operand in flat if not _is(operand, True)]
    if any(_is(operand, False) for operand in flat):
        return FALSE
    return TRUE if not flat else flat[0] if len(flat) == 1 else nodes.And(exprs=flat)


def any_of(operands: Iterable[Expr]) -> Expr:
    """Any of them, flat; what never holds is left out."""
    flat: list[Expr] = []
    for operand in operands:
        flat += operand.exprs if isinstance(operand, nodes.Or) else [operand]
    flat = [operand for operand in flat if not _is(operand, False)]
    if any(_is(operand, True) for operand in flat):
        return TRUE
    return FALSE if not flat else flat[0] if len(flat) == 1 else nodes.Or(exprs=flat)


def is_true(node: Expr) -> bool:
    """Whether it is the literal `true`. `1` is not."""
    return _is(node, True)


def _is(node: Expr, value: bool) -> bool:
    return isinstance(node, nodes.Constant) and node.value is value


def strict(node: Expr) -> Expr:
    """The node as an operand of an `and` that holds only where the node is `true` itself."""
    boolean = nodes.And | nodes.Or | nodes.Not | nodes.CompareOperation | nodes.BetweenExpr
    if isinstance(node, boolean) or is_true(node):
        return node
    return call("equals", node, TRUE)


def unplaced(node: T) -> T:
    """A copy of the tree without positions: they would point into another text than the one that is shown."""
    if isinstance(node, nodes.Node):
        fields = {name: unplaced(getattr(node, name)) for name in node.__struct_fields__ if name != "start"}
        return msgspec.structs.replace(node, start=None, **fields)
    if isinstance(node, list | tuple):
        items: Any = type(node)(map(unplaced, node))
        return items  # type: ignore[no-any-return]
    return node

"""`and`, `or` and arithmetic to Python syntax."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from hog import nodes
from hog.compiler.code import Code, Kind, call, choose, keep, name, right_first
from hog.runtime.limits import MAX_INTEGER_BITS

if TYPE_CHECKING:
    from hog.compiler.lowering import Lowering

_ARITHMETIC: Final = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "remainder"}
_BOUND: Final = 1 << MAX_INTEGER_BITS
_INLINE: Final[dict[str, type[ast.operator]]] = {"+": ast.Add, "-": ast.Sub, "%": ast.Mod}


def lower_and(lowering: Lowering, node: nodes.And) -> Code:
    """`a and b`: a boolean."""
    return join_all([lowering.truth(operand) for operand in node.exprs])


def lower_or(lowering: Lowering, node: nodes.Or) -> Code:
    """`a or b`: a boolean."""
    return join_any([lowering.truth(operand) for operand in node.exprs])


def join_all(operands: list[Code]) -> Code:
    """All of some conditions."""
    return _join(operands, ast.BitAnd(), ast.And())


def join_any(operands: list[Code]) -> Code:
    """Any of some conditions."""
    return _join(operands, ast.BitOr(), ast.Or())


def _join(operands: list[Code], strict: ast.operator, lazy: ast.boolop) -> Code:
    """Every operand is evaluated. Only behind the last one that may fail, nobody sees whether the rest was."""
    first_lazy = max((index for index, operand in enumerate(operands) if not operand.total), default=0) + 1
    tree = operands[0].tree
    for operand in operands[1:first_lazy]:
        tree = ast.BinOp(tree, strict, operand.tree)
    rest = [operand.tree for operand in operands[first_lazy:]]
    if rest:
        tree = ast.BoolOp(lazy, [tree, *rest])
    return Code(tree, Kind.BOOLEAN, all(operand.total for operand in operands))


def lower_arithmetic(lowering: Lowering, node: nodes.ArithmeticOperation) -> Code:
    """The right side is evaluated first. The sum or difference of two integers has a fast path:
    `((s if -2**4096 < (s := l + r) < 2**4096 else add(l, r)) if type(r := right) is type(l := left) is int else
    add(l, r))`. Where the sum is too large `add` says so. The remainder of two natural numbers has one, too.
    """
    right, left = lowering.expression(node.right), lowering.expression(node.left)
    helper, inline = _ARITHMETIC[node.op], _INLINE.get(node.op)
    if inline is None:
        return Code(right_first(helper, left, right), Kind.NUMBER)
    kept_left, kept_right = lowering.temporary(), lowering.temporary()
    types = call("type", keep(kept_right, right.tree)), call("type", keep(kept_left, left.tree))
    integers = ast.Compare(types[0], [ast.Is(), ast.Is()], [types[1], name("int")])
    slow = call(helper, name(kept_left), name(kept_right))
    if node.op == "%":
        # Neither below zero: only there both languages agree on the sign.
        natural = [
            ast.Compare(ast.Constant(0), [op], [name(k)]) for op, k in ((ast.LtE(), kept_left), (ast.Lt(), kept_right))
        ]
        rest = ast.BinOp(name(kept_left), ast.Mod(), name(kept_right))
        return Code(choose(ast.BoolOp(ast.And(), [integers, *natural]), rest, slow), Kind.NUMBER)
    made = lowering.temporary()
    fits = [ast.Constant(-_BOUND), keep(made, ast.BinOp(name(kept_left), inline(), name(kept_right)))]
    fast = choose(ast.Compare(fits[0], [ast.Lt(), ast.Lt()], [fits[1], ast.Constant(_BOUND)]), name(made), slow)
    return Code(choose(integers, fast, call(helper, name(kept_left), name(kept_right))), Kind.NUMBER)

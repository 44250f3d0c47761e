"""Comparisons to Python syntax. One with a literal becomes a type test and Python's own operator."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from hog import nodes
from hog.compiler.code import Code, Kind, call, choose, is_type, keep, name, right_first
from hog.compiler.operators import join_all, join_any
from hog.runtime.errors import Failure
from hog.runtime.patterns import Finder, finder, instructions_of, like_finder
from hog.runtime.text import to_string
from hog.runtime.truth import truthy

if TYPE_CHECKING:
    from hog.compiler.lowering import Lowering

_HELPERS: Final = {
    "==": "equal",
    "!=": "not_equal",
    "<": "less",
    "<=": "less_or_equal",
    ">": "greater",
    ">=": "greater_or_equal",
    "in": "contains",
    "not in": "not_contains",
}
_PYTHON: Final[dict[str, type[ast.cmpop]]] = {
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
}
_MIRRORED: Final = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_MAX_INSTRUCTIONS: Final = 1_000_000
"""Of all literal patterns of a source: compiling them takes some 0.4 s."""
_MATCHING: Final = {
    "like": ("like", False),
    "ilike": ("like", True),
    "=~": ("found", False),
    "=~*": ("found", True),
}


def lower_comparison(lowering: Lowering, node: nodes.CompareOperation) -> Code:
    """Any operator of the comparison level."""
    if node.op in ("in cohort", "not in cohort"):
        raise lowering.error("cohorts are not supported: write the conditions themselves", node)
    positive = node.op.removeprefix("not ").replace("!~", "=~")
    if positive in _MATCHING:
        return _matching(lowering, node, positive)
    right, left = lowering.expression(node.right), lowering.expression(node.left)
    if positive == "in":
        return _membership(lowering, node.op, left, right)
    return compare(lowering, node.op, left, right)


def lower_between(lowering: Lowering, node: nodes.BetweenExpr) -> Code:
    """`x >= low and x <= high`; x is evaluated once, after low."""
    low, value, high = (lowering.expression(part) for part in (node.low, node.expr, node.high))
    if low.total and value.total and high.total:
        kept = lowering.temporary()
        first = compare(lowering, "<" if node.negated else ">=", Code(keep(kept, value.tree), value.kind, True), low)
        second = compare(lowering, ">" if node.negated else "<=", Code(name(kept), value.kind, True), high)
        return (join_any if node.negated else join_all)([first, second])
    helper = "outside" if node.negated else "between"
    return Code(call(helper, low.tree, value.tree, high.tree), Kind.BOOLEAN)


def compare(lowering: Lowering, op: str, left: Code, right: Code) -> Code:
    """An equality or an ordering."""
    total = left.total and right.total
    if left.constant and not right.constant:
        return compare(lowering, _MIRRORED[op], right, left)
    if right.constant and not left.constant and right.value is None and op in ("==", "!="):
        test: ast.cmpop = ast.Is() if op == "==" else ast.IsNot()
        return Code(ast.Compare(left.tree, [test], [ast.Constant(None)]), Kind.BOOLEAN, total)
    if right.constant and right.kind in (Kind.TEXT, Kind.NUMBER):
        return Code(_with_literal(lowering, op, left, right), Kind.BOOLEAN, total)
    return Code(right_first(_HELPERS[op], left, right), Kind.BOOLEAN, total)


def _with_literal(lowering: Lowering, op: str, left: Code, right: Code) -> ast.expr:
    """`(t > 20 if type(t := left) is int or type(t) is float else t is not None and greater(t, 20))`."""
    kept = lowering.temporary()
    store = keep(kept, left.tree)
    if right.kind is Kind.TEXT:
        alike: ast.expr = is_type(store, "str")
    else:
        alike = ast.BoolOp(ast.Or(), [is_type(store, "int"), is_type(name(kept), "float")])
    fast = ast.Compare(name(kept), [_PYTHON[op]()], [right.tree])
    missing, join = (ast.Is(), ast.Or()) if op == "!=" else (ast.IsNot(), ast.And())
    null = ast.Compare(name(kept), [missing], [ast.Constant(None)])
    slow = call(_HELPERS[op], name(kept), ast.Constant(right.value))
    return choose(alike, fast, ast.BoolOp(join, [null, slow]))


def _membership(lowering: Lowering, op: str, left: Code, right: Code) -> Code:
    items = _items(right.tree)
    total = left.total and right.total and items is not None
    texts = frozenset(
        item.value for item in items or () if isinstance(item, ast.Constant) and isinstance(item.value, str)
    )
    if items is None or not all(isinstance(item, ast.Constant) and item.value in texts for item in items):
        return Code(right_first(_HELPERS[op], left, right), Kind.BOOLEAN, total)
    kept = lowering.temporary()
    member = ast.Compare(name(kept), [ast.In()], [lowering.object(texts)])
    tree: ast.expr = ast.BoolOp(ast.And(), [is_type(keep(kept, left.tree), "str"), member])
    return Code(ast.UnaryOp(ast.Not(), tree) if op == "not in" else tree, Kind.BOOLEAN, total)


def _items(tree: ast.expr) -> list[ast.expr] | None:
    match tree:
        case ast.Tuple(elts=[ast.Starred(value=ast.List(elts=items))]):
            return items
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return items
    return None


def _matching(lowering: Lowering, node: nodes.CompareOperation, positive: str) -> Code:
    helper, ignore_case = _MATCHING[positive]
    right, left = lowering.expression(node.right), lowering.expression(node.left)
    if right.constant:
        tree = _with_pattern(lowering, helper, left, right, ignore_case, node.right)
    else:
        tree = right_first(helper, left, right, ast.Constant(ignore_case))
    if positive != node.op:
        tree = ast.UnaryOp(ast.Not(), tree)
    return Code(tree, Kind.BOOLEAN, left.total and right.constant)


def _with_pattern(
    lowering: Lowering, helper: str, left: Code, right: Code, ignore_case: bool, node: nodes.Expr
) -> ast.expr:
    """`(k0(t) if type(t := left) is str else found(t, 'pattern', False))`, k0 made while compiling."""
    found = pattern_finder(lowering, helper, right.value, ignore_case, node)
    kept = lowering.temporary()
    fast = ast.Call(lowering.object(found), [name(kept)], [])
    slow = call(helper, name(kept), right.tree, ast.Constant(ignore_case))
    return choose(is_type(keep(kept, left.tree), "str"), fast, slow)


def pattern_finder(lowering: Lowering, helper: str, pattern: object, ignore_case: bool, node: nodes.Expr) -> Finder:
    """The finder of a literal pattern; a bad pattern is a compile error."""
    try:
        # What counts as false finds nothing, like the empty pattern: `'null' =~ null` is false.
        text = to_string(pattern) if helper == "like" or truthy(pattern) else ""
        made = (like_finder if helper == "like" else finder)(text, ignore_case)
        lowering.instructions += instructions_of(text, ignore_case, helper == "like")
        if lowering.instructions > _MAX_INSTRUCTIONS:
            raise Failure("all the patterns of this source together are too large")
        return made
    except Failure as failure:
        raise lowering.error(str(failure), node) from None

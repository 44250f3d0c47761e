"""Calls to Python syntax: the forms that evaluate lazily, library functions, and calls of values."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import UNSET

from hog import nodes
from hog.compiler.code import Code, Kind, call, choose, constant, is_type, keep, name
from hog.compiler.comparisons import pattern_finder
from hog.compiler.operators import join_all, join_any
from hog.compiler.scopes import Variable
from hog.names import suggestion
from hog.runtime.limits import MAX_ARGUMENTS
from hog.stdlib import FUNCTIONS

if TYPE_CHECKING:
    from hog.compiler.lowering import Lowering


def lower_call(lowering: Lowering, node: nodes.Call) -> Code:
    """`name(args)`, or `name(params)(args)`: a call of what `name(params)` gives."""
    if node.params is None:
        return _call(lowering, node, node.args)
    callee = _call(lowering, node, node.params)
    return value_call(lowering, callee, node.args, node)


def lower_value_call(lowering: Lowering, node: nodes.ExprCall) -> Code:
    """A call of what an expression gives."""
    return value_call(lowering, lowering.expression(node.expr), node.args, node)


def value_call(lowering: Lowering, callee: Code, arguments: Sequence[nodes.Expr], node: nodes.Expr) -> Code:
    """A call of a function value. The arguments are evaluated before what is called:
    `((t1 := x), call_value(callee, t1))[-1]`, where anybody could see the order.
    """
    _check_count(lowering, arguments, node)
    lowering.fenced = True
    codes = [lowering.expression(argument) for argument in arguments]
    if callee.total or all(code.total for code in codes):
        return Code(call("call_value", callee.tree, *(code.tree for code in codes)))
    kept = [lowering.temporary() for _ in codes]
    early: list[ast.expr] = [keep(identifier, code.tree) for identifier, code in zip(kept, codes, strict=True)]
    made = call("call_value", callee.tree, *map(name, kept))
    return Code(ast.Subscript(ast.Tuple([*early, made], ast.Load()), ast.Constant(-1), ast.Load()))


def _check_count(lowering: Lowering, arguments: Sequence[nodes.Expr], node: nodes.Expr) -> None:
    if len(arguments) > MAX_ARGUMENTS:
        raise lowering.error(f"a call may have at most {MAX_ARGUMENTS} arguments, not {len(arguments)}", node)


def _call(lowering: Lowering, node: nodes.Call, arguments: list[nodes.Expr]) -> Code:
    stands_for_operator = node.distinct is UNSET
    form = _FORMS.get(node.name)
    if form is not None:
        needs, most, lower = form
        if needs <= len(arguments) and (most is None or len(arguments) <= most):
            return lower(lowering, arguments)
    variable = None if stands_for_operator else lowering.local(node.name, node)
    if variable is not None:
        return _variable_call(lowering, variable, arguments, node)
    if node.name == "sql":
        raise lowering.error("SQL is not supported here: `sql(…)`", node)
    if not stands_for_operator:
        _check_count(lowering, arguments, node)
    return _library_call(lowering, node, arguments)


def _variable_call(lowering: Lowering, variable: Variable, arguments: list[nodes.Expr], node: nodes.Call) -> Code:
    if variable.direct is None or len(arguments) > variable.arity:
        return value_call(lowering, lowering.read(variable), arguments, node)
    lowering.fenced = True
    return Code(call(variable.direct, *(lowering.expression(argument).tree for argument in arguments)))


def _library_call(lowering: Lowering, node: nodes.Call, arguments: list[nodes.Expr]) -> Code:
    function = FUNCTIONS.get(node.name)
    problem = _unknown(lowering, node) if function is None else function.wrong_count(len(arguments))
    if problem is not None and lowering.names is not None:
        raise lowering.error(problem, node)
    codes = [lowering.expression(argument) for argument in arguments]
    if function is None or problem is not None:
        # The language by itself finds out when it gets there: a program may never do.
        return Code(call("fail", ast.Constant(problem), *(code.tree for code in codes)))
    lowering.uses(function, node)
    if node.name == "concat":
        return _concat(lowering, codes)
    if node.name in ("match", "extractRegex") and codes[1].constant and codes[1].kind is Kind.TEXT:
        pattern_finder(lowering, "found", codes[1].value, False, arguments[1])
    return Code(call(f"f_{node.name}", *(code.tree for code in codes)))


def _unknown(lowering: Lowering, node: nodes.Call) -> str:
    hint = suggestion(node.name, [*FUNCTIONS, *_FORMS, *lowering.scopes.visible()])
    if lowering.names is None:
        return f"Unsupported function call: {node.name}{hint}"
    return f"unknown function '{node.name}'{hint}"


def _concat(lowering: Lowering, pieces: list[Code]) -> Code:
    parts = [_text(lowering, piece) for piece in pieces]
    return Code(call("join", ast.Tuple(parts, ast.Load())), Kind.TEXT)


def _text(lowering: Lowering, piece: Code) -> ast.expr:
    if piece.kind is Kind.TEXT:
        return piece.tree
    kept = lowering.temporary()
    return choose(is_type(keep(kept, piece.tree), "str"), name(kept), call("to_text", name(kept)))


def _if(lowering: Lowering, arguments: list[nodes.Expr]) -> Code:
    """Conditions and values in turn, then the value when no condition holds: null when it is left out."""
    pairs = len(arguments) // 2
    otherwise = lowering.expression(arguments[-1]) if len(arguments) % 2 else constant(None)
    for index in reversed(range(pairs)):
        condition, value = lowering.truth(arguments[2 * index]), lowering.expression(arguments[2 * index + 1])
        kind = value.kind if value.kind is otherwise.kind else Kind.ANY
        total = condition.total and value.total and otherwise.total
        otherwise = Code(choose(condition.tree, value.tree, otherwise.tree), kind, total)
    return otherwise


def _if_null(lowering: Lowering, arguments: list[nodes.Expr]) -> Code:
    value, default = (lowering.expression(argument) for argument in arguments)
    kept = lowering.temporary()
    present = ast.Compare(keep(kept, value.tree), [ast.IsNot()], [ast.Constant(None)])
    kind = value.kind if value.kind is default.kind else Kind.ANY
    return Code(choose(present, name(kept), default.tree), kind, value.total and default.total)


def _not(lowering: Lowering, arguments: list[nodes.Expr]) -> Code:
    operand = lowering.truth(arguments[0])
    return Code(ast.UnaryOp(ast.Not(), operand.tree), Kind.BOOLEAN, operand.total)


def _and(lowering: Lowering, arguments: list[nodes.Expr]) -> Code:
    return join_all([lowering.truth(argument) for argument in arguments])


def _or(lowering: Lowering, arguments: list[nodes.Expr]) -> Code:
    return join_any([lowering.truth(argument) for argument in arguments])


_Form = tuple[int, int | None, Callable[["Lowering", list[nodes.Expr]], Code]]
_FORMS: Final[dict[str, _Form]] = {
    "if": (2, 3, _if),
    "multiIf": (2, None, _if),
    "ifNull": (2, 2, _if_null),
    "not": (1, 1, _not),
    "and": (2, None, _and),
    "or": (2, None, _or),
}
"""What is compiled specially, so that no variable can shadow it: least and most arguments, and how."""

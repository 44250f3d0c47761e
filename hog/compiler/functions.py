"""Functions of the program to Python functions: lambdas, lambdas with a block, and `fun`.

Every function begins with a tick. One whose body is a single expression becomes a Python lambda; the others, which need
statements, become a `def` that stands before the statement in which they are written.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hog import nodes
from hog.compiler.code import Code, call, name, put
from hog.compiler.positions import set_position
from hog.compiler.scopes import FunctionScope

if TYPE_CHECKING:
    from hog.compiler.lowering import Lowering


def lower_lambda(lowering: Lowering, node: nodes.Lambda) -> Code:
    """`(x, y) -> …` as a value."""
    made = _lambda(lowering, node)
    return Code(call("function_value", ast.Constant("lambda"), ast.Constant(len(node.args)), made), total=True)


def define(lowering: Lowering, identifier: str, node: nodes.Function) -> None:
    """`fun name(…) { … }` as a Python function called `identifier`, before the statement that is being compiled."""
    scope = _enter(lowering, node.params, node)
    body = lowering.block(node.body)
    _leave(lowering)
    _definition(lowering, identifier, node.params, scope, body, node)


def _lambda(lowering: Lowering, node: nodes.Lambda) -> ast.expr:
    scope = _enter(lowering, node.args, node)
    if isinstance(node.expr, nodes.Block):
        body = lowering.block(node.expr)
    else:
        outer, lowering.before = lowering.before, []
        result = _result(lowering, node.expr)
        body, lowering.before = lowering.before, outer
        if not body:
            _leave(lowering)
            ticking = ast.BoolOp(ast.Or(), [call("tick"), result])
            return _bound(ast.Lambda(_parameters(scope, node.args), ticking), scope)
        body.append(set_position(ast.Return(result), node.expr))
    _leave(lowering)
    identifier = lowering.temporary()
    _definition(lowering, identifier, node.args, scope, body, node)
    return name(identifier)


def _result(lowering: Lowering, node: nodes.Expr) -> ast.expr:
    """`x -> {e}` evaluates e and gives null: the braces are no block."""
    if isinstance(node, nodes.Placeholder):
        pair = ast.Tuple([lowering.expression(node.expr).tree, ast.Constant(None)], ast.Load())
        return ast.Subscript(pair, ast.Constant(1), ast.Load())
    return lowering.expression(node).tree


def _enter(lowering: Lowering, parameters: Sequence[str], node: nodes.Node) -> FunctionScope:
    lowering.fenced = True
    scope = FunctionScope()
    lowering.scopes.functions.append(scope)
    for parameter in parameters:
        if lowering.scopes.declare(parameter) is None:
            raise lowering.error(f"the parameter '{parameter}' is named twice", node)
    return scope


def _leave(lowering: Lowering) -> None:
    lowering.scopes.functions.pop()


def _parameters(scope: FunctionScope, parameters: Sequence[str]) -> ast.arguments:
    """All of them default to null."""
    arguments = [ast.arg(scope.blocks[0][parameter].python) for parameter in parameters]
    return ast.arguments([], arguments, None, [], [], None, [ast.Constant(None) for _ in arguments])


def _definition(
    lowering: Lowering,
    identifier: str,
    parameters: Sequence[str],
    scope: FunctionScope,
    body: list[ast.stmt],
    node: nodes.Node,
) -> None:
    opening: list[ast.stmt] = [ast.Nonlocal(sorted(scope.changes))] if scope.changes else []
    opening.append(set_position(ast.Expr(call("tick")), node))
    function: ast.stmt = ast.FunctionDef(identifier, _parameters(scope, parameters), [*opening, *body], [])
    if scope.boxes:
        # A function around it takes the present boxes, so that it keeps them when the loop makes new ones.
        factory = lowering.temporary()
        inner = [set_position(function, node), ast.Return(name(identifier))]
        boxes = ast.arguments([], [ast.arg(box) for box in sorted(scope.boxes)], None, [], [], None, [])
        lowering.put(ast.FunctionDef(factory, boxes, inner, []), node)
        made = ast.Call(name(factory), [name(box) for box in sorted(scope.boxes)], [])
        function = put(identifier, made)
    lowering.put(function, node)


def _bound(function: ast.Lambda, scope: FunctionScope) -> ast.expr:
    """The same for a Python lambda: `(lambda v1: lambda …: …)(v1)`."""
    if not scope.boxes:
        return function
    boxes = sorted(scope.boxes)
    around = ast.Lambda(ast.arguments([], [ast.arg(box) for box in boxes], None, [], [], None, []), function)
    return ast.Call(around, [name(box) for box in boxes], [])

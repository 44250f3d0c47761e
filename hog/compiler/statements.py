"""Statements to Python statements. A loop ticks at each turn; a block has its own names."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from hog import nodes
from hog.compiler.code import Code, call, name, put
from hog.compiler.functions import define
from hog.compiler.positions import place
from hog.compiler.scopes import Variable, declared

if TYPE_CHECKING:
    from hog.compiler.lowering import Lowering

_CATCH_ALL: Final = "Error"


def lower_statement(lowering: Lowering, node: nodes.Statement) -> list[ast.stmt]:
    """The Python statements that a statement becomes: what its expressions need first, then itself."""
    outer, lowering.before = lowering.before, []
    _LOWER[type(node)](lowering, node)
    made, lowering.before = lowering.before, outer
    return made


def lower_block(lowering: Lowering, declarations: Sequence[nodes.Statement]) -> list[ast.stmt]:
    """The statements of a block, with a scope of their own; never empty."""
    with _scope(lowering):
        made = [made for statement in declarations for made in lower_statement(lowering, statement)]
    return made or [ast.Pass()]


@contextmanager
def _scope(lowering: Lowering) -> Iterator[None]:
    blocks = lowering.scopes.here.blocks
    blocks.append({})
    yield
    blocks.pop()


@contextmanager
def _loop(lowering: Lowering) -> Iterator[None]:
    lowering.fenced = True
    here = lowering.scopes.here
    here.loops += 1
    yield
    here.loops -= 1


def _body(lowering: Lowering, node: nodes.Statement) -> list[ast.stmt]:
    """What a condition or a loop governs."""
    return lower_statement(lowering, node) or [ast.Pass()]


def _block(lowering: Lowering, node: nodes.Block) -> None:
    for statement in lower_block(lowering, node.declarations):
        lowering.put(statement, node)


def _declare(lowering: Lowering, name: str, node: nodes.Node) -> Variable:
    variable = lowering.scopes.declare(name)
    if variable is None:
        raise lowering.error(f"Variable `{name}` already declared in this scope", node)
    return variable


def _set(lowering: Lowering, variable: Variable, value: ast.expr, node: nodes.Node, *, new: bool) -> None:
    """Give a variable its value; with `new`, in a new box where it has one."""
    if not variable.boxed:
        lowering.put(put(variable.python, value), node)
    elif new:
        lowering.put(put(variable.python, ast.List([value], ast.Load())), node)
    else:
        target = ast.Subscript(name(variable.python), ast.Constant(0), ast.Store())
        lowering.put(ast.Assign([target], value), node)


def _variable_declaration(lowering: Lowering, node: nodes.VariableDeclaration) -> None:
    variable = _declare(lowering, node.name, node)
    if node.expr is None:
        _set(lowering, variable, ast.Constant(None), node, new=True)
        return
    if variable.boxed:
        # First of all: a lambda in the initialiser keeps the box.
        _set(lowering, variable, ast.Constant(None), node, new=True)
    variable.unset = True
    value = lowering.expression(node.expr).tree
    variable.unset = False
    _set(lowering, variable, value, node, new=False)


def _function(lowering: Lowering, node: nodes.Function) -> None:
    variable = _declare(lowering, node.name, node)
    if variable.boxed:
        _set(lowering, variable, ast.Constant(None), node, new=True)
    identifier = f"f{variable.number}"
    variable.arity = len(node.params)
    if variable.number not in lowering.scopes.kinds.indirect:
        variable.direct = identifier
    define(lowering, identifier, node)
    value = call("function_value", ast.Constant(node.name), ast.Constant(variable.arity), name(identifier))
    _set(lowering, variable, value, node, new=False)


def _assignment(lowering: Lowering, node: nodes.VariableAssignment) -> None:
    match node.left:
        case nodes.Field(chain=[root]):
            variable = _assigned(lowering, [root], node)
            variable.changed = True
            value = lowering.expression(node.right).tree
            if not variable.boxed and variable.function is not lowering.scopes.here:
                lowering.scopes.here.changes.add(variable.python)
            _set(lowering, variable, value, node, new=False)
        case nodes.Field(chain=chain):
            _assigned(lowering, chain, node)
            holder: nodes.Expr = nodes.Field(chain=chain[:-1], start=node.left.start)
            _assign_member(lowering, holder, ast.Constant(chain[-1]), node)
        case nodes.ArrayAccess(array=holder, property=key):
            lowering.refuse_index_0(key)
            _assign_member(lowering, holder, lowering.expression(key).tree, node)
        case nodes.TupleAccess(tuple=holder, index=index):
            if index == 0:
                raise lowering.error("Array access starts from 1", node.left)
            _assign_member(lowering, holder, ast.Constant(index), node)
        case _:
            raise lowering.error("Can not assign to this type of expression", node.left)


def _assigned(lowering: Lowering, chain: Sequence[str], node: nodes.VariableAssignment) -> Variable:
    variable = lowering.scopes.find(chain[0])
    if variable is None:
        raise lowering.error(declared(tuple(chain)), node.left)
    return variable


def _assign_member(lowering: Lowering, holder: nodes.Expr, key: ast.expr, node: nodes.VariableAssignment) -> None:
    lowering.assigns_members = True
    made = call("set_member", lowering.expression(holder).tree, key, lowering.expression(node.right).tree)
    lowering.put(ast.Expr(made), node)


def _expression(lowering: Lowering, node: nodes.ExprStatement) -> None:
    if node.expr is not None:
        lowering.put(ast.Expr(lowering.expression(node.expr).tree), node)


def _return(lowering: Lowering, node: nodes.ReturnStatement) -> None:
    value = ast.Constant(None) if node.expr is None else lowering.expression(node.expr).tree
    lowering.put(ast.Return(value), node)


def _throw(lowering: Lowering, node: nodes.ThrowStatement) -> None:
    lowering.put(ast.Raise(call("thrown", lowering.expression(node.expr).tree)), node)


def _if(lowering: Lowering, node: nodes.IfStatement) -> None:
    condition = lowering.truth(node.expr).tree
    then = _body(lowering, node.then)
    otherwise = [] if node.else_ is None else _body(lowering, node.else_)
    lowering.put(ast.If(condition, then, otherwise), node)


def _while(lowering: Lowering, node: nodes.WhileStatement) -> None:
    with _loop(lowering):
        _turns(lowering, node.expr, lambda: _body(lowering, node.body), node)


def _for(lowering: Lowering, node: nodes.ForStatement) -> None:
    with _scope(lowering):
        if node.initializer is not None:
            for statement in _part(lowering, node.initializer):
                lowering.put(statement, node)
        with _loop(lowering):

            def body() -> list[ast.stmt]:
                step = [] if node.increment is None else [node.increment]
                return [*_body(lowering, node.body), *(made for part in step for made in _part(lowering, part))]

            _turns(lowering, node.condition, body, node)


def _part(lowering: Lowering, node: nodes.Statement | nodes.Expr) -> list[ast.stmt]:
    """The first or the last part of a `for`: the parser gives a bare expression where it is one."""
    if type(node) in _LOWER:
        return lower_statement(lowering, node)  # type: ignore[arg-type]
    return lower_statement(lowering, nodes.ExprStatement(expr=node, start=node.start))  # type: ignore[arg-type]


def _turns(
    lowering: Lowering, condition: nodes.Expr | None, body: Callable[[], list[ast.stmt]], node: nodes.Node
) -> None:
    """`while condition: tick(); body`. What the condition needs first is made again at each turn."""
    outer, lowering.before = lowering.before, []
    test: ast.expr = ast.Constant(True) if condition is None else lowering.truth(condition).tree
    needed, lowering.before = lowering.before, outer
    turn: list[ast.stmt] = [ast.Expr(call("tick"))]
    if needed:
        turn += [*needed, ast.If(ast.UnaryOp(ast.Not(), test), [ast.Break()], [])]
        test = ast.Constant(True)
    lowering.put(ast.While(test, [*turn, *body()], []), node)


def _for_in(lowering: Lowering, node: nodes.ForInStatement) -> None:
    collection = lowering.expression(node.expr).tree
    with _scope(lowering):
        value = _declare(lowering, node.value_var, node)
        variables = [value] if node.key_var is None else [_declare(lowering, node.key_var, node), value]
        for variable in variables:
            # One variable for the whole loop, as `let` stands before its turns.
            _set(lowering, variable, ast.Constant(None), node, new=True)
        with _loop(lowering):
            items = [lowering.temporary() for _ in variables]
            outer, lowering.before = lowering.before, []
            lowering.put(ast.Expr(call("tick")), node)
            for variable, item in zip(variables, items, strict=True):
                _set(lowering, variable, name(item), node, new=False)
            turn, lowering.before = lowering.before, outer
            turn += _body(lowering, node.body)
    targets: list[ast.expr] = [ast.Name(item, ast.Store()) for item in items]
    target = targets[0] if len(targets) == 1 else ast.Tuple(targets, ast.Store())
    walked = call("loop_values" if node.key_var is None else "loop_items", collection)
    place(walked, node.expr)
    lowering.put(ast.For(target, walked, turn, []), node)


def _try(lowering: Lowering, node: nodes.TryCatchStatement) -> None:
    if node.finally_stmt is not None:
        raise lowering.error("finally blocks are not yet supported", node.finally_stmt)
    if not node.catches:
        raise lowering.error("try statement must have at least one catch block", node)
    body = lower_block(lowering, node.try_stmt.declarations)
    caught, error = lowering.temporary(), lowering.temporary()
    handler: list[ast.stmt] = [ast.Raise()]
    for variable, wanted, block in reversed(node.catches):
        part = _catch(lowering, variable, error, block)
        if wanted is None or wanted == _CATCH_ALL:
            handler = part
        else:
            kind = Code(ast.Attribute(name(error), "type", ast.Load())).tree
            handler = [ast.If(ast.Compare(kind, [ast.Eq()], [ast.Constant(wanted)]), part, handler)]
    opening = put(error, ast.Attribute(name(caught), "error", ast.Load()))
    handling = ast.ExceptHandler(name("Thrown"), caught, [opening, *handler])
    lowering.put(ast.Try(body, [handling], [], []), node)


def _catch(lowering: Lowering, variable: str | None, error: str, block: nodes.Block) -> list[ast.stmt]:
    """One catch block. In each of them `e` and `type` are there, whatever the error is called."""
    with _scope(lowering):
        outer, lowering.before = lowering.before, []
        values = {"e": name(error), "type": ast.Attribute(name(error), "type", ast.Load())}
        for bound, value in (values | {variable or "e": name(error)}).items():
            _set(lowering, _declare(lowering, bound, block), value, block, new=True)
        opening, lowering.before = lowering.before, outer
        return [*opening, *lower_block(lowering, block.declarations)]


_LOWER: Final[dict[type, Callable[[Lowering, Any], None]]] = {
    nodes.Block: _block,
    nodes.VariableDeclaration: _variable_declaration,
    nodes.VariableAssignment: _assignment,
    nodes.ExprStatement: _expression,
    nodes.ReturnStatement: _return,
    nodes.ThrowStatement: _throw,
    nodes.IfStatement: _if,
    nodes.WhileStatement: _while,
    nodes.ForStatement: _for,
    nodes.ForInStatement: _for_in,
    nodes.Function: _function,
    nodes.TryCatchStatement: _try,
}

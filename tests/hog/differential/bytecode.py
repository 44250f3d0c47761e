"""Compiles our syntax tree to the bytecode of PostHog's machines, so that they can run the programs of our tests.

It emits what their own compiler emits, as far as hog-spec §9 says: variables are places on the stack, an inner function
reaches outer ones through captured places. SQL and tags' SQL values are not covered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hog import nodes

HEADER: Final = ["_H", 1]
_BINARY: Final = {"+": 6, "-": 7, "*": 8, "/": 9, "%": 10}
_COMPARE: Final = {
    "==": 11,
    "!=": 12,
    ">": 13,
    ">=": 14,
    "<": 15,
    "<=": 16,
    "like": 17,
    "ilike": 18,
    "not like": 19,
    "not ilike": 20,
    "in": 21,
    "not in": 22,
    "=~": 23,
    "!~": 24,
    "=~*": 25,
    "!~*": 26,
}
GET_GLOBAL, CALL_GLOBAL, AND, OR, NOT = 1, 2, 3, 4, 5
TRUE, FALSE, NULL, STRING, INTEGER, FLOAT = 29, 30, 31, 32, 33, 34
POP, GET_LOCAL, SET_LOCAL, RETURN, JUMP, JUMP_IF_FALSE = 35, 36, 37, 38, 39, 40
DICT, ARRAY, TUPLE, GET_PROPERTY, SET_PROPERTY = 42, 43, 44, 45, 46
JUMP_IF_STACK_NOT_NULL, GET_PROPERTY_NULLISH, THROW, TRY, POP_TRY = 47, 48, 49, 50, 51
CALLABLE, CLOSURE, CALL_LOCAL, GET_UPVALUE, SET_UPVALUE, CLOSE_UPVALUE = 52, 53, 54, 55, 56, 57

Code = list[Any]


def compile_program(node: nodes.Program) -> Code:
    """The bytecode of a whole program."""
    return [*HEADER, *Compiler().scoped(node.declarations)]


def compile_expression(node: nodes.Expr) -> Code:
    """The bytecode of one expression."""
    return [*HEADER, *Compiler().expression(node)]


@dataclass
class _Local:
    name: str
    depth: int
    captured: bool = False


@dataclass
class _Function:
    locals: list[_Local] = field(default_factory=list)
    captures: list[tuple[bool, int]] = field(default_factory=list)
    """Of each captured variable: whether it is a local of the next function outwards, and its place there."""
    depth: int = 0

    def place(self, name: str) -> int | None:
        return next((i for i in range(len(self.locals) - 1, -1, -1) if self.locals[i].name == name), None)


class Compiler:
    """One program under way; `_functions` are those around the place that is being compiled."""

    def __init__(self) -> None:
        self._functions = [_Function()]

    def scoped(self, statements: Sequence[nodes.Statement]) -> Code:
        return self._scope(lambda: [op for statement in statements for op in self.statement(statement)])

    def _scope(self, make: Callable[[], Code]) -> Code:
        here = self._functions[-1]
        here.depth += 1
        code = make()
        here.depth -= 1
        while here.locals and here.locals[-1].depth > here.depth:
            code.append(CLOSE_UPVALUE if here.locals.pop().captured else POP)
        return code

    def _declare(self, name: str) -> int:
        here = self._functions[-1]
        here.locals.append(_Local(name, here.depth))
        return len(here.locals) - 1

    def _capture(self, name: str, level: int) -> int | None:
        """The number of a captured variable of the function at `level`."""
        if level == 0:
            return None
        outer, here = self._functions[level - 1], self._functions[level]
        place = outer.place(name)
        if place is not None:
            outer.locals[place].captured = True
            found = (True, place)
        else:
            captured = self._capture(name, level - 1)
            if captured is None:
                return None
            found = (False, captured)
        if found not in here.captures:
            here.captures.append(found)
        return here.captures.index(found)

    def _variable(self, name: str, local: int, captured: int) -> Code | None:
        """Read or write a variable with one of two operations; None when there is no such variable."""
        place = self._functions[-1].place(name)
        if place is not None:
            return [local, place]
        number = self._capture(name, len(self._functions) - 1)
        return None if number is None else [captured, number]

    def _read(self, name: str) -> Code | None:
        return self._variable(name, GET_LOCAL, GET_UPVALUE)

    def _function(self, name: str, parameters: Sequence[str], body: nodes.Expr | nodes.Block) -> Code:
        function = _Function()
        self._functions.append(function)
        for parameter in parameters:
            self._declare(parameter)
        match body:
            case nodes.Block():
                code = [*self.scoped(body.declarations), NULL, RETURN]
            case nodes.Placeholder():
                code = [*self.expression(body.expr), POP, NULL, RETURN]
            case _:
                code = [*self.expression(body), RETURN]
        self._functions.pop()
        places = [part for pair in function.captures for part in pair]
        count = len(function.captures)
        return [CALLABLE, name, len(parameters), count, len(code), *code, CLOSURE, count, *places]

    # Statements

    def statement(self, node: nodes.Statement) -> Code:
        match node:
            case nodes.Block():
                return self.scoped(node.declarations)
            case nodes.VariableDeclaration():
                self._declare(node.name)
                return [NULL] if node.expr is None else self.expression(node.expr)
            case nodes.Function():
                self._declare(node.name)
                return self._function(node.name, node.params, node.body)
            case nodes.VariableAssignment():
                return self._assignment(node)
            case nodes.ExprStatement():
                return [] if node.expr is None else [*self.expression(node.expr), POP]
            case nodes.ReturnStatement():
                return [*([NULL] if node.expr is None else self.expression(node.expr)), RETURN]
            case nodes.ThrowStatement():
                return [*self.expression(node.expr), THROW]
            case nodes.IfStatement():
                then = self.statement(node.then)
                rest = [] if node.else_ is None else self.statement(node.else_)
                return [*self.expression(node.expr), JUMP_IF_FALSE, len(then) + 2, *then, JUMP, len(rest), *rest]
            case nodes.WhileStatement():
                return _while(self.expression(node.expr), self.statement(node.body))
            case nodes.ForStatement():
                return self._scope(lambda: self._for(node))
            case nodes.ForInStatement():
                return self._scope(lambda: self._for_in(node))
            case nodes.TryCatchStatement():
                return self._try(node)
            case _:
                raise NotImplementedError(type(node).__name__)

    def _assignment(self, node: nodes.VariableAssignment) -> Code:
        match node.left:
            case nodes.Field(chain=[name]):
                write = self._variable(name, SET_LOCAL, SET_UPVALUE)
                if write is None:
                    raise NotImplementedError(f"{name} is no variable")
                return [*self.expression(node.right), *write]
            case nodes.Field(chain=[*holder, key]):
                place, property_ = self.expression(nodes.Field(chain=holder)), [STRING, key]
            case nodes.ArrayAccess(array=array, property=key_node):
                place, property_ = self.expression(array), self.expression(key_node)
            case nodes.TupleAccess(tuple=array, index=index):
                place, property_ = self.expression(array), [INTEGER, index]
            case _:
                raise NotImplementedError(type(node.left).__name__)
        return [*place, *property_, *self.expression(node.right), SET_PROPERTY]

    def _part(self, node: nodes.Statement | nodes.Expr) -> Code:
        """The first or last part of a `for`. A bare expression leaves its value on the stack, as theirs does."""
        if isinstance(node, (nodes.VariableDeclaration, nodes.VariableAssignment)):
            return self.statement(node)
        return self.expression(node)  # type: ignore[arg-type]

    def _for(self, node: nodes.ForStatement) -> Code:
        if node.condition is None:
            raise NotImplementedError("their compiler leaves the stack in disorder here")
        opening = [] if node.initializer is None else self._part(node.initializer)
        condition = self.expression(node.condition)
        body = self.statement(node.body)
        step = [] if node.increment is None else self._part(node.increment)
        return [*opening, *_while(condition, [*body, *step])]

    def _for_in(self, node: nodes.ForInStatement) -> Code:
        """Hidden variables hold the collection, its keys, its values, their number, and the turn."""
        collection = self._declare(" collection")
        code = self.expression(node.expr)
        keys = 0
        if node.key_var is not None:
            keys = self._declare(" keys")
            code += [GET_LOCAL, collection, CALL_GLOBAL, "keys", 1]
        values = self._declare(" values")
        code += [GET_LOCAL, collection, CALL_GLOBAL, "values", 1]
        limit = self._declare(" limit")
        code += [GET_LOCAL, values, CALL_GLOBAL, "length", 1]
        turn = self._declare(" turn")
        code += [INTEGER, 1]
        key = 0
        if node.key_var is not None:
            key = self._declare(node.key_var)
            code += [NULL]
        value = self._declare(node.value_var)
        code += [NULL]
        condition = [GET_LOCAL, limit, GET_LOCAL, turn, _COMPARE["<="]]
        body: Code = []
        if node.key_var is not None:
            body += [GET_LOCAL, keys, GET_LOCAL, turn, GET_PROPERTY, SET_LOCAL, key]
        body += [GET_LOCAL, values, GET_LOCAL, turn, GET_PROPERTY, SET_LOCAL, value]
        body += self.statement(node.body)
        body += [INTEGER, 1, GET_LOCAL, turn, _BINARY["+"], SET_LOCAL, turn]
        return [*code, *_while(condition, body)]

    def _try(self, node: nodes.TryCatchStatement) -> Code:
        body = self.scoped(node.try_stmt.declarations)
        handler = self._scope(lambda: self._catches(node))
        return [TRY, len(body) + 4, *body, POP_TRY, JUMP, len(handler), *handler]

    def _catches(self, node: nodes.TryCatchStatement) -> Code:
        error = self._declare("e")
        type_ = self._declare("type")
        blocks: list[tuple[str | None, Code]] = []
        for name, wanted, block in node.catches:
            code = self._scope(lambda name=name, block=block: self._catch(name, error, block))
            blocks.append((wanted, code))
        handler = [GET_LOCAL, error, THROW]
        for wanted, code in reversed(blocks):
            if wanted in (None, "Error"):
                handler = code
            else:
                test = [STRING, wanted, GET_LOCAL, type_, _COMPARE["=="]]
                handler = [*test, JUMP_IF_FALSE, len(code) + 2, *code, JUMP, len(handler), *handler]
        return [GET_LOCAL, error, STRING, "type", GET_PROPERTY, *handler]

    def _catch(self, name: str | None, error: int, block: nodes.Block) -> Code:
        opening: Code = []
        if name is not None and name != "e":
            self._declare(name)
            opening = [GET_LOCAL, error]
        return [*opening, *self.scoped(block.declarations)]

    # Expressions

    def expression(self, node: nodes.Expr) -> Code:
        make = self._EXPRESSIONS.get(type(node))
        if make is None:
            raise NotImplementedError(type(node).__name__)
        return make(self, node)

    def _all(self, items: Sequence[nodes.Expr]) -> Code:
        return [op for item in items for op in self.expression(item)]

    def _constant(self, node: nodes.Constant) -> Code:
        value = node.value
        if value is None or isinstance(value, bool):
            return [{None: NULL, True: TRUE, False: FALSE}[value]]
        if isinstance(value, str):
            return [STRING, value]
        if value != value:
            # No JSON has it: 0 / 0.
            return [INTEGER, 0, INTEGER, 0, _BINARY["/"]]
        return [INTEGER if isinstance(value, int) else FLOAT, value]

    def _chain(self, node: nodes.Field) -> Code:
        code, rest = self._read(node.chain[0]), node.chain[1:]
        if code is None:
            return [*(op for name in reversed(node.chain) for op in (STRING, name)), GET_GLOBAL, len(node.chain)]
        return [*code, *(op for name in rest for op in (STRING, name, GET_PROPERTY))]

    def _access(self, node: nodes.ArrayAccess) -> Code:
        get = GET_PROPERTY_NULLISH if node.nullish else GET_PROPERTY
        return [*self.expression(node.array), *self.expression(node.property), get]

    def _tuple_access(self, node: nodes.TupleAccess) -> Code:
        get = GET_PROPERTY_NULLISH if node.nullish else GET_PROPERTY
        return [*self.expression(node.tuple), INTEGER, node.index, get]

    def _arithmetic(self, node: nodes.ArithmeticOperation) -> Code:
        return [*self.expression(node.right), *self.expression(node.left), _BINARY[node.op]]

    def _comparison(self, node: nodes.CompareOperation) -> Code:
        return [*self.expression(node.right), *self.expression(node.left), _COMPARE[node.op]]

    def _between(self, node: nodes.BetweenExpr) -> Code:
        value = self.expression(node.expr)
        low, high = (_COMPARE["<"], _COMPARE[">"]) if node.negated else (_COMPARE[">="], _COMPARE["<="])
        sides = [*self.expression(node.low), *value, low, *self.expression(node.high), *value, high]
        return [*sides, OR if node.negated else AND, 2]

    def _dict(self, node: nodes.Dict) -> Code:
        return [*self._all([part for pair in node.items for part in pair]), DICT, len(node.items)]

    def _lambda(self, node: nodes.Lambda) -> Code:
        return self._function("lambda", node.args, node.expr)

    def _tag(self, node: nodes.HogQLXTag) -> Code:
        component = self._read(node.kind)
        code: Code = [] if component is not None else [STRING, "__hx_tag", STRING, node.kind]
        for attribute in node.attributes:
            value = attribute.value
            made = [*self._all(value), ARRAY, len(value)] if isinstance(value, list) else self.expression(value)
            code += [STRING, attribute.name, *made]
        code += [DICT, len(node.attributes) + (component is None)]
        return code if component is None else [*code, *component, CALL_LOCAL, 1]

    def _value_call(self, node: nodes.ExprCall) -> Code:
        return [*self._all(node.args), *self.expression(node.expr), CALL_LOCAL, len(node.args)]

    def _call(self, node: nodes.Call) -> Code:
        if node.params is not None:
            return [*self._all(node.args), *self._named_call(node.name, node.params), CALL_LOCAL, len(node.args)]
        return self._named_call(node.name, node.args)

    def _named_call(self, name: str, arguments: Sequence[nodes.Expr]) -> Code:
        form = _FORMS.get((name, min(len(arguments), 3)))
        if form is not None:
            return form(self, arguments)
        callee = self._read(name)
        if callee is not None:
            return [*self._all(arguments), *callee, CALL_LOCAL, len(arguments)]
        return [*self._all(arguments), CALL_GLOBAL, name, len(arguments)]

    def _if(self, arguments: Sequence[nodes.Expr]) -> Code:
        """Without a last value nothing is left on the stack when no condition holds, as in theirs."""
        if len(arguments) == 1:
            return self.expression(arguments[0])
        then, otherwise = self.expression(arguments[1]), self._if(arguments[2:]) if arguments[2:] else []
        condition = self.expression(arguments[0])
        return [*condition, JUMP_IF_FALSE, len(then) + 2, *then, JUMP, len(otherwise), *otherwise]

    def _if_null(self, arguments: Sequence[nodes.Expr]) -> Code:
        otherwise = [POP, *self.expression(arguments[1])]
        return [*self.expression(arguments[0]), JUMP_IF_STACK_NOT_NULL, len(otherwise), *otherwise]

    _EXPRESSIONS: Final[dict[type, Callable[[Compiler, Any], Code]]] = {
        nodes.Constant: _constant,
        nodes.Field: _chain,
        nodes.ArrayAccess: _access,
        nodes.TupleAccess: _tuple_access,
        nodes.ArithmeticOperation: _arithmetic,
        nodes.CompareOperation: _comparison,
        nodes.BetweenExpr: _between,
        nodes.And: lambda self, node: [*self._all(node.exprs), AND, len(node.exprs)],
        nodes.Or: lambda self, node: [*self._all(node.exprs), OR, len(node.exprs)],
        nodes.Not: lambda self, node: [*self.expression(node.expr), NOT],
        nodes.Array: lambda self, node: [*self._all(node.exprs), ARRAY, len(node.exprs)],
        nodes.Tuple: lambda self, node: [*self._all(node.exprs), TUPLE, len(node.exprs)],
        nodes.Dict: _dict,
        nodes.Lambda: _lambda,
        nodes.HogQLXTag: _tag,
        nodes.ExprCall: _value_call,
        nodes.Call: _call,
    }


def _while(condition: Code, body: Code) -> Code:
    length = len(condition) + 2 + len(body) + 2
    return [*condition, JUMP_IF_FALSE, len(body) + 2, *body, JUMP, -length]


_FORMS: Final[dict[tuple[str, int], Callable[[Compiler, Sequence[nodes.Expr]], Code]]] = {
    ("if", 2): Compiler._if,
    ("if", 3): Compiler._if,
    ("multiIf", 2): Compiler._if,
    ("multiIf", 3): Compiler._if,
    ("ifNull", 2): Compiler._if_null,
    ("not", 1): lambda self, arguments: [*self.expression(arguments[0]), NOT],
    ("and", 2): lambda self, arguments: [*self._all(arguments), AND, len(arguments)],
    ("and", 3): lambda self, arguments: [*self._all(arguments), AND, len(arguments)],
    ("or", 2): lambda self, arguments: [*self._all(arguments), OR, len(arguments)],
    ("or", 3): lambda self, arguments: [*self._all(arguments), OR, len(arguments)],
}
"""What is compiled specially, by name and number of arguments (3 stands for more)."""

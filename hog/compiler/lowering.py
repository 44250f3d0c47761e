"""Expressions to Python syntax, node by node. Operators with fast paths and calls have modules of their own."""

import ast
from collections.abc import Callable
from typing import Any, ClassVar

from hog import nodes
from hog.compiler import calls, comparisons, operators
from hog.compiler.code import Code, Kind, call, choose, constant, is_type, keep, name, place
from hog.errors import HogCompileError
from hog.names import Chain, Names
from hog.runtime.limits import MAX_DIGITS
from hog.stdlib import FUNCTIONS


class Lowering:
    """The state of compiling one program: its scopes, its temporaries, and what has been seen in it."""

    def __init__(self, names: Names | None, source: str) -> None:
        self.names = names
        self.source = source
        self.chains: set[Chain] = set()
        self.pure = True
        self.objects: dict[str, Any] = {}
        """What the code refers to and no literal can express, such as compiled patterns, by Python name."""
        self._scopes: list[dict[str, str]] = []
        self._count = 0

    def expression(self, node: nodes.Expr) -> Code:
        """The code of one expression."""
        lower = self._LOWER.get(type(node))
        if lower is None:
            raise self.error(_foreign(node), node)
        code = lower(self, node)
        place(code.tree, node)
        return code

    def error(self, message: str, node: nodes.Node) -> HogCompileError:
        """A compile error at the node."""
        start = node.start or nodes.Position(1, 0, 0)
        return HogCompileError(message, start.line, max(0, start.column) + 1, self.source)

    def temporary(self) -> str:
        """A Python name that nothing else uses."""
        self._count += 1
        return f"t{self._count}"

    def object(self, value: Any) -> ast.Name:
        """A read of a Python object that exists already."""
        identifier = f"k{len(self.objects)}"
        self.objects[identifier] = value
        return name(identifier)

    def local(self, variable: str) -> str | None:
        """The Python name of a visible variable."""
        return next((scope[variable] for scope in reversed(self._scopes) if variable in scope), None)

    def truth(self, node: nodes.Expr) -> Code:
        """The code of a condition: a Python bool."""
        code = self.expression(node)
        if code.kind is Kind.BOOLEAN:
            return code
        tree = call("truthy", code.tree)
        place(tree, node)
        return Code(tree, Kind.BOOLEAN, code.total)

    def _constant(self, node: nodes.Constant) -> Code:
        if node.value_type != "number":
            return constant(node.value)
        text = str(node.value)
        if text.strip("-").isalpha():
            return constant(float(text))
        if len(text) > MAX_DIGITS:
            raise self.error(f"a number has more than {MAX_DIGITS} digits", node)
        return constant(int(text))

    def _field(self, node: nodes.Field) -> Code:
        return self._chain(tuple(node.chain), node)

    def _array_access(self, node: nodes.ArrayAccess) -> Code:
        chain = chain_of(node)
        if chain is not None:
            return self._chain(chain, node)
        key = self.expression(node.property)
        if key.constant and key.kind is Kind.NUMBER and key.value == 0:
            raise self.error("Array access starts from 1", node.property)
        return self._member(self.expression(node.array), key)

    def _tuple_access(self, node: nodes.TupleAccess) -> Code:
        if node.index == 0:
            raise self.error("Array access starts from 1", node)
        return self._member(self.expression(node.tuple), constant(node.index))

    def _chain(self, chain: Chain, node: nodes.Expr) -> Code:
        code = self._root(chain, node)
        for key in chain[1:]:
            code = self._member(code, constant(key))
        return code

    def _root(self, chain: Chain, node: nodes.Expr) -> Code:
        root = chain[0]
        variable = self.local(root)
        if variable is not None:
            return Code(name(variable), total=True)
        if root == "*":
            raise self.error("'*' has no meaning here", node)
        known = self.names is not None and root in self.names.roots
        function = FUNCTIONS.get(root) if len(chain) == 1 else None
        if function is not None and not known:
            self.pure = self.pure and function.pure
            value = self.object(function)
            return Code(value if self.names else call("global_or", name("g"), ast.Constant(root), value))
        problem = self.names.problem(chain, FUNCTIONS) if self.names else None
        if problem is not None:
            raise self.error(problem, node)
        self.chains.add(chain)
        return Code(ast.Subscript(name("g"), ast.Constant(root), ast.Load()), total=known)

    def _member(self, holder: Code, key: Code) -> Code:
        """The fast path: `(t.get('key') if type(t := holder) is dict else get(t, 'key'))`."""
        if not (key.constant and key.kind is Kind.TEXT):
            return Code(call("get", holder.tree, key.tree))
        kept = self.temporary()
        read = ast.Call(ast.Attribute(name(kept), "get", ast.Load()), [key.tree], [])
        slow = call("get", name(kept), ast.Constant(key.value))
        return Code(choose(is_type(keep(kept, holder.tree), "dict"), read, slow), total=holder.total)

    def _not(self, node: nodes.Not) -> Code:
        operand = self.truth(node.expr)
        return Code(ast.UnaryOp(ast.Not(), operand.tree), Kind.BOOLEAN, operand.total)

    def _array(self, node: nodes.Array) -> Code:
        items = [self.expression(item) for item in node.exprs]
        return Code(ast.List([item.tree for item in items], ast.Load()), total=all(item.total for item in items))

    def _tuple(self, node: nodes.Tuple) -> Code:
        items = [self.expression(item) for item in node.exprs]
        return Code(ast.Tuple([item.tree for item in items], ast.Load()), total=all(item.total for item in items))

    def _dict(self, node: nodes.Dict) -> Code:
        pairs = [(self.expression(key), self.expression(value)) for key, value in node.items]
        if all(key.constant for key, _ in pairs):
            keys: list[ast.expr | None] = [key.tree for key, _ in pairs]
            total = all(value.total for _, value in pairs)
            return Code(ast.Dict(keys, [value.tree for _, value in pairs]), total=total)
        return Code(call("dictionary", *(ast.Tuple([key.tree, value.tree], ast.Load()) for key, value in pairs)))

    def _lambda(self, node: nodes.Lambda) -> Code:
        """A Python lambda whose parameters all default to null: the variables are fresh in each call."""
        if isinstance(node.expr, nodes.Block):
            raise self.error("a block of statements cannot stand in an expression", node)
        scope: dict[str, str] = {}
        for parameter in node.args:
            if parameter in scope:
                raise self.error(f"the parameter '{parameter}' is named twice", node)
            self._count += 1
            scope[parameter] = f"v{self._count}"
        self._scopes.append(scope)
        body = self._lambda_body(node.expr)
        self._scopes.pop()
        arguments = ast.arguments(
            [],
            [ast.arg(variable) for variable in scope.values()],
            None,
            [],
            [],
            None,
            [ast.Constant(None) for _ in scope],
        )
        return Code(call("closure", ast.Lambda(arguments, body), ast.Constant(len(scope))), total=True)

    def _lambda_body(self, node: nodes.Expr) -> ast.expr:
        """`x -> {e}` evaluates e and gives null: the braces are no block."""
        if isinstance(node, nodes.Placeholder):
            pair = ast.Tuple([self.expression(node.expr).tree, ast.Constant(None)], ast.Load())
            return ast.Subscript(pair, ast.Constant(1), ast.Load())
        return self.expression(node).tree

    _LOWER: ClassVar[dict[type, Callable[["Lowering", Any], Code]]] = {
        nodes.Constant: _constant,
        nodes.Field: _field,
        nodes.ArrayAccess: _array_access,
        nodes.TupleAccess: _tuple_access,
        nodes.Not: _not,
        nodes.Array: _array,
        nodes.Tuple: _tuple,
        nodes.Dict: _dict,
        nodes.Lambda: _lambda,
        nodes.And: operators.lower_and,
        nodes.Or: operators.lower_or,
        nodes.ArithmeticOperation: operators.lower_arithmetic,
        nodes.CompareOperation: comparisons.lower_comparison,
        nodes.BetweenExpr: comparisons.lower_between,
        nodes.Call: calls.lower_call,
        nodes.ExprCall: calls.lower_value_call,
    }


def chain_of(node: nodes.Expr) -> Chain | None:
    """The dotted read that a node is: `a['b']` is `a.b`. None when it is something else."""
    if isinstance(node, nodes.Field):
        return tuple(node.chain)
    if isinstance(node, nodes.ArrayAccess) and isinstance(node.property, nodes.Constant):
        holder = chain_of(node.array)
        if holder is not None and isinstance(node.property.value, str) and node.property.value_type is None:
            return (*holder, node.property.value)
    return None


def _foreign(node: nodes.Expr) -> str:
    if isinstance(node, nodes.Placeholder):
        return "Placeholders are not allowed in this context"
    if isinstance(node, nodes.HogQLXTag):
        return f"the tag '<{node.kind}>' cannot stand in an expression"
    if isinstance(node, nodes.NamedArgument):
        return f"arguments have no names here: remove '{node.name} :='"
    what = (type(node).__doc__ or "").removeprefix("SQL: ").rstrip(".")
    return f"SQL is not supported here: {what}"

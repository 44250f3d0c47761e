"""Expressions to Python syntax, node by node. Operators, calls, functions and statements have modules of their own."""

import ast
from collections.abc import Callable
from typing import Any, ClassVar

from hog import nodes
from hog.compiler import calls, comparisons, functions, operators, statements, tags
from hog.compiler.code import Code, Kind, call, choose, constant, is_type, keep, name
from hog.compiler.positions import place, set_position
from hog.compiler.scopes import Kinds, Scopes, Variable
from hog.errors import HogCompileError
from hog.names import Chain, Names
from hog.stdlib import FUNCTIONS, Function


class Lowering:
    """The state of compiling one program: its scopes, its temporaries, and what has been seen in it."""

    def __init__(self, names: Names | None, source: str, kinds: Kinds | None = None) -> None:
        self.names = names
        self.source = source
        self.scopes = Scopes(kinds or Kinds())
        self.before: list[ast.stmt] = []
        """The statements that must stand before the one that is being compiled."""
        self.chains: set[Chain] = set()
        self.reads: dict[ast.expr, Chain] = {}
        """The nodes that read globals, and each what."""
        self.pure = True
        self.instructions = 0
        """The size of its literal patterns."""
        self.fenced = False
        """Whether the program can take long or leap: then it runs within budgets."""
        self.assigns_members = False
        """Whether it changes containers: then it gets copies of the globals."""
        self.objects: dict[str, Any] = {}
        """What the code refers to and no literal can express, such as compiled patterns, by Python name."""
        self._copies = self.scopes.kinds.copies
        self._count = 0

    def expression(self, node: nodes.Expr) -> Code:
        """The code of one expression."""
        lower = self._LOWER.get(type(node))
        if lower is None:
            # An argument with a name has no position of its own.
            raise self.error(_foreign(node), node.value if isinstance(node, nodes.NamedArgument) else node)
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

    def put(self, statement: ast.stmt, node: nodes.Node) -> None:
        """Add a Python statement that comes from the node."""
        self.before.append(set_position(statement, node))

    def block(self, node: nodes.Block) -> list[ast.stmt]:
        """The statements of a block."""
        return statements.lower_block(self, node.declarations)

    def program(self, node: nodes.Program) -> list[ast.stmt]:
        """The statements of a whole program."""
        made = [made for statement in node.declarations for made in statements.lower_statement(self, statement)]
        return made or [ast.Pass()]

    def local(self, variable: str, node: nodes.Expr) -> Variable | None:
        """The visible variable of this name."""
        found = self.scopes.find(variable)
        if found is not None and found.unset and found.function is self.scopes.here:
            raise self.error(f"Variable `{variable}` is read before it has a value", node)
        return found

    def read(self, variable: Variable) -> Code:
        """The code that reads a variable."""
        if variable.boxed:
            return Code(ast.Subscript(name(variable.python), ast.Constant(0), ast.Load()), total=True)
        return Code(name(variable.python), total=True)

    def refuse_index_0(self, key: nodes.Expr) -> None:
        """Arrays count from 1."""
        if isinstance(key, nodes.Constant) and key.value == 0 and type(key.value) in (int, float):
            raise self.error("Array access starts from 1", key)

    def truth(self, node: nodes.Expr) -> Code:
        """The code of a condition: a Python bool."""
        code = self.expression(node)
        if code.kind is Kind.BOOLEAN:
            return code
        tree = call("truthy", code.tree)
        place(tree, node)
        return Code(tree, Kind.BOOLEAN, code.total)

    def _constant(self, node: nodes.Constant) -> Code:
        return constant(node.value)

    def _field(self, node: nodes.Field) -> Code:
        return self._chain(tuple(node.chain), node)

    def _array_access(self, node: nodes.ArrayAccess) -> Code:
        chain = chain_of(node)
        if chain is not None:
            return self._chain(chain, node)
        self.refuse_index_0(node.property)
        key = self.expression(node.property)
        return self._member(self.expression(node.array), key)

    def _tuple_access(self, node: nodes.TupleAccess) -> Code:
        if node.index == 0:
            raise self.error("Array access starts from 1", node)
        return self._member(self.expression(node.tuple), constant(node.index))

    def _chain(self, chain: Chain, node: nodes.Expr) -> Code:
        variable = self.local(chain[0], node)
        code = self.read(variable) if variable is not None else self._global(chain, node)
        for count, key in enumerate(chain[1:], 1):
            if variable is None:
                self.reads[code.tree] = chain[:count]
            code = self._member(code, constant(key))
        if variable is None and self._copies:
            return Code(call("copied", code.tree), code.kind)
        if variable is None:
            self.reads[code.tree] = chain
        return code

    def _global(self, chain: Chain, node: nodes.Expr) -> Code:
        root = chain[0]
        if root == "*":
            raise self.error("'*' has no meaning here", node)
        known = self.names is not None and root in self.names.roots
        function = FUNCTIONS.get(root) if len(chain) == 1 else None
        if function is not None and not known:
            return self._library_value(function, node)
        problem = self.names.problem(chain, [*self.scopes.visible(), *FUNCTIONS]) if self.names else None
        if problem is not None:
            raise self.error(problem, node)
        self.chains.add(chain)
        return Code(ast.Subscript(name("g"), ast.Constant(root), ast.Load()), total=known)

    def _library_value(self, function: Function, node: nodes.Expr) -> Code:
        """A function of the library that is mentioned, not called."""
        self.uses(function, node)
        value = self.object(function)
        return Code(value if self.names else call("global_or", name("g"), ast.Constant(function.name), value))

    def uses(self, function: Function, node: nodes.Expr) -> None:
        """Note the use of a library function; raises where this host has no such effect."""
        if function.effect and self.names is not None and function.name not in self.names.effects:
            raise self.error(self.names.no_effect(function.name), node)
        self.pure = self.pure and function.pure
        self.fenced = self.fenced or function.leaps or function.effect

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
        trees = [item.tree for item in items]
        if all(isinstance(tree, ast.Constant) for tree in trees):
            # `(*['a', 'b'],)`: of two `('a', 'b')` Python would make one object, and what is one object is equal.
            trees = [ast.Starred(ast.List(trees, ast.Load()), ast.Load())]
        return Code(ast.Tuple(trees, ast.Load()), total=all(item.total for item in items))

    def _dict(self, node: nodes.Dict) -> Code:
        pairs = [(self.expression(key), self.expression(value)) for key, value in node.items]
        if all(key.constant for key, _ in pairs):
            keys: list[ast.expr | None] = [key.tree for key, _ in pairs]
            total = all(value.total for _, value in pairs)
            return Code(ast.Dict(keys, [value.tree for _, value in pairs]), total=total)
        return Code(call("dictionary", *(ast.Tuple([key.tree, value.tree], ast.Load()) for key, value in pairs)))

    _LOWER: ClassVar[dict[type, Callable[["Lowering", Any], Code]]] = {
        nodes.Constant: _constant,
        nodes.Field: _field,
        nodes.ArrayAccess: _array_access,
        nodes.TupleAccess: _tuple_access,
        nodes.Not: _not,
        nodes.Array: _array,
        nodes.Tuple: _tuple,
        nodes.Dict: _dict,
        nodes.Lambda: functions.lower_lambda,
        nodes.HogQLXTag: tags.lower_tag,
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
        if holder is not None and isinstance(node.property.value, str):
            return (*holder, node.property.value)
    return None


def _foreign(node: nodes.Expr) -> str:
    if isinstance(node, nodes.Placeholder):
        return "Placeholders are not allowed in this context"
    if isinstance(node, nodes.NamedArgument):
        return f"arguments have no names here: remove '{node.name} :='"
    what = (type(node).__doc__ or "").removeprefix("SQL: ").rstrip(".")
    return f"SQL is not supported here: {what}"

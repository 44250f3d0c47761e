"""The syntax tree. Data only. SQL nodes are known by name alone, for messages.

Source: the names and the form of the nodes of PostHog's hogql-parser 1.3.88, 2026-11.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec import UNSET, UnsetType


class Position(msgspec.Struct):
    """A place in the source: `line` counts from 1, `column` and `offset` (characters) from 0."""

    line: int
    column: int
    offset: int


class Node(msgspec.Struct, kw_only=True):
    """Any node. What the parser made up itself (`0 -` of a negation) has no position."""

    start: Position | None = None


class Constant(Node):
    """A literal."""

    value: bool | int | float | str | None


class Field(Node):
    """A name with dotted names behind it: `a.b.c`."""

    chain: list[str]


class ArrayAccess(Node):
    """`array[property]`, and `.name` behind anything but a plain name."""

    array: Expr
    property: Expr
    nullish: bool = False


class TupleAccess(Node):
    """`tuple.1`."""

    tuple: Expr
    index: int
    nullish: bool = False


class ArithmeticOperation(Node):
    """`left op right`, op one of `+ - * / %`."""

    left: Expr
    right: Expr
    op: str


class CompareOperation(Node):
    """`left op right`, op one of the comparisons, `in`, `like` and the regular-expression operators."""

    left: Expr
    right: Expr
    op: str
    is_null_comparison_style: bool = False


class BetweenExpr(Node):
    """`expr between low and high`."""

    expr: Expr
    low: Expr
    high: Expr
    negated: bool


class And(Node):
    """`a and b and c`, flat."""

    exprs: list[Expr]


class Or(Node):
    """`a or b or c`, flat."""

    exprs: list[Expr]


class Not(Node):
    """`not expr`."""

    expr: Expr


class Call(Node):
    """`name(args)`, or `name(params)(args)`. A call that stands for an operator (`||`, `??`) has no `distinct`."""

    name: str
    args: list[Expr]
    params: list[Expr] | None = None
    distinct: bool | UnsetType = UNSET


class ExprCall(Node):
    """A call of anything that is not a bare name."""

    expr: Expr
    args: list[Expr]


class Lambda(Node):
    """`(x, y) -> expr`."""

    args: list[str]
    expr: Expr | Block


class Array(Node):
    """`[a, b]`."""

    exprs: list[Expr]


class Tuple(Node):
    """`(a, b)`."""

    exprs: list[Expr]


class Dict(Node):
    """`{key: value}`."""

    items: list[tuple[Expr, Expr]]


class Placeholder(Node):
    """`{expr}` where an expression is expected."""

    expr: Expr


class HogQLXTag(Node):
    """`<kind attribute=…>…</kind>`."""

    kind: str
    attributes: list[HogQLXAttribute]


class HogQLXAttribute(Node):
    """One attribute of a tag; `children` has a list."""

    name: str
    value: Expr | list[Expr]


class NamedArgument(Node):
    """`name := value` among the arguments of a call."""

    name: str
    value: Expr


class Alias(Node):
    """SQL: `expr as name`."""


class TypeCast(Node):
    """SQL: `expr::type`."""


class TryCast(Node):
    """SQL: `try_cast(expr as type)`."""


class ArraySlice(Node):
    """SQL: `array[start:end]`."""


class IsDistinctFrom(Node):
    """SQL: `a is distinct from b`."""


class PositionalRef(Node):
    """SQL: `#1`."""


class ColumnsExpr(Node):
    """SQL: `columns(…)`."""


class SpreadExpr(Node):
    """SQL: `*expr`."""


class SelectQuery(Node):
    """SQL: `select …`."""


class SelectSetQuery(Node):
    """SQL: `select … union select …`."""


class ValuesQuery(Node):
    """SQL: `values (…)`."""


class WindowFunction(Node):
    """SQL: `f(x) over (…)`."""


class GroupingSet(Node):
    """SQL: `grouping sets (…)`."""


class OrderExpr(Node):
    """SQL: `expr desc`."""


class PivotExpr(Node):
    """SQL: `pivot (…)`."""


class UnpivotExpr(Node):
    """SQL: `unpivot (…)`."""


class Program(Node):
    """A whole program."""

    declarations: list[Statement]


class Block(Node):
    """`{ … }` with a scope of its own."""

    declarations: list[Statement]


class VariableDeclaration(Node):
    """`let name := expr`."""

    name: str
    expr: Expr | None = None


class VariableAssignment(Node):
    """`left := right`."""

    left: Expr
    right: Expr


class ExprStatement(Node):
    """An expression whose value is discarded; without one, an empty statement."""

    expr: Expr | None = None


class ReturnStatement(Node):
    """`return expr`."""

    expr: Expr | None = None


class ThrowStatement(Node):
    """`throw expr`."""

    expr: Expr


class IfStatement(Node):
    """`if (expr) then else else_`."""

    expr: Expr
    then: Statement
    else_: Statement | None = None


class WhileStatement(Node):
    """`while (expr) body`."""

    expr: Expr
    body: Statement


class ForStatement(Node):
    """`for (initializer; condition; increment) body`."""

    body: Statement
    initializer: Statement | Expr | None = None
    condition: Expr | None = None
    increment: Statement | Expr | None = None


class ForInStatement(Node):
    """`for (let key_var, value_var in expr) body`."""

    value_var: str
    expr: Expr
    body: Statement
    key_var: str | None = None


class Function(Node):
    """`fun name(params) body`."""

    name: str
    params: list[str]
    body: Block


class TryCatchStatement(Node):
    """`try … catch (name: type) … finally …`."""

    try_stmt: Block
    catches: list[tuple[str | None, str | None, Block]]
    finally_stmt: Block | None = None


Sql: TypeAlias = (
    Alias
    | TypeCast
    | TryCast
    | ArraySlice
    | IsDistinctFrom
    | PositionalRef
    | ColumnsExpr
    | SpreadExpr
    | SelectQuery
    | SelectSetQuery
    | ValuesQuery
    | WindowFunction
    | GroupingSet
    | OrderExpr
    | PivotExpr
    | UnpivotExpr
)
Expr: TypeAlias = (
    Constant
    | Field
    | ArrayAccess
    | TupleAccess
    | ArithmeticOperation
    | CompareOperation
    | BetweenExpr
    | And
    | Or
    | Not
    | Call
    | ExprCall
    | Lambda
    | Array
    | Tuple
    | Dict
    | Placeholder
    | HogQLXTag
    | NamedArgument
    | Sql
)
Statement: TypeAlias = (
    Program
    | Block
    | VariableDeclaration
    | VariableAssignment
    | ExprStatement
    | ReturnStatement
    | ThrowStatement
    | IfStatement
    | WhileStatement
    | ForStatement
    | ForInStatement
    | Function
    | TryCatchStatement
)

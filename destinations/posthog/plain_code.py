"""Code that makes one request of its inputs, whatever the event: what a template with a `request` can do as well.

Any other program is left alone. A branch on an input that is never set is no branch.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

import hog
from destinations.filters.build import unplaced
from hog import nodes
from hog.nodes import Expr


class PlainFetch(msgspec.Struct, frozen=True):
    """The one call of `fetch`."""

    url: Expr
    options: dict[str, Expr]
    fails_from: int | None
    """The least status for which the program throws; None where it never does."""


class _NotPlainError(Exception):
    """The program does something else."""


def plain_fetch(source: str, unset: Collection[str]) -> PlainFetch | None:
    """The call, if that is all that the program does; `unset` are the inputs that are null or false."""
    try:
        tree = hog.program(source).node
        assert isinstance(tree, nodes.Program)
        return _Reader(unset).read(tree)
    except (hog.HogError, _NotPlainError):
        return None


class _Reader:
    """Walks the statements in order, keeping what each name stands for."""

    def __init__(self, unset: Collection[str]) -> None:
        self._unset = unset
        self._names: dict[str, Expr] = {}
        self._answer = ""
        self._fetch: tuple[Expr, dict[str, Expr]] | None = None
        self._fails_from: int | None = None

    def read(self, tree: nodes.Program) -> PlainFetch | None:
        for statement in tree.declarations:
            self._statement(statement)
        return PlainFetch(*self._fetch, self._fails_from) if self._fetch is not None else None

    def _statement(self, statement: Any) -> None:
        match statement:
            case nodes.VariableDeclaration(name=name, expr=nodes.Call(name="fetch", args=args)):
                self._called(args)
                self._answer = name
            case nodes.VariableDeclaration(name=name, expr=expr) if name != "inputs" and _is_pure(expr):
                self._names[name] = expr  # type: ignore[assignment]  # a pure one is not None
            case nodes.ExprStatement(expr=nodes.Call(name="fetch", args=args)):
                self._called(args)
            case nodes.ExprStatement(expr=nodes.Call(name="print", args=args)) if all(map(_is_pure, args)):
                pass
            case nodes.ExprStatement(expr=None):
                pass
            case nodes.IfStatement(expr=nodes.Field(chain=["inputs", name]), else_=None) if name in self._unset:
                pass
            case nodes.IfStatement(expr=nodes.Field(chain=["inputs", _]), then=then, else_=None):
                self._only_prints(then)
            case nodes.IfStatement(expr=condition, then=then, else_=None):
                self._throws(condition, then)
            case _:
                raise _NotPlainError

    def _called(self, args: list[Expr]) -> None:
        if self._fetch is not None or not 1 <= len(args) <= 2:
            raise _NotPlainError
        options = self._meant(args[1]) if len(args) == 2 else nodes.Dict(items=[])
        if not isinstance(options, nodes.Dict):
            raise _NotPlainError
        found: dict[str, Expr] = {}
        for key, value in options.items:
            if not isinstance(key, nodes.Constant) or not isinstance(key.value, str):
                raise _NotPlainError
            found[key.value] = unplaced(self._meant(value))
        self._fetch = unplaced(self._meant(args[0])), found

    def _meant(self, expr: Expr) -> Expr:
        match expr:
            case nodes.Field(chain=[name]) if name in self._names:
                return self._names[name]
        return expr

    def _only_prints(self, then: Any) -> None:
        for statement in _inner(then):
            match statement:
                case nodes.ExprStatement(expr=nodes.Call(name="print", args=args)) if all(map(_is_pure, args)):
                    pass
                case _:
                    raise _NotPlainError

    def _throws(self, condition: Expr, then: Any) -> None:
        """`if (res.status >= 400) throw …`, behind the call."""
        if self._fails_from is not None or self._fetch is None:
            raise _NotPlainError
        match condition, list(_inner(then)):
            case (
                nodes.CompareOperation(
                    op=">=", left=nodes.Field(chain=[answer, "status"]), right=nodes.Constant(value=int(status))
                ),
                [nodes.ThrowStatement()],
            ) if answer == self._answer:
                self._fails_from = status
            case _:
                raise _NotPlainError


def _inner(statement: Any) -> Iterator[Any]:
    if isinstance(statement, nodes.Block):
        yield from statement.declarations
    else:
        yield statement


def _is_pure(expr: Any) -> bool:
    """Made of names and literals alone, so that to evaluate it does nothing else."""
    match expr:
        case nodes.Constant() | nodes.Field():
            return True
        case nodes.Dict(items=items):
            return all(_is_pure(key) and _is_pure(value) for key, value in items)
        case nodes.Array(exprs=exprs) | nodes.Tuple(exprs=exprs):
            return all(map(_is_pure, exprs))
    return False


def same_request(fetch: PlainFetch, parts: Mapping[str, Any]) -> bool:
    """Whether the call is made of the same expressions as a template's request (`url`, `method`, `headers`, `body`)."""
    written = {"url": fetch.url, **fetch.options}
    return written.keys() == parts.keys() and all(written[key] == _parsed(text) for key, text in parts.items())


def _parsed(text: Any) -> Expr | None:
    if not isinstance(text, str):
        return None
    return unplaced(hog.template(text).expression)

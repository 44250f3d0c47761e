"""What an expression reads of the globals several times, it reads once: `event.properties` in each clause of a filter.

The syntax is walked in the order in which Python evaluates it. A read that has surely happened before becomes the read
of a temporary; what stands in a branch is known only there. Inner functions are left as they are.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hog.compiler.code import keep, name
from hog.names import Chain

if TYPE_CHECKING:
    from hog.compiler.lowering import Lowering


def share_reads(tree: ast.expr, lowering: Lowering) -> ast.expr:
    """The tree with each read of the globals once; `lowering` knows which of its nodes are such reads."""
    return _Sharing(lowering).visit(tree)


class _Sharing:
    def __init__(self, lowering: Lowering) -> None:
        self._lowering = lowering
        self._uses = Counter(lowering.reads.values())
        self._known: dict[Chain, str] = {}
        """The temporaries of the reads that have surely happened."""

    def visit(self, tree: ast.expr) -> ast.expr:
        chain = self._lowering.reads.get(tree)
        if chain is not None and chain in self._known:
            return ast.copy_location(name(self._known[chain]), tree)
        self._visit_parts(tree)
        if chain is None or self._uses[chain] < 2:
            return tree
        self._known[chain] = self._lowering.temporary()
        return ast.copy_location(keep(self._known[chain], tree), tree)

    def _visit_parts(self, tree: ast.expr) -> None:
        match tree:
            case ast.IfExp():
                tree.test = self.visit(tree.test)
                tree.body = self._branch([tree.body])[0]
                tree.orelse = self._branch([tree.orelse])[0]
            case ast.BoolOp():
                tree.values = [self.visit(tree.values[0]), *self._branch(tree.values[1:])]
            case ast.Compare():
                tree.left = self.visit(tree.left)
                tree.comparators = [self.visit(tree.comparators[0]), *self._branch(tree.comparators[1:])]
            case ast.Dict():
                for index, (key, value) in enumerate(zip(tree.keys, tree.values, strict=True)):
                    tree.keys[index] = key and self.visit(key)
                    tree.values[index] = self.visit(value)
            case ast.Call():
                tree.func = self.visit(tree.func)
                tree.args = [self.visit(argument) for argument in tree.args]
            case ast.BinOp():
                tree.left, tree.right = self.visit(tree.left), self.visit(tree.right)
            case ast.UnaryOp():
                tree.operand = self.visit(tree.operand)
            case ast.NamedExpr() | ast.Attribute():
                tree.value = self.visit(tree.value)
            case ast.Subscript():
                tree.value, tree.slice = self.visit(tree.value), self.visit(tree.slice)
            case ast.List() | ast.Tuple():
                tree.elts = [self.visit(item) for item in tree.elts]

    def _branch(self, trees: Iterable[ast.expr]) -> list[ast.expr]:
        """Trees evaluated one after the other, perhaps not at all."""
        known, self._known = self._known, dict(self._known)
        try:
            return [self.visit(tree) for tree in trees]
        finally:
            self._known = known

"""What a filter needs in order to hold, read off its tree: what text the event's name or a property must be or contain.

It may say less than is true, never more: whoever meets the requirement still has to be tried.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce

import hog
from hog import nodes
from hog.names import Chain

_Reader = Callable[[nodes.Expr, Chain], frozenset[str] | None]
_Both = Callable[[frozenset[str], frozenset[str]], frozenset[str]]
_FAILS_ON_NULL = frozenset({"==", "<", "<=", ">", ">="})
"""Comparisons with a value that null does not pass."""


@dataclass(frozen=True)
class Requirement:
    """A property that must be there. What is no text may pass any comparison with one: 5 equals '5'."""

    property: str
    texts: frozenset[str] | None
    """Where it is a text, it must be one of these; None if it may be any."""
    parts: frozenset[str] | None
    """Where it is a text of ASCII, it must contain one of these once it is in lower case; None if it need not."""


def requirement_of(whole: hog.Program) -> Requirement | None:
    """The property that says most; None where the filter may hold without any."""
    node = whole.expression
    chains = sorted(chain for chain in whole.chains if len(chain) == 2 and chain[0] == "properties")
    found = [
        Requirement(chain[1], texts_of(node, chain), _parts_of(node, chain))
        for chain in chains
        if _needs_value(node, chain)
    ]
    return min(found, key=_generosity, default=None)


def requirement_of_any(many: Iterable[Requirement | None]) -> Requirement | None:
    """What is needed for one of several filters to hold; None unless all of them name the same property."""
    found = list(many)
    needs = [one for one in found if one is not None]
    if len(needs) < len(found) or len({one.property for one in needs}) != 1:
        return None
    return Requirement(needs[0].property, union(one.texts for one in needs), union(one.parts for one in needs))


def _generosity(requirement: Requirement) -> tuple[bool, bool, int]:
    texts, parts = requirement.texts, requirement.parts
    return texts is None, parts is None, len(texts or parts or ())


def texts_of(node: nodes.Expr, chain: Chain) -> frozenset[str] | None:
    """Where `chain` reads a text, those with which the expression can be true; None if that cannot be said."""
    match node:
        case nodes.CompareOperation(op="==", left=left, right=other) if _reads(left, chain):
            return _text_of(other)
        case nodes.CompareOperation(op="==", left=other, right=right) if _reads(right, chain):
            return _text_of(other)
        case nodes.CompareOperation(op="in", left=left, right=nodes.Array(exprs=exprs) | nodes.Tuple(exprs=exprs)):
            return union(map(_text_of, exprs)) if _reads(left, chain) else None
    return _combined(node, chain, texts_of, frozenset.__and__)


def _parts_of(node: nodes.Expr, chain: Chain) -> frozenset[str] | None:
    """The same for the texts, in lower case, that a text of ASCII has to contain one of."""
    match node:
        case nodes.CompareOperation(op="like" | "ilike", left=left, right=nodes.Constant(value=str() as pattern)):
            return _part_of(pattern.removeprefix("%").removesuffix("%")) if _reads_as_text(left, chain) else None
        case nodes.CompareOperation(
            op=">",
            left=nodes.Call(name="multiSearchAnyCaseInsensitive", args=[left, nodes.Array(exprs=exprs)]),
            right=nodes.Constant(value=0),
        ) if _reads_as_text(left, chain):
            return union(_part_of(text) for expr in exprs for text in _text_of(expr) or {""})
    # A part of each operand is in the text, so asking for those of one of them is enough.
    return _combined(node, chain, _parts_of, lambda one, other: min(one, other, key=len))


def _part_of(text: str) -> frozenset[str] | None:
    """Nothing where it has wildcards. Some letters beyond ASCII have their capital within it, as `ſ` has."""
    return None if not text.isascii() or {"", "%", "_"} & {text, *text} else frozenset({text.lower()})


def _combined(node: nodes.Expr, chain: Chain, of: _Reader, both: _Both) -> frozenset[str] | None:
    match node:
        case nodes.Constant(value=False):
            return frozenset()
        case nodes.And(exprs=exprs):
            known = [found for operand in exprs if (found := of(operand, chain)) is not None]
            return reduce(both, known) if known else None
        case nodes.Or(exprs=exprs):
            return union(of(operand, chain) for operand in exprs)
    return None


def _needs_value(node: nodes.Expr, chain: Chain) -> bool:
    """Whether the expression cannot be true while `chain` is null."""
    match node:
        case nodes.Constant(value=False):
            return True
        case nodes.And(exprs=exprs):
            return any(_needs_value(operand, chain) for operand in exprs)
        case nodes.Or(exprs=exprs):
            return all(_needs_value(operand, chain) for operand in exprs)
        case nodes.CompareOperation(op="like" | "ilike"):
            parts = _parts_of(node, chain)
            return parts is not None and all(part not in "null" for part in parts)  # As which null is read.
        case nodes.CompareOperation(op=op, left=left, right=nodes.Constant(value=value)) if _reads(left, chain):
            return op in _FAILS_ON_NULL if value is not None else op == "!="
        case nodes.CompareOperation(op=op, left=nodes.Constant(value=value), right=right) if _reads(right, chain):
            return op in _FAILS_ON_NULL if value is not None else op == "!="
        case nodes.CompareOperation(op="in", left=left):
            return _reads(left, chain) and texts_of(node, chain) is not None
    return False


def _reads(node: nodes.Expr, chain: Chain) -> bool:
    return isinstance(node, nodes.Field) and tuple(node.chain) == chain


def _reads_as_text(node: nodes.Expr, chain: Chain) -> bool:
    if isinstance(node, nodes.Call) and node.name == "toString" and len(node.args) == 1:
        node = node.args[0]
    return _reads(node, chain)


def union(many: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """All of them together; None if any of them is."""
    union: frozenset[str] = frozenset()
    for texts in many:
        if texts is None:
            return None
        union |= texts
    return union


def _text_of(node: nodes.Expr) -> frozenset[str] | None:
    """The text that the node is."""
    if isinstance(node, nodes.Constant) and isinstance(node.value, str):
        return frozenset({node.value})
    return None

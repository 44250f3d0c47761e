"""A compiled filter: the whole of it, the part that reads only the event, and the event names it can match.

Whether an event is wanted is decided by the whole. The other two are only ever more generous, so that most events can
be dropped before the person is looked up.
"""

from collections.abc import Iterable
from functools import reduce

import hog
from destinations.errors import EventDataError
from destinations.globals import ELEMENT_ROOTS, EVENT_ROOTS, EventView, row_needs
from destinations.names import IN_FILTER
from destinations.peek import Peek, peek_at, property_names
from hog import nodes

MAX_PEEKED = 8


class Filter:
    """A filter; without an expression every event matches."""

    def __init__(self, whole: hog.Program | None) -> None:
        """`whole` is an expression compiled with the names of filters."""
        self.source = "" if whole is None else whole.source
        self.whole = whole
        self._whole_needs = row_needs(whole.chains) if whole else frozenset()
        self._of_event = None if whole is None else _event_part(whole)
        self._event_needs = row_needs(self._of_event.chains) if self._of_event else frozenset()
        self._peek = _peek(self._of_event)
        self.event_names: frozenset[str] | None = None if whole is None else _event_names(whole.expression)
        """Only these event names can match; None if any can."""

    def wants_event(self, view: EventView) -> bool:
        """Whether the event can match, judged by the event alone. What cannot be judged counts as wanted."""
        if self._of_event is None:
            return True
        try:
            if self._peek is not None and not view.is_parsed:
                return self._of_event(view.peeked_row(self._peek)) is True
            return self._of_event(view.row(self._event_needs)) is True
        except (hog.HogRuntimeError, EventDataError):
            return True

    def matches(self, view: EventView) -> bool:
        """Whether the event matches: only `true` itself does. Raises HogRuntimeError or EventDataError."""
        return self.whole is None or self.whole(view.row(self._whole_needs)) is True


def _peek(of_event: hog.Program | None) -> Peek | None:
    """How to read what the event part reads of the properties; None where they have to be parsed, or are not read."""
    if of_event is None or of_event.roots & ELEMENT_ROOTS:
        return None
    names = property_names(of_event.chains)
    return peek_at(names) if names and len(names) <= MAX_PEEKED else None


def _event_part(whole: hog.Program) -> hog.Program | None:
    """The operands of the top-level `and` that read only the event; None if there is none."""
    operands = hog.conjuncts(whole)
    of_event = [operand.expression for operand in operands if operand.roots <= EVENT_ROOTS]
    if not of_event:
        return None
    if len(of_event) == len(operands):
        return whole
    # `and` of one operand keeps the operand's truth: `1 and x` asks whether 1 is true, not whether it is `true`.
    node = nodes.And(exprs=of_event if len(of_event) > 1 else [*of_event, nodes.Constant(value=True)])
    return hog.compile_node(node, names=IN_FILTER, source=whole.source)


def _event_names(node: nodes.Expr) -> frozenset[str] | None:
    """The event names that can make the expression true; None if any can."""
    match node:
        case nodes.Constant(value=False):
            return frozenset()
        case nodes.And(exprs=exprs):
            known = [names for names in map(_event_names, exprs) if names is not None]
            return reduce(frozenset.__and__, known) if known else None
        case nodes.Or(exprs=exprs):
            return union_of_names(map(_event_names, exprs))
        case nodes.CompareOperation(op="==", left=nodes.Field(chain=["event"]), right=other):
            return _text_of(other)
        case nodes.CompareOperation(op="==", left=other, right=nodes.Field(chain=["event"])):
            return _text_of(other)
        case nodes.CompareOperation(
            op="in", left=nodes.Field(chain=["event"]), right=nodes.Array(exprs=exprs) | nodes.Tuple(exprs=exprs)
        ):
            return union_of_names(map(_text_of, exprs))
    return None


def union_of_names(many: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """All of them together; None if any of them is."""
    union: frozenset[str] = frozenset()
    for names in many:
        if names is None:
            return None
        union |= names
    return union


def _text_of(node: nodes.Expr) -> frozenset[str] | None:
    """The text that the node is."""
    if isinstance(node, nodes.Constant) and isinstance(node.value, str):
        return frozenset({node.value})
    return None

"""A compiled filter: the whole of it, the part that reads only the event, and the event names it can match.

Whether an event is wanted is decided by the whole. The other two are only ever more generous, so that most events can
be dropped before the person is looked up.
"""

from collections.abc import Mapping
from typing import Any

import hog
from destinations.errors import EventDataError
from destinations.globals import ELEMENT_ROOTS, EVENT_ROOTS, EventView, row_needs
from destinations.names import IN_FILTER
from destinations.peek import property_names
from destinations.requirements import Requirement, requirement_of, texts_of
from hog import nodes


class Filter:
    """A filter; without an expression every event matches."""

    def __init__(self, whole: hog.Program | None) -> None:
        """`whole` is an expression compiled with the names of filters."""
        self.source = "" if whole is None else whole.source
        self.whole = whole
        self._whole_needs = row_needs(whole.chains) if whole else frozenset()
        self._of_event = None if whole is None else _event_part(whole)
        self._event_needs = row_needs(self._of_event.chains) if self._of_event else frozenset()
        self.event_names: frozenset[str] | None = None if whole is None else texts_of(whole.expression, ("event",))
        """Only these event names can match; None if any can."""
        self.requirement: Requirement | None = None if whole is None else requirement_of(whole)
        """Only events with such a property can match; None if any can."""
        self.properties_read = _properties_read(self._of_event)
        """The properties that the event part reads; None where it reads more than those and the columns."""

    def wants_event(self, view: EventView, row: Mapping[str, Any] | None = None) -> bool:
        """Whether the event can match, judged by the event alone. What cannot be judged counts as wanted.

        `row` spares building one: it has to hold the columns and the `properties_read`, and may lack all else.
        """
        if self._of_event is None:
            return True
        try:
            if row is None or self.properties_read is None:
                row = view.row(self._event_needs)
            return self._of_event(row) is True
        except (hog.HogRuntimeError, EventDataError):
            return True

    def matches(self, view: EventView) -> bool:
        """Whether the event matches: only `true` itself does. Raises HogRuntimeError or EventDataError."""
        return self.whole is None or self.whole(view.row(self._whole_needs)) is True


def _properties_read(of_event: hog.Program | None) -> frozenset[str] | None:
    if of_event is None:
        return frozenset()
    return None if of_event.roots & ELEMENT_ROOTS else property_names(of_event.chains)


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

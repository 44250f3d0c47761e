"""screen: drops every event that no destination can want, before any join. Its cost grows with what matches."""

from collections.abc import Sequence
from typing import Protocol

from bytewax import operators as op
from bytewax.dataflow import Stream

from destinations import Candidates, Destination, EventView, Site
from operators.decode import Decoded, Mark
from records import Event, Source

Screened = EventView | Mark


class Configured(Protocol):
    """The destinations as they are configured at this moment; see `connectors.config_store`."""

    site: Site

    def candidates(self, project: int, event_name: str, source: Source = Source.EVENTS) -> Candidates:
        """The enabled destinations that take this source, and whose filter admits this project and event name."""

    def find(self, destination: str) -> Destination | None:
        """The enabled destination of this id."""

    def ids(self) -> Sequence[str]:
        """The ids of all enabled destinations."""


def screen(step_id: str, up: Stream[Decoded], destinations: Configured) -> Stream[Screened]:
    """Keep the events that some destination may want.

    Shape:
        In: `Event` and marks. Out: `EventView` with `event.wanted_by` filled, and the marks in their places.
    State:
        None.
    Errors:
        None raised. A filter that cannot be judged by the event alone counts as wanting it, unless the event lacks a
        property that it needs.
    Guarantee:
        An event read again for one destination passes for that one, whatever its filter says: `route` decides.
    """

    def keep(batch: list[Decoded]) -> list[Screened]:
        kept: list[Screened] = []
        for item in batch:
            if not isinstance(item, Event):
                kept.append(item)
            elif (view := wanted(item, destinations)) is not None:
                kept.append(view)
        return kept

    return op.flat_map_batch(step_id, up, keep)


def wanted(event: Event, destinations: Configured) -> EventView | None:
    """The event's view with the ids of who may want it; None when nobody can."""
    if event.only_for is not None:
        event.wanted_by = (event.only_for,)
        return EventView(event, destinations.site)
    candidates = destinations.candidates(event.project, event.event, event.source)
    if not candidates:
        return None
    view = EventView(event, destinations.site)
    event.wanted_by = tuple([each.id for each in candidates.wanting(view)])
    return view if event.wanted_by else None

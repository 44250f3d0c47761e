"""screen: drops every event that no destination can want, before any join. Its cost grows with what matches."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import time
from typing import Protocol, TypeGuard, cast

from bytewax import operators as op
from bytewax.dataflow import Stream, operator

from destinations import Candidates, Destination, EventView, Site
from operators.decode import Decoded, Mark
from records import Event, Metric, Source

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


@dataclass(frozen=True)
class ScreenOut:
    """Streams out of `screen`."""

    events: Stream[Screened]
    """What some destination may want, and the marks."""
    reports: Stream[Metric]
    """How many events samples have left out."""


@operator
def screen(step_id: str, up: Stream[Decoded], destinations: Configured, clock: Callable[[], float] = time) -> ScreenOut:
    """Keep the events that some destination may want.

    Shape:
        In: `Event` and marks. Out: `EventView` with `event.wanted_by` filled, and the marks in their places; metrics.
    State:
        None.
    Errors:
        None raised. A filter that cannot be judged by the event alone counts as wanting it, unless the event lacks a
        property that it needs.
    Guarantee:
        An event read again for one destination passes for that one, whatever its filter says: `route` decides.
    """

    def keep(batch: list[Decoded]) -> list[Screened | Metric]:
        kept: list[Screened | Metric] = []
        left_out = Counter[str]()
        for item in batch:
            if not isinstance(item, Event):
                kept.append(item)
            elif (view := wanted(item, destinations, left_out)) is not None:
                kept.append(view)
        kept += sampled_out(left_out, clock())
        return kept

    screened = op.flat_map_batch("screen_batch", up, keep)
    sorted_out = op.branch("sort_out", screened, _is_metric)
    # The engine's types narrow only the one side of a branch.
    return ScreenOut(events=cast("Stream[Screened]", sorted_out.falses), reports=sorted_out.trues)


def wanted(event: Event, destinations: Configured, left_out: Counter[str]) -> EventView | None:
    """The event's view with the ids of who may want it; None when nobody can.

    `left_out` counts by destination what only the sample is against. It is asked last, so that it is asked seldom.
    """
    if event.only_for is not None:
        event.wanted_by = (event.only_for,)
        return EventView(event, destinations.site)
    candidates = destinations.candidates(event.project, event.event, event.source)
    if not candidates:
        return None
    view = EventView(event, destinations.site)
    wanting = candidates.wanting(view)
    event.wanted_by = _sampled(wanting, view, left_out) if wanting else ()
    return view if event.wanted_by else None


def sampled_out(left_out: Mapping[str, int], now: float) -> list[Metric]:
    """The counts of what samples have left out."""
    return [Metric(id, int(now // 60) * 60, "other", "sampled_out", count) for id, count in left_out.items()]


def _sampled(wanting: Sequence[Destination], view: EventView, left_out: Counter[str]) -> tuple[str, ...]:
    ids: list[str] = []
    for each in wanting:
        if each.sample is None or each.sample.wants_event(view):
            ids.append(each.id)
        else:
            left_out[each.id] += 1
    return tuple(ids)


def _is_metric(item: Screened | Metric) -> TypeGuard[Metric]:
    return isinstance(item, Metric)

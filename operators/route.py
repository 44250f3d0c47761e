"""route: the per-destination branch. Decides each filter, renders the inputs, and emits one invocation per match.

What matches for a destination that takes nothing at present is not rendered: its positions are enough. So a destination
that is ill costs the others little more than its filter.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeGuard, cast

from bytewax import operators as op
from bytewax.dataflow import Stream, operator
from bytewax.operators import KeyedStream

from delivery import UNREPEATABLE, Progress
from destinations import Destination, EventDataError, EventView, InputError
from hog import HogRuntimeError
from operators.deliver import Item
from operators.screen import Configured, Screened
from records import EndOfInput, Event, Invocation, LogLine, Metric, Missed, RangeRead

Report = LogLine | Metric
Keyed = tuple[str, Item]

REPORT_EVERY_S = 10.0
"""A filter that fails on one event fails on most: one log line each ten seconds, and the count as a metric."""


@dataclass(frozen=True)
class RouteOut:
    """Streams out of `route`."""

    invocations: KeyedStream[Item]
    """By destination: matches, and the marks that belong to it."""
    reports: Stream[Report]
    """Filters that could not be decided."""


@operator
def route(step_id: str, up: Stream[Screened], destinations: Configured, progress: Progress) -> RouteOut:
    """Send each event to every destination that wants it.

    Shape:
        In: `EventView` and marks. Out: `(destination, Invocation | Missed | RangeRead | EndOfInput)`, and reports.
    State:
        None.
    Errors:
        None raised. Inputs that cannot be rendered make an invocation without a request, which fails with its position;
        a filter that fails counts as no match and is reported.
    """
    router = Router(destinations, progress)
    routed = op.flat_map_batch("route_batch", up, router.route)
    sorted_out = op.branch("sort_out", routed, _is_report)
    # The engine's types narrow only the one side of a branch.
    return RouteOut(invocations=cast("KeyedStream[Item]", sorted_out.falses), reports=sorted_out.trues)


class Router:
    """Turns one batch into keyed items and reports."""

    def __init__(self, destinations: Configured, progress: Progress, clock: Callable[[], float] = time.time) -> None:
        self._destinations = destinations
        self._progress = progress
        self._clock = clock
        self._reported_at: dict[str, float] = {}
        # Of one batch, in which a destination is closed for all of its matches or for none.
        self._closed: dict[str, bool] = {}
        self._missed: dict[tuple[str, str, int], Missed] = {}

    def route(self, batch: Iterable[Screened]) -> list[Keyed | Report]:
        """What a batch becomes, in its order."""
        self._closed.clear()
        self._missed.clear()
        routed: list[Keyed | Report] = []
        for item in batch:
            if isinstance(item, EventView):
                routed += self._route_event(item)
            elif isinstance(item, RangeRead):
                routed.append((item.only_for, item))
            else:
                routed += self._announce_end(item)
        return routed

    def _route_event(self, view: EventView) -> list[Keyed | Report]:
        routed: list[Keyed | Report] = []
        for id in view.event.wanted_by:
            destination = self._destinations.find(id)
            if destination is None:
                continue
            try:
                if destination.matches(view):
                    if self._is_rendered(id, view.event):
                        routed.append((id, invoke(destination, view)))
                    elif (missed := self._miss(id, view.event)) is not None:
                        routed.append((id, missed))
            except (HogRuntimeError, EventDataError) as error:
                routed += self._report(destination, view, str(error))
        return routed

    def _is_rendered(self, id: str, event: Event) -> bool:
        if event.only_for is not None or event.stream == UNREPEATABLE:
            return True
        closed = self._closed.get(id)
        if closed is None:
            closed = self._closed[id] = self._progress.closed(id)
        return not closed

    def _miss(self, id: str, event: Event) -> Missed | None:
        """The start of a new row of matches; None when this one goes on with the last."""
        key = (id, event.stream, event.partition)
        row = self._missed.get(key)
        if row is not None and event.offset > row.last:
            row.last = event.offset
            row.count += 1
            return None
        row = Missed(id, event.stream, event.partition, event.offset, event.offset, 1, event.read_ms)
        self._missed[key] = row
        return row

    def _announce_end(self, mark: EndOfInput) -> list[Keyed]:
        ids = self._destinations.ids()
        self._progress.part_ended(mark.part, ids)
        return [(id, EndOfInput(mark.part, id)) for id in ids]

    def _report(self, destination: Destination, view: EventView, error: str) -> list[Report]:
        now = self._clock()
        reports: list[Report] = [Metric(destination.id, int(now // 60) * 60, "other", "filtering_failed", 1)]
        if now - self._reported_at.get(destination.id, 0.0) >= REPORT_EVERY_S:
            self._reported_at[destination.id] = now
            event = view.event
            where = f"event {event.event!r} {event.uuid} at {event.stream}/{event.partition}:{event.offset}"
            text = destination.redact(f"the filter failed, so the event counts as no match: {error} ({where})".encode())
            reports.append(LogLine(destination.id, now, "error", text.decode(errors="replace")))
        return reports


def invoke(destination: Destination, view: EventView) -> Invocation:
    """The invocation of a match; without a request, and saying why, when its inputs cannot be rendered."""
    event = view.event
    invocation = Invocation(
        id=destination.invocation_id(event),
        destination=destination.id,
        stream=event.stream,
        partition=event.partition,
        offset=event.offset,
        read_ms=event.read_ms,
        event_uuid=event.uuid,
        event_name=event.event,
        person=event.person.id if event.person is not None else event.person_id or event.distinct_id,
        work=None,
        reread=event.only_for is not None,
    )
    try:
        invocation.work = destination.render(view)
    except (InputError, EventDataError) as error:
        invocation.error = str(error)
    return invocation


def _is_report(item: Keyed | Report) -> TypeGuard[Report]:
    return not isinstance(item, tuple)

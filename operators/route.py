"""route: the per-destination branch. Decides each filter, renders the inputs, and emits one invocation per match.

What matches for a destination that takes nothing at present is not rendered: its positions are enough. So a destination
that is ill costs the others little more than its filter. What has a frequency cap is rendered by `mask`, if it goes on.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeGuard, cast

from bytewax import operators as op
from bytewax.dataflow import Stream, operator
from bytewax.operators import KeyedStream

from delivery import UNREPEATABLE, Progress
from destinations import Branch, Destination, EventDataError, EventView, InputError
from hog import HogRuntimeError
from operators.deliver import Item
from operators.screen import Configured, Screened, sampled_out
from records import Cap, Capped, EndOfInput, Event, Invocation, LogLine, Metric, Missed, RangeRead, Together

Report = LogLine | Metric
Keyed = tuple[str, Item | Capped]

REPORT_EVERY_S = 10.0
"""A filter that fails on one event fails on most: one log line each ten seconds, and the count as a metric."""


@dataclass(frozen=True)
class RouteOut:
    """Streams out of `route`."""

    invocations: KeyedStream[Item]
    """By destination: matches, and the marks that belong to it."""
    capped: KeyedStream[Capped]
    """The same of those that have a frequency cap."""
    reports: Stream[Report]
    """Filters that could not be decided, and how many events samples have left out."""


@operator
def route(step_id: str, up: Stream[Screened], destinations: Configured, progress: Progress) -> RouteOut:
    """Send each event to every destination that wants it.

    Shape:
        In: `EventView` and marks. Out: `(destination, Invocation | Together | Missed | RangeRead | EndOfInput)`, those
        in `Capped` that `mask` has to decide, and reports.
    State:
        None.
    Errors:
        None raised. Inputs that cannot be rendered make an invocation without a request, which fails with its position;
        a filter that fails counts as no match and is reported.
    """
    router = Router(destinations, progress)
    routed = op.flat_map_batch("route_batch", up, router.route)
    sorted_out = op.branch("sort_out", routed, _is_report)
    kinds = op.branch("capped", sorted_out.falses, _is_capped)
    # The engine's types narrow only the one side of a branch.
    invocations = cast("KeyedStream[Item]", kinds.falses)
    return RouteOut(invocations, kinds.trues, sorted_out.trues)


class Router:
    """Turns one batch into keyed items and reports."""

    def __init__(self, destinations: Configured, progress: Progress, clock: Callable[[], float] = time.time) -> None:
        self._destinations = destinations
        self._progress = progress
        self._clock = clock
        self._reported_at: dict[tuple[str, str], float] = {}
        # Of one batch, in which a destination is closed for all of its matches or for none.
        self._closed: dict[str, bool] = {}
        self._missed: dict[tuple[str, str, int], Missed] = {}
        self._left_out = Counter[str]()

    def route(self, batch: Iterable[Screened]) -> list[Keyed | Report]:
        """What a batch becomes, in its order."""
        self._closed.clear()
        self._missed.clear()
        self._left_out.clear()
        routed: list[Keyed | Report] = []
        for item in batch:
            if isinstance(item, EventView):
                routed += self._route_event(item)
            elif isinstance(item, RangeRead):
                routed.append((item.only_for, item))
            else:
                routed += self._announce_end(item)
        routed += sampled_out(self._left_out, self._clock())
        return routed

    def _route_event(self, view: EventView) -> list[Keyed | Report]:
        routed: list[Keyed | Report] = []
        for id in view.event.wanted_by:
            destination = self._destinations.find(id)
            if destination is None:
                continue
            branches = self._matching(destination, view, routed)
            if branches:
                if destination.masking is not None and view.event.only_for is None:
                    routed.append((id, self._capped(destination, branches, view, routed)))
                else:
                    routed += [(id, item) for item in self._made_of(destination, branches, view)]
        return routed

    def _matching(self, destination: Destination, view: EventView, reports: list[Keyed | Report]) -> list[Branch]:
        """The branches that the event is for. One whose filter fails is none, and does not hinder another one.

        The sample is asked last: what it leaves out is counted, and only what would have been sent.
        """
        matching: list[Branch] = []
        try:
            if not destination.matches(view):
                return matching
        except (HogRuntimeError, EventDataError) as error:
            reports += self._filter_failed(destination, view, str(error))
            return matching
        for branch in destination.branches_for(view.event.mapping):
            try:
                if branch.matches(view):
                    matching.append(branch)
            except (HogRuntimeError, EventDataError) as error:
                reports += self._filter_failed(destination, view, f"mapping {branch.name!r}: {error}")
        return matching if matching and self._samples(destination, view, reports) else []

    def _samples(self, destination: Destination, view: EventView, reports: list[Keyed | Report]) -> bool:
        try:
            is_in = destination.samples(view)
        except (HogRuntimeError, EventDataError) as error:
            reports += self._filter_failed(destination, view, str(error))
            return False
        if not is_in and view.event.only_for is None:
            # What is read again was counted when it came first.
            self._left_out[destination.id] += 1
        return is_in

    def _made_of(
        self, destination: Destination, branches: list[Branch], view: EventView
    ) -> Sequence[Invocation | Together | Missed]:
        if self._is_rendered(destination.id, view.event):
            return rendered(destination, branches, view)
        row = self._miss(destination.id, view.event, len(branches))
        return [] if row is None else [row]

    def _capped(
        self, destination: Destination, branches: list[Branch], view: EventView, reports: list[Keyed | Report]
    ) -> Capped:
        id, event, cap = destination.id, view.event, self._cap(destination, view, reports)
        names = [branch.name for branch in branches]
        return Capped(id, event, names, not self._is_rendered(id, event), cap)

    def _cap(self, destination: Destination, view: EventView, reports: list[Keyed | Report]) -> Cap | None:
        try:
            return destination.cap(view)
        except InputError as error:
            told = f"the key of its frequency cap cannot be made, so the event is not held back: {error}"
            reports += self._report(destination, view, "masking_failed", told)
            return None

    def _is_rendered(self, id: str, event: Event) -> bool:
        if event.only_for is not None or event.stream == UNREPEATABLE:
            return True
        closed = self._closed.get(id)
        if closed is None:
            closed = self._closed[id] = self._progress.closed(id)
        return not closed

    def _miss(self, id: str, event: Event, count: int) -> Missed | None:
        """The start of a new row of matches; None when these go on with the last."""
        key = (id, event.stream, event.partition)
        row = self._missed.get(key)
        if row is not None and event.offset > row.last:
            row.last = event.offset
            row.count += count
            return None
        row = Missed(id, event.stream, event.partition, event.offset, event.offset, count, event.read_ms)
        self._missed[key] = row
        return row

    def _announce_end(self, mark: EndOfInput) -> list[Keyed]:
        ids = self._destinations.ids()
        self._progress.part_ended(mark.part, ids)
        return [(id, self._behind_the_others(id, EndOfInput(mark.part, id))) for id in ids]

    def _behind_the_others(self, id: str, mark: EndOfInput) -> EndOfInput | Capped:
        destination = self._destinations.find(id)
        # By the configuration of now. A cap that is removed while events are on their way through `mask` lets the mark
        # overtake them: a job that ends at the end of its inputs may then end before they are sent, and owes them.
        # Nothing is lost, and it takes an edit within the milliseconds before that end: not worth a memory of its own.
        return mark if destination is None or destination.masking is None else Capped(id, mark)

    def _filter_failed(self, destination: Destination, view: EventView, error: str) -> list[Report]:
        told = f"the filter failed, so the event counts as no match: {error}"
        return self._report(destination, view, "filtering_failed", told)

    def _report(self, destination: Destination, view: EventView, name: str, told: str) -> list[Report]:
        now = self._clock()
        reports: list[Report] = [Metric(destination.id, int(now // 60) * 60, "other", name, 1)]
        if now - self._reported_at.get((destination.id, name), 0.0) >= REPORT_EVERY_S:
            self._reported_at[destination.id, name] = now
            event = view.event
            where = f"event {event.event!r} {event.uuid} at {event.stream}/{event.partition}:{event.offset}"
            text = destination.redact(f"{told} ({where})".encode())
            reports.append(LogLine(destination.id, now, "error", text.decode(errors="replace")))
        return reports


def made_of_capped(destinations: Configured, capped: Capped) -> Sequence[Item]:
    """What is made of a match that does not exceed its cap, as things are configured now."""
    event = capped.item
    if isinstance(event, EndOfInput):
        return [event]
    destination = destinations.find(capped.destination)
    branches = [] if destination is None else [one for one in destination.branches if one.name in capped.mappings]
    if capped.owed or destination is None or len(branches) < len(capped.mappings):
        # Also where it has just been changed: the re-read makes of it what is wanted then.
        place = (capped.destination, event.stream, event.partition, event.offset, event.offset)
        return [Missed(*place, len(capped.mappings), event.read_ms, exact=True)]
    # A view of its own: the one that routed it may be read further by another thread.
    return rendered(destination, branches, EventView(event, destinations.site))


def rendered(destination: Destination, branches: list[Branch], view: EventView) -> Sequence[Invocation | Together]:
    """What branches make of a match."""
    together = 0 if view.event.mapping else len(branches)
    made = [invoke(destination, view, branch, together) for branch in branches]
    return [made[0] if len(made) == 1 else Together(destination.id, made)]


def invoke(destination: Destination, view: EventView, branch: Branch, together: int) -> Invocation:
    """What a branch makes of a match; without a request, and saying why, when its inputs cannot be rendered.

    Args:
        destination: Whose it is.
        view: The event.
        branch: One of those that it matches.
        together: See `Invocation.together`.
    """
    invocation = invocation_of(destination, view, branch, together)
    try:
        invocation.work = destination.render(view, branch)
    except (InputError, EventDataError) as error:
        invocation.error = str(error)
    return invocation


def invocation_of(destination: Destination, view: EventView, branch: Branch, together: int = 0) -> Invocation:
    """As `invoke`, before anything is rendered: it has no work yet."""
    event = view.event
    return Invocation(
        id=destination.invocation_id(event, branch.name),
        destination=destination.id,
        stream=event.stream,
        partition=event.partition,
        offset=event.offset,
        read_ms=event.read_ms,
        event_uuid=event.uuid,
        event_name=event.event,
        person=event.person.id if event.person is not None else event.person_id or event.distinct_id,
        work=None,
        mapping=branch.name,
        together=together,
        exact=destination.masking is not None,
        reread=event.only_for is not None,
    )


def _is_report(item: Keyed | Report) -> TypeGuard[Report]:
    return not isinstance(item, tuple)


def _is_capped(item: Keyed | Report) -> TypeGuard[tuple[str, Capped]]:
    return isinstance(item[1], Capped) if isinstance(item, tuple) else False

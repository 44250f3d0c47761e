"""Destinations that an event may be for by its project and its name: finds those whose filters may hold.

Filters are not tried one by one. The properties that they read are read once, out of the raw bytes; a filter that needs
a property, or one of some texts in it, is only tried on events that have it. See docs/decisions/0007-screening.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

from destinations.destination import Destination
from destinations.errors import EventDataError
from destinations.globals import EventView
from destinations.peek import peek_at
from destinations.requirements import Requirement

MAX_PEEKED: Final = 64
"""More properties than these are read faster by parsing all."""


class Candidates:
    """Some destinations, ordered by id. They never change."""

    def __init__(self, destinations: Iterable[Destination]) -> None:
        """Nothing is prepared before the first event."""
        self._all = tuple(destinations)

    def __len__(self) -> int:
        """How many they are."""
        return len(self._all)

    def __iter__(self) -> Iterator[Destination]:
        """By id."""
        return iter(self._all)

    def wanting(self, view: EventView) -> list[Destination]:
        """Those that may want the event, judged by the event alone and before any sample, by id. Nothing is raised.

        Whoever wants the event is among them. So is who cannot be judged, unless the event lacks what his filter needs.
        """
        plan = self._plan
        try:
            values = plan.values(view)
        except EventDataError:
            return [each for each in self._all if each.wants_event(view)]
        places = plan.places(values)
        if not places:
            return []
        row = {**view.columns(), "properties": dict(zip(plan.names, values, strict=True))}
        return [each for place in sorted(set(places)) if (each := self._all[place]).wants_event(view, row)]

    @cached_property
    def _plan(self) -> "_Plan":
        return _Plan(self._all)


class _Bucket(NamedTuple):
    """The places of the filters that need the same property, by what they need of it."""

    of_text: Mapping[str, Sequence[int]]
    """By the text that the property is."""
    of_other_text: Sequence[int]
    of_parts: Sequence[tuple[str, int]]
    """By a text in lower case that the property contains."""
    of_anything: Sequence[int]
    """Of a number, say, which may equal some text."""


class _Plan:
    """What is read of an event, and which filters are then tried."""

    def __init__(self, destinations: Sequence[Destination]) -> None:
        needed: dict[str, list[tuple[int, Requirement]]] = defaultdict(list)
        self._always: list[int] = []
        for place, each in enumerate(destinations):
            requirement = each.requirement
            if requirement is None:
                self._always.append(place)
            else:
                needed[requirement.property].append((place, requirement))
        filters = [one for each in destinations for one in (each.filter, *(branch.filter for branch in each.branches))]
        read = {name for one in filters for name in one.properties_read or ()}
        self.names = (*needed, *sorted(read - needed.keys()))
        self._buckets = [_bucket(filters) for filters in needed.values()]
        self._peek = peek_at(self.names) if len(self.names) <= MAX_PEEKED else None

    def values(self, view: EventView) -> Sequence[Any]:
        """The properties called `names`, null where there is none; raises EventDataError."""
        if not self.names:
            return ()
        if self._peek is not None:
            return self._peek(view.event.properties)
        return list(map(view.properties.get, self.names))

    def places(self, values: Sequence[Any]) -> list[int]:
        """The filters to try; one may be there twice."""
        places = list(self._always)
        for bucket, value in zip(self._buckets, values, strict=False):
            if value is None:
                continue
            of_text, of_other_text, of_parts, of_anything = bucket
            if type(value) is not str or (of_parts and not value.isascii()):
                places += of_anything
                continue
            if found := of_text.get(value, of_other_text):
                places += found
            if of_parts:
                lowered = value.lower()
                for part, place in of_parts:
                    if part in lowered:
                        places.append(place)
        return places


def _bucket(filters: Sequence[tuple[int, Requirement]]) -> _Bucket:
    of_texts = [(place, needs.texts) for place, needs in filters if needs.texts is not None]
    of_parts = [(part, place) for place, needs in filters if needs.texts is None for part in needs.parts or ()]
    any_text = [place for place, needs in filters if needs.texts is None and needs.parts is None]
    return _Bucket(
        {
            text: [*any_text, *(place for place, texts in of_texts if text in texts)]
            for text in frozenset[str]().union(*(texts for _, texts in of_texts))
        },
        any_text,
        of_parts,
        [place for place, _ in filters],
    )

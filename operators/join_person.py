"""join_person: gives an event the latest person and groups, at the moment it is processed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import bytewax.operators as op
from bytewax.dataflow import Stream

from destinations import EventDataError, EventView
from operators.screen import Screened
from records import Deleted, Event, Group, Person, Source

GROUP_TYPES = 5
"""A project has at most so many."""


class People(Protocol):
    """The person table. Every call answers at once, from memory or the local disk."""

    def lookup(self, project: int, distinct_id: str) -> Person | Deleted | None:
        """The person behind a distinct id; None when never heard of."""

    def person(self, project: int, person_id: str) -> Person | Deleted | None:
        """The person with this id; None when never heard of."""

    def group(self, project: int, index: int, key: str) -> Group | None:
        """The group of this type and key."""

    def groups_with_key(self, project: int, key: str) -> Sequence[Group]:
        """The groups of any type that have this key."""


class Nobody:
    """People where no table is kept: an event has its own copy of them."""

    def lookup(self, project: int, distinct_id: str) -> None:
        """Never heard of."""

    def person(self, project: int, person_id: str) -> None:
        """Never heard of."""

    def group(self, project: int, index: int, key: str) -> None:
        """There is none."""

    def groups_with_key(self, project: int, key: str) -> Sequence[Group]:
        """There are none."""
        return ()


@dataclass(frozen=True)
class Join:
    """What the join looks up, and the group types' numbers by name where the project says them."""

    people: People
    group_types: Mapping[str, int] = field(default_factory=dict)

    def enrich(self, view: EventView) -> None:
        """Fill `event.person` and `event.groups`; nobody wants what is not to be sent any more."""
        event = view.event
        if event.source is Source.EVENTS:
            # A change brings its person: the table may not have come so far, and must not take an older one's place.
            event.person = self.person_of(event)
        elif event.only_for is not None and self.was_deleted_after(event):
            # What changed of somebody before they were deleted is not told again behind that.
            event.wanted_by = ()
        # Most events name no group: do not parse them to find that out.
        if b'"$group' in event.properties:
            event.groups = self.groups_of(event, view)

    def was_deleted_after(self, event: Event) -> bool:
        """Whether the table knows the person of a change to be deleted, and not by a deletion before it: somebody may
        be made again, and the table may not have come so far.
        """
        known = self.people.person(event.project, event.distinct_id)
        return isinstance(known, Deleted) and (event.version is None or event.version <= known.version)

    def person_of(self, event: Event) -> Person | None:
        """The table's answer, else the row's own copy; nobody when the table knows them to be deleted."""
        answer = self.people.lookup(event.project, event.distinct_id)
        if answer is None and event.person_id is not None:
            answer = self.people.person(event.project, event.person_id)
        if answer is None and (event.person_id is not None or event.person_properties is not None):
            return Person(event.person_id or "", event.person_properties or b"{}")
        return answer if isinstance(answer, Person) else None

    def groups_of(self, event: Event, view: EventView) -> tuple[Group, ...]:
        """The latest version of each group that the event names, else the row's own copy."""
        try:
            properties = view.properties
        except EventDataError:
            return ()
        found: dict[int, Group] = {}
        for index in range(GROUP_TYPES):
            key = properties.get(f"$group_{index}")
            if isinstance(key, str):
                found[index] = self._group(event, index, key)
        named = properties.get("$groups")
        for name, key in named.items() if isinstance(named, dict) else ():
            if not isinstance(key, str):
                continue
            group = self._named(event, name, key)
            if group is not None:
                found.setdefault(group.index, group)
        return tuple(found[index] for index in sorted(found))

    def _group(self, event: Event, index: int, key: str) -> Group:
        """One that nobody has described yet has its key, and no properties."""
        row_copy = event.group_properties[index] if index < len(event.group_properties) else None
        return self.people.group(event.project, index, key) or Group(index, key, row_copy or b"{}")

    def _named(self, event: Event, name: str, key: str) -> Group | None:
        index = self.group_types.get(name)
        if index is not None:
            return self._group(event, index, key)
        # The type's number is not configured: the key alone tells it when only one type has such a group.
        with_key = self.people.groups_with_key(event.project, key)
        return with_key[0] if len(with_key) == 1 else None


def join_person(step_id: str, up: Stream[Screened], join: Join) -> Stream[Screened]:
    """Join events with the person table.

    Shape:
        In: `EventView` and marks. Out: the same, with `event.person` and `event.groups` filled.
    State:
        None of its own; the table is the connector's.
    Errors:
        None raised. An event whose properties cannot be read keeps no groups.
    """

    def enrich(batch: list[Screened]) -> list[Screened]:
        for item in batch:
            if isinstance(item, EventView):
                join.enrich(item)
        return batch

    return op.flat_map_batch(step_id, up, enrich)

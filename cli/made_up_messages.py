"""Messages made up for a destination, with all that it reads: events in both shapes, or a change of a person."""

from collections.abc import Iterator, Mapping

import orjson

from destinations import Destination
from destinations.branch import event_names
from destinations.posthog.made_up import made_up_event
from records import Event, Source

_MAX_NAMES = 5
_ANY = "$pageview"


def made_up_messages(destination: Destination, group_types: Mapping[str, int]) -> Iterator[tuple[str, bytes]]:
    """Each with a few words about it: one event in both shapes, or one for each event name that a mapping waits for."""
    if destination.source is Source.PERSON_UPDATES:
        yield "a change of a person made up", _change(made_up_event(destination.reads, _ANY))
        return
    names = _names(destination)
    for name in names:
        of_name = f" '{name}'" if len(names) > 1 else ""
        event = made_up_event(destination.reads, name)
        yield f"an event{of_name} made up, capture shape", orjson.dumps(_captured(event, group_types))
        yield f"an event{of_name} made up, row of clickhouse_events_json", orjson.dumps(_row(event, group_types))


def _names(destination: Destination) -> list[str]:
    """For each branch a name that its filter takes behind the destination's, while it takes any."""
    found: dict[str, None] = {}
    for branch in destination.branches:
        names = event_names(destination.filter, (branch,))
        if names is None or names:
            found[_ANY if names is None else min(names)] = None
    return list(found)[:_MAX_NAMES] or [_ANY]


def _captured(event: Event, group_types: Mapping[str, int]) -> dict[str, object]:
    assert event.person is not None
    return {
        "uuid": event.uuid,
        "event": event.event,
        "distinct_id": event.distinct_id,
        "timestamp": event.timestamp,
        "properties": orjson.Fragment(event.properties),
        # In this shape the person and the groups come from the job's tables; here they have to come along.
        "person_id": event.person.id,
        "person_properties": orjson.Fragment(event.person.properties),
        **{key: orjson.Fragment(properties) for key, properties in _groups(event, group_types).items()},
    }


def _row(event: Event, group_types: Mapping[str, int]) -> dict[str, object]:
    assert event.person is not None
    return {
        "uuid": event.uuid,
        "event": event.event,
        "team_id": event.project,
        "distinct_id": event.distinct_id,
        "person_id": event.person.id,
        "timestamp": event.timestamp.replace("T", " ").removesuffix("Z"),
        "properties": event.properties.decode(),
        "person_properties": event.person.properties.decode(),
        "elements_chain": "",
        **{key: properties.decode() for key, properties in _groups(event, group_types).items()},
    }


def _change(event: Event) -> bytes:
    assert event.person is not None
    return orjson.dumps(
        {
            "id": event.person.id,
            "team_id": event.project,
            "version": 1,
            "properties": event.person.properties.decode(),
        }
    )


def _groups(event: Event, group_types: Mapping[str, int]) -> dict[str, bytes]:
    """The columns of the groups whose types have a number: a job does not know any others either."""
    named = orjson.loads(event.properties).get("$groups", {})
    # `made_up_event` numbers the types in their order, and names them in it.
    return {
        f"group{group_types[name]}_properties": group.properties
        for name, group in zip(named, event.groups, strict=True)
        if name in group_types
    }

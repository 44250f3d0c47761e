"""Events to try destinations on."""

from typing import Any

from destinations import EventView, Site
from hog import json_text
from records import Event, Group, Person

UUID = "0193e3b4-0000-7000-8000-000000000001"


def event(
    properties: dict[str, Any] | bytes | None = None,
    *,
    name: str = "$pageview",
    distinct_id: str = "anna@example.com",
    person: dict[str, Any] | bytes | None = None,
    person_id: str = "p-1",
    groups: tuple[Group, ...] = (),
    **others: Any,
) -> Event:
    """An event of project 1; without `person` nobody is known."""
    return Event(
        stream=others.pop("stream", "kafka:events"),
        partition=others.pop("partition", 0),
        offset=others.pop("offset", 7),
        read_ms=0,
        uuid=UUID,
        event=name,
        distinct_id=distinct_id,
        project=others.pop("project", 1),
        timestamp="2026-11-16T18:10:20.813Z",
        properties=_raw(properties or {}),
        person=None if person is None else Person(person_id, _raw(person)),
        groups=groups,
        **others,
    )


def view(*args: Any, site: Site | None = None, **kwargs: Any) -> EventView:
    """A view of such an event."""
    return EventView(event(*args, **kwargs), site or Site())


def _raw(value: dict[str, Any] | bytes) -> bytes:
    return value if isinstance(value, bytes) else json_text.dumps(value)

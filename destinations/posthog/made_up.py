"""Events made up for a function: what it reads of them is there, in one kind of value after the other.

Two ways to make a request that agree on all of them treat texts, numbers, lists and what is absent alike.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final

from destinations.globals import EventView
from destinations.site import Site
from destinations.values import Chain
from hog import json_text
from records import Event, Group, Person

KINDS: Final[tuple[Any, ...]] = ("plain", 'a b/ä?c=d&e#f"{g}', 7, 2.5, True, ["x", 1], {"k": "v"}, "", None)
_PERSON_ID: Final = "0199a0b0-0000-7000-8000-000000000002"


def made_up_events(reads: Collection[Chain], name: str = "made up") -> Iterator[EventView]:
    """One event for each kind of value, then one of somebody who is not known."""
    types = _group_types(reads)
    site = Site(group_types={type: index for index, type in enumerate(types)})
    for kind in KINDS:
        yield EventView(_event(reads, name, kind, types, known=True), site)
    yield EventView(_event(reads, name, KINDS[0], types, known=False), site)


def made_up_event(reads: Collection[Chain], name: str) -> Event:
    """One event of the first kind of value, of somebody who is known."""
    return _event(reads, name, KINDS[0], _group_types(reads), known=True)


def _group_types(reads: Collection[Chain]) -> list[str]:
    return sorted({chain[1] for chain in reads if chain[0] == "groups" and len(chain) > 1})[:5]


def _event(reads: Collection[Chain], name: str, kind: Any, types: list[str], *, known: bool) -> Event:
    properties = _object(reads, ("event", "properties"), kind)
    properties |= {"$groups": dict.fromkeys(types, "acme")} if types else {}
    person = Person(_PERSON_ID, _raw(_object(reads, ("person", "properties"), kind)))
    groups = [
        Group(index, "acme", _raw(_object(reads, ("groups", type, "properties"), kind)))
        for index, type in enumerate(types)
    ]
    return Event(
        stream="made-up",
        partition=0,
        offset=0,
        read_ms=0,
        uuid="0199a0b0-0000-7000-8000-000000000001",
        event=name,
        distinct_id="somebody",
        project=1,
        timestamp="2026-01-31T12:00:00.000Z",
        properties=_raw(properties),
        person=person if known else None,
        groups=tuple(groups) if known else (),
    )


def _object(reads: Collection[Chain], place: Chain, leaf: Any) -> dict[str, Any]:
    """The properties that are read at the place, with the leaf as the value of each."""
    made: dict[str, Any] = {}
    for chain in sorted(reads, key=len, reverse=True):
        names = chain[len(place) :] if chain[: len(place)] == place else ()
        inner = made
        for each in names[:-1]:
            inner = inner.setdefault(each, {})
        if names:
            inner.setdefault(names[-1], leaf)
    return made


def _raw(value: dict[str, Any]) -> bytes:
    return json_text.dumps(value)

"""Which groups an event belongs to, put together from its properties, the table's records and the row's own columns."""

from collections.abc import Mapping
from typing import Any

import msgspec

import hog
from records import Event, Group


class EventGroup(msgspec.Struct, frozen=True, gc=False):
    """One group of an event. `type` is None where only its index is known, `index` where only its type's name is."""

    type: str | None
    key: str
    index: int | None
    properties: bytes
    """A JSON object, raw."""


def groups_of(event: Event, properties: Mapping[str, Any], group_types: Mapping[str, int]) -> list[EventGroup]:
    """The groups that `$groups` names, then those that only the table's records or `$group_0` to `$group_4` name."""
    named = properties.get("$groups")
    found = []
    if isinstance(named, dict):
        for type_name, key in named.items():
            if isinstance(key, str | int | float) and key != "":
                found.append(_named(event, group_types, type_name, hog.to_text(key)))
    taken = {group.index for group in found}
    keys = {record.index: record.key for record in event.groups}
    for index in range(5):
        key = keys.get(index) or properties.get(f"$group_{index}")
        if index not in taken and isinstance(key, str) and key:
            found.append(EventGroup(None, key, index, _properties(event, index, key)))
    return found


def _named(event: Event, group_types: Mapping[str, int], type_name: str, key: str) -> EventGroup:
    index = group_types.get(type_name)
    if index is None:
        with_key = [record for record in event.groups if record.key == key]
        index = with_key[0].index if len(with_key) == 1 else None
    return EventGroup(type_name, key, index, b"{}" if index is None else _properties(event, index, key))


def _properties(event: Event, index: int, key: str) -> bytes:
    record = next((record for record in event.groups if _is(record, index, key)), None)
    if record is not None:
        return record.properties
    of_row = event.group_properties[index] if index < len(event.group_properties) else None
    return of_row or b"{}"


def _is(record: Group, index: int, key: str) -> bool:
    return record.index == index and record.key == key

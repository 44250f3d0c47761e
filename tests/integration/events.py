"""Events and persons for the tests, in the shapes in which they come."""

import uuid
from collections.abc import Iterable
from itertools import chain
from typing import Any

from tests.integration.stand import dumps

_NAMESPACE = uuid.UUID("0a6e0c4e-7d0b-4a53-9d27-0d1f5a3c7b11")


def uuid_of(number: int) -> str:
    """Always the same for the same number."""
    return str(uuid.uuid5(_NAMESPACE, str(number)))


def uuids_of(*numbers: Iterable[int]) -> list[str]:
    """Sorted, for a comparison with what arrived in whatever order."""
    return sorted(map(uuid_of, chain(*numbers)))


def capture(number: int, event: str = "$pageview", distinct_id: str = "d1", **properties: Any) -> dict[str, Any]:
    """As an SDK sends it."""
    return {
        "uuid": uuid_of(number),
        "event": event,
        "distinct_id": distinct_id,
        "properties": properties,
        "timestamp": "2026-11-20T10:00:00.000Z",
    }


def row(number: int, event: str = "$pageview", distinct_id: str = "d1", **properties: Any) -> dict[str, Any]:
    """As `clickhouse_events_json` holds it."""
    return {
        "uuid": uuid_of(number),
        "event": event,
        "distinct_id": distinct_id,
        "properties": dumps(properties).decode(),
        "timestamp": "2026-11-20 10:00:00.000000",
        "team_id": 1,
        "person_id": f"row-{distinct_id}",
        "person_properties": '{"plan":"as of the row"}',
    }


def person(id: str, version: int, **properties: Any) -> dict[str, Any]:
    return {
        "id": id,
        "team_id": 1,
        "properties": dumps(properties).decode(),
        "version": version,
        "is_deleted": 0,
    }


def distinct_id(name: str, person_id: str, version: int = 0) -> dict[str, Any]:
    return {"distinct_id": name, "person_id": person_id, "team_id": 1, "version": version, "is_deleted": 0}


def group(index: int, key: str, version: int = 1, **properties: Any) -> dict[str, Any]:
    return {
        "group_type_index": index,
        "group_key": key,
        "team_id": 1,
        "group_properties": dumps(properties).decode(),
        "version": version,
    }

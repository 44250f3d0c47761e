"""Messages of the persons topic and what becomes of each."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.person_update import decode_person_update
from records import DeadLetter, Event, Message, Person, Source

STREAM = "kafka:clickhouse_person"
TAKEN_MS = 1_795_623_020_813
ANNA = {
    "id": "0193e3b4-0000-7000-8000-00000000000a",
    "created_at": "2026-01-01 00:00:00",
    "properties": '{"email":"anna@example.com"}',
    "team_id": 7,
    "is_identified": 1,
    "is_deleted": 0,
    "version": 3,
    "last_seen_at": None,
}


def message(
    value: dict[str, Any] | bytes | None, offset: int = 41, only_for: str | None = None, mapping: str = ""
) -> Message:
    raw = json.dumps(value).encode() if isinstance(value, dict) else value
    return Message(STREAM, 2, offset, raw, TAKEN_MS, only_for, mapping)


def update(value: dict[str, Any] | bytes, **where: Any) -> Event:
    decoded = decode_person_update(message(value, **where))
    assert isinstance(decoded, Event)
    return decoded


def test_a_version_of_a_person_is_an_event() -> None:
    assert update(ANNA, only_for="crm", mapping="m1") == Event(
        stream=STREAM,
        partition=2,
        offset=41,
        read_ms=TAKEN_MS,
        uuid="f5d3c039-be7b-56fc-9fbb-a959570219c2",
        event="$person_updated",
        distinct_id=ANNA["id"],
        project=7,
        timestamp="2026-11-25T16:10:20.813Z",
        properties=b"{}",
        person_id=ANNA["id"],
        only_for="crm",
        mapping="m1",
        person=Person(str(ANNA["id"]), b'{"email":"anna@example.com"}'),
        source=Source.PERSON_UPDATES,
        version=3,
    )


def test_the_uuid_is_that_of_the_version_wherever_it_stands() -> None:
    one = update(ANNA)
    assert update(ANNA | {"properties": "{}"}, offset=90).uuid == one.uuid
    others = [update(ANNA | change) for change in ({"version": 4}, {"team_id": 8}, {"id": "b"})]
    assert len({one.uuid, *(other.uuid for other in others)}) == 4


def test_without_versions_each_message_is_an_event_of_its_own() -> None:
    bare = {"id": "p1", "team_id": 1, "properties": {"plan": "pro"}}
    assert update(bare).uuid == update(bare).uuid
    assert update(bare).uuid != update(bare, offset=42).uuid


@pytest.mark.parametrize(
    ("properties", "expected"),
    [({"a": 1}, b'{"a": 1}'), ('{"a":1}', b'{"a":1}'), ("", b"{}"), (None, b"{}")],
)
def test_properties_may_be_an_object_or_the_text_of_one(properties: Any, expected: bytes) -> None:
    person = update(ANNA | {"properties": properties}).person
    assert person is not None
    assert person.properties == expected


def test_a_person_without_properties_has_none() -> None:
    person = update({"id": "p1", "team_id": 1, "version": "5"}).person
    assert person == Person("p1", b"{}")


@pytest.mark.parametrize(
    "value", [None, ANNA | {"is_deleted": 1, "version": 103}, ANNA | {"is_deleted": True, "properties": "x"}]
)
def test_a_deletion_is_no_event(value: dict[str, Any] | None) -> None:
    assert decode_person_update(message(value)) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "Expected a JSON object, got an empty message"),
        (b"{", "Input data was truncated"),
        (b'"\xff"', "Expected UTF-8, got invalid start byte (byte 1)"),
        ({"team_id": 1}, "Object missing required field `id`"),
        ({"id": "p1"}, "Object missing required field `team_id`"),
        (ANNA | {"properties": [1]}, "Expected `object`, got `array` - at `$.properties`"),
        (ANNA | {"properties": "[1]"}, "Expected `object`, got `array` - in the text at `$.properties`"),
    ],
)
def test_what_is_no_person_is_a_dead_letter(value: dict[str, Any] | bytes, reason: str) -> None:
    letter = decode_person_update(message(value))
    assert isinstance(letter, DeadLetter)
    assert (letter.stream, letter.partition, letter.offset, letter.reason) == (STREAM, 2, 41, reason)


@given(st.binary())
def test_no_bytes_raise(value: bytes) -> None:
    assert isinstance(decode_person_update(message(value)), Event | DeadLetter | None)

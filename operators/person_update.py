"""One message of the persons topic to one event `$person_updated`: the person as the message has them.

A deletion is no event, nor is a tombstone. What is neither of them nor a person becomes a dead letter that says why.

Source: PostHog's topic clickhouse_person, as of 2026-11.
"""

import uuid
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw

from operators.envelope import UNREADABLE, dead_letter, derived_uuid, iso_of_ms, object_of, read, text_of
from records import DeadLetter, Event, Message, Person, Source

NAME: Final = "$person_updated"

# Frozen: a version of a person is the same event whenever, and from wherever, it is read.
_VERSIONS = uuid.UUID("4749b1fe-a866-4ac3-827b-884929c99724")


class _PersonMessage(msgspec.Struct, gc=False):
    id: Annotated[str, Meta(min_length=1)]
    team_id: int
    properties: Raw = Raw(b"{}")
    version: int | None = None
    is_deleted: bool = False


# Not strict: ClickHouse writes booleans as 0 and 1 and may quote its 64-bit integers.
_PERSON = msgspec.json.Decoder(_PersonMessage, strict=False)


def decode_person_update(message: Message) -> Event | DeadLetter | None:
    """Decode one message; None where it deletes. It never raises, whatever the bytes.

    The event's uuid is made of the person's project, id and version; where the message has no version, of its position
    and its bytes.
    """
    if message.value is None:
        return None
    try:
        return _event(message)
    except UNREADABLE as error:
        return dead_letter(message, error)


def _event(message: Message) -> Event | None:
    person = read(_PERSON, text_of(message))
    if person.is_deleted:
        return None
    properties = object_of(person.properties, "properties") or b"{}"
    return Event(
        message.stream,
        message.partition,
        message.offset,
        message.timestamp_ms,
        uuid=_uuid(message, person),
        event=NAME,
        distinct_id=person.id,
        project=person.team_id,
        timestamp=iso_of_ms(message.timestamp_ms),
        properties=b"{}",
        person_id=person.id,
        only_for=message.only_for,
        mapping=message.mapping,
        person=Person(person.id, properties),
        source=Source.PERSON_UPDATES,
        version=person.version,
    )


def _uuid(message: Message, person: _PersonMessage) -> str:
    if person.version is None:
        return derived_uuid(message)
    return str(uuid.uuid5(_VERSIONS, f"{person.team_id}/{person.id}/{person.version}"))

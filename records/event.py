"""What comes off the log: the raw message, the event inside it, and the two answers of the person table.

Nothing here decodes anything. JSON that only passes through stays raw bytes until somebody reads it.
"""

from enum import StrEnum

import msgspec


class Source(StrEnum):
    """What an event was made of. A destination takes the events of one source."""

    EVENTS = "events"
    """An analytics event, as it was sent."""
    PERSON_UPDATES = "person-updates"
    """A change of a person."""


class Message(msgspec.Struct, gc=False):
    """One message as a source read it, not yet decoded.

    `stream`, `partition` and `offset` are its position in the log: `kafka:TOPIC`, the partition and the offset, or
    `file:/absolute/path`, 0 and the byte offset of the line, or `-` (standard input), 0 and the line number.
    """

    stream: str
    partition: int
    offset: int
    value: bytes | None
    timestamp_ms: int
    """When the log took it (Kafka's message time), or when it was read; milliseconds since the epoch."""
    only_for: str | None = None
    """The destination that asked for a re-read of this position; None on the live lane."""
    mapping: str = ""
    """With `only_for`: the one mapping of it that is wanted; empty is all."""


class Person(msgspec.Struct, frozen=True, gc=False):
    """The latest version of a person. `properties` is a JSON object, raw."""

    id: str
    properties: bytes = b"{}"


class Deleted(msgspec.Struct, frozen=True, gc=False):
    """The answer for somebody that the table knows to be deleted: an event's own copy must not bring them back."""

    version: int = 0
    """Of the deletion: what has a higher one came behind it."""


class Group(msgspec.Struct, frozen=True, gc=False):
    """The latest version of a group. `index` is the group type's number, 0 to 4; `properties` is a JSON object, raw."""

    index: int
    key: str
    properties: bytes = b"{}"


class Event(msgspec.Struct, gc=False):
    """One analytics event, from either shape of message, with the position it came from."""

    stream: str
    partition: int
    offset: int
    read_ms: int
    """The message's `timestamp_ms`."""
    uuid: str
    event: str
    distinct_id: str
    project: int
    timestamp: str
    """ISO 8601 as the sender wrote it; ClickHouse text is turned into ISO with a `Z`."""
    properties: bytes
    """A JSON object, raw."""
    elements_chain: str = ""
    captured_at: str | None = None
    person_id: str | None = None
    """As the row said; None for the capture shape."""
    person_properties: bytes | None = None
    """As the row said: the person as of the event, used only where the person table has none."""
    group_properties: tuple[bytes | None, ...] = ()
    """As the row said, `group0_properties` to `group4_properties`; empty for the capture shape."""
    only_for: str | None = None
    mapping: str = ""
    """See `Message`."""
    wanted_by: tuple[str, ...] = ()
    """Filled by `screen`: ids of the destinations whose filter may still match."""
    person: Person | None = None
    """Filled by `join_person`; a change of a person has its person from the start."""
    groups: tuple[Group, ...] = ()
    """Filled by `join_person`: the groups that the event names and the table knows."""
    source: Source = Source.EVENTS
    version: int | None = None
    """Of the person, where the event is a change of them and says it."""


class DeadLetter(msgspec.Struct, frozen=True, gc=False):
    """A message that could not be decoded: where it was, why, and its bytes."""

    stream: str
    partition: int
    offset: int
    reason: str
    value: bytes


class RangeRead(msgspec.Struct, frozen=True, gc=False):
    """A mark behind the last message of a re-read, on the same road, so that it arrives after all of them.

    `next_offset` is where the next re-read of this range starts; `missing` counts positions of the request that the log
    no longer has.
    """

    only_for: str
    stream: str
    partition: int
    next_offset: int
    missing: int = 0


class EndOfInput(msgspec.Struct, frozen=True, gc=False):
    """A mark behind the last message of a partition that has ended.

    The source emits one; `route` sends one to each destination, which then has everything of that partition.
    """

    part: str
    destination: str = ""

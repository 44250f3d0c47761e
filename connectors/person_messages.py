"""Person, distinct-id and group messages: bytes to rows of the person table.

It refuses what it cannot read, with a reason that quotes nothing of the message: properties are personal data.
`properties` may be a JSON object or, as in a ClickHouse row, a string that holds one; numbers may be quoted.

Source: PostHog's topics clickhouse_person, clickhouse_person_distinct_id and clickhouse_groups, as of 2026-11.
"""

from enum import StrEnum
from typing import Annotated, Final, TypeVar

import msgspec

from connectors.person_inputs import Role
from connectors.person_table import GROUP_TYPES, Row, distinct_id_row, group_row, person_row
from hog import json_text

Version = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
GroupType = Annotated[int, msgspec.Meta(ge=GROUP_TYPES.start, lt=GROUP_TYPES.stop)]
Id = Annotated[str, msgspec.Meta(min_length=1)]


class Fault(StrEnum):
    """Why a message is skipped; one log line is written per fault and input."""

    EMPTY = "no value"
    NOT_JSON = "not JSON"
    WRONG_FIELDS = "wrong fields"
    WRONG_PROPERTIES = "wrong properties"


class MalformedMessageError(ValueError):
    """A message that says nothing that the table could keep."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault = fault


class _PersonMessage(msgspec.Struct, gc=False):
    id: Id
    team_id: int
    properties: msgspec.Raw = msgspec.Raw(b"{}")
    version: Version = 0
    is_deleted: bool = False


class _DistinctIdMessage(msgspec.Struct, gc=False):
    distinct_id: Id
    person_id: Id
    team_id: int
    version: Version = 0
    is_deleted: bool = False


class _GroupMessage(msgspec.Struct, gc=False):
    group_type_index: GroupType
    group_key: str
    team_id: int
    group_properties: msgspec.Raw = msgspec.Raw(b"{}")
    version: Version = 0
    is_deleted: bool = False


_T = TypeVar("_T")
# Not strict: ClickHouse writes booleans as 0 and 1 and may quote its 64-bit integers.
_person: Final = msgspec.json.Decoder(_PersonMessage, strict=False)
_distinct_id: Final = msgspec.json.Decoder(_DistinctIdMessage, strict=False)
_group: Final = msgspec.json.Decoder(_GroupMessage, strict=False)
_text: Final = msgspec.json.Decoder(str)
_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def parse(role: Role, value: bytes | None) -> Row:
    """The row that a message stands for. Raises MalformedMessageError."""
    if value is None:
        # A compacted topic's own way to delete. It has nothing but its key, and what that is, is for the producer to
        # choose: PostHog's deletions are messages with `is_deleted`, and nothing is known of its keys. A key that is a
        # person's id alone would not tell whose project it is of, and one guessed wrong would delete somebody else.
        raise MalformedMessageError(
            Fault.EMPTY,
            "a tombstone deletes nobody, for its key need not tell whom; a deletion is a message that has is_deleted",
        )
    if not value:
        raise MalformedMessageError(Fault.EMPTY, "expected a JSON object, got an empty message")
    return _PARSERS[role](value)


def _parse_person(value: bytes) -> Row:
    message = _decode(_person, value)
    properties = b"" if message.is_deleted else _properties(message.properties)
    return person_row(message.team_id, message.id, properties, message.version, message.is_deleted)


def _parse_distinct_id(value: bytes) -> Row:
    message = _decode(_distinct_id, value)
    return distinct_id_row(message.team_id, message.distinct_id, message.person_id, message.version, message.is_deleted)


def _parse_group(value: bytes) -> Row:
    message = _decode(_group, value)
    properties = b"" if message.is_deleted else _properties(message.group_properties)
    return group_row(
        message.team_id, message.group_type_index, message.group_key, properties, message.version, message.is_deleted
    )


_PARSERS: Final = {
    Role.PERSONS: _parse_person,
    Role.DISTINCT_IDS: _parse_distinct_id,
    Role.GROUPS: _parse_group,
}


def _decode(decoder: msgspec.json.Decoder[_T], value: bytes) -> _T:
    try:
        return decoder.decode(value)
    except msgspec.ValidationError as error:
        raise MalformedMessageError(Fault.WRONG_FIELDS, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_mended(decoder, value)


def _decode_mended(decoder: msgspec.json.Decoder[_T], value: bytes) -> _T:
    """The slow way, for text that only a patient reader accepts: a lone surrogate escape, which becomes U+FFFD."""
    try:
        return decoder.decode(json_text.dumps(json_text.loads(value)))
    except msgspec.ValidationError as error:
        raise MalformedMessageError(Fault.WRONG_FIELDS, str(error)) from None
    except json_text.JsonError as error:
        raise MalformedMessageError(Fault.NOT_JSON, str(error)) from None


def _properties(raw: msgspec.Raw) -> bytes:
    """The properties as a JSON object, raw, whichever way they were sent."""
    text = bytes(raw)
    try:
        if text.startswith(b'"'):
            text = _text.decode(text).encode()
        else:
            # Decoding an object checks its syntax, but not the encoding of the values that it skips.
            text.decode()
        _object.decode(text)
    except msgspec.ValidationError:
        raise MalformedMessageError(Fault.WRONG_PROPERTIES, "expected a JSON object") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _mended_properties(text)
    return text


def _mended_properties(text: bytes) -> bytes:
    try:
        properties = json_text.loads(text)
    except json_text.JsonError as error:
        raise MalformedMessageError(Fault.WRONG_PROPERTIES, str(error)) from None
    if not isinstance(properties, dict):
        raise MalformedMessageError(Fault.WRONG_PROPERTIES, "expected a JSON object")
    return json_text.dumps(properties)

"""Person messages: every shape that is understood, and the exact reason for each that is not."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.person_inputs import Role
from connectors.person_messages import MalformedMessageError, parse
from connectors.person_table import Row, distinct_id_row, group_row, person_row

UNDERSTOOD = [
    (
        Role.PERSONS,
        rb'{"id":"p","team_id":2,"properties":"{\"a\":1}","is_identified":0,"is_deleted":0,"version":3,"created_at":"x"}',
        person_row(2, "p", b'{"a":1}', 3),
    ),
    (Role.PERSONS, b'{"id":"p","team_id":2,"properties":{"a": 1}}', person_row(2, "p", b'{"a": 1}')),
    (Role.PERSONS, b'{"id":"p","team_id":2}', person_row(2, "p", b"{}")),
    (Role.PERSONS, b'{"id":"p","team_id":"2","version":"3","is_deleted":true}', person_row(2, "p", b"", 3, True)),
    (Role.PERSONS, b'{"id":"p","team_id":2,"properties":null,"is_deleted":1}', person_row(2, "p", b"", 0, True)),
    (
        Role.PERSONS,
        b'{"id":"p","team_id":2,"properties":{"big":123456789012345678901234567890}}',
        person_row(2, "p", b'{"big":123456789012345678901234567890}'),
    ),
    (
        Role.PERSONS,
        rb'{"id":"p","team_id":2,"properties":{"half":"\ud800"}}',
        person_row(2, "p", '{"half":"\ufffd"}'.encode()),
    ),
    (
        Role.PERSONS,
        rb'{"id":"p","team_id":2,"properties":"{\"half\":\"\\ud800\"}"}',
        person_row(2, "p", '{"half":"\ufffd"}'.encode()),
    ),
    (
        Role.DISTINCT_IDS,
        b'{"distinct_id":"007","person_id":"p","team_id":2,"version":1,"is_deleted":0}',
        distinct_id_row(2, "007", "p", 1),
    ),
    (
        Role.DISTINCT_IDS,
        b'{"distinct_id":"d","person_id":"p","team_id":2,"is_deleted":1}',
        distinct_id_row(2, "d", "p", 0, True),
    ),
    (
        Role.GROUPS,
        rb'{"group_type_index":4,"group_key":"acme","team_id":2,"group_properties":"{\"a\":1}","version":9}',
        group_row(2, 4, "acme", b'{"a":1}', 9),
    ),
]


@pytest.mark.parametrize(("role", "value", "row"), UNDERSTOOD)
def test_understood(role: Role, value: bytes, row: Row) -> None:
    assert parse(role, value) == row


REFUSED = [
    *(
        (
            role,
            None,
            "no value: a tombstone deletes nobody, for its key need not tell whom; a deletion is a message that has "
            "is_deleted",
        )
        for role in Role
    ),
    (Role.PERSONS, b"", "no value: expected a JSON object, got an empty message"),
    (Role.PERSONS, b"[]", "wrong fields: Expected `object`, got `array`"),
    (Role.PERSONS, b'{"team_id":1}', "wrong fields: Object missing required field `id`"),
    (Role.PERSONS, b'{"id":"p"}', "wrong fields: Object missing required field `team_id`"),
    (Role.PERSONS, b'{"id":5,"team_id":1}', "wrong fields: Expected `str`, got `int` - at `$.id`"),
    (Role.PERSONS, b'{"id":"","team_id":1}', "wrong fields: Expected `str` of length >= 1 - at `$.id`"),
    (
        Role.PERSONS,
        b'{"id":"p","team_id":1,"version":1.5}',
        "wrong fields: Expected `int`, got `float` - at `$.version`",
    ),
    (Role.PERSONS, b'{"id":"p","team_id":1,"properties":[1]}', "wrong properties: expected a JSON object"),
    (Role.PERSONS, b'{"id":"p","team_id":1,"properties":null}', "wrong properties: expected a JSON object"),
    (Role.PERSONS, b'{"id":"p","team_id":1,"properties":"[1]"}', "wrong properties: expected a JSON object"),
    (Role.PERSONS, b'{"id":"p","team_id":1,"properties":{"a":"\xff"}}', "wrong properties: not valid UTF-8"),
    (Role.PERSONS, b'{"id":"\xff","team_id":1}', "not JSON: not valid UTF-8"),
    (Role.PERSONS, b'{"id":"p","team_id":1,"x":' + b"[" * 200_000, "not JSON: nested too deeply"),
    (
        Role.DISTINCT_IDS,
        b'{"distinct_id":"d","team_id":1}',
        "wrong fields: Object missing required field `person_id`",
    ),
    (
        Role.GROUPS,
        b'{"group_type_index":5,"group_key":"k","team_id":1}',
        "wrong fields: Expected `int` <= 4 - at `$.group_type_index`",
    ),
]


@pytest.mark.parametrize(("role", "value", "text"), REFUSED)
def test_refused_with_the_reason(role: Role, value: bytes | None, text: str) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        parse(role, value)
    assert str(caught.value) == text


def test_a_number_beyond_64_bits_is_no_version() -> None:
    with pytest.raises(MalformedMessageError, match=r"^wrong fields: .*\$\.version"):
        parse(Role.PERSONS, b'{"id":"p","team_id":1,"version":99999999999999999999}')


@given(value=st.binary() | st.text().map(str.encode), role=st.sampled_from(Role))
def test_any_bytes_give_a_row_or_a_reason(value: bytes, role: Role) -> None:
    with contextlib.suppress(MalformedMessageError):
        assert parse(role, value).key

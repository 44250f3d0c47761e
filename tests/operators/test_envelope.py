import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.envelope import decode_message
from records import DeadLetter, Event, Message

TAKEN_MS = 1_794_852_620_813
ROW = {
    "uuid": "01a1e58d-8a0d-7be0-ae0f-6be5e32306da",
    "event": "$pageview",
    "properties": '{"$browser":"Chrome","n":12345678901234567890123}',
    "timestamp": "2026-11-16 18:10:20.813000",
    "team_id": 7,
    "project_id": 8,
    "distinct_id": "user-1",
    "elements_chain": 'a:href="/"',
    "captured_at": "2026-11-16 18:10:21",
    "person_id": "dee89ed8-2684-5479-894a-8115d854addc",
    "person_properties": '{"plan":"pro"}',
    "group1_properties": '{"name":"Acme"}',
    "person_mode": "full",
}


def decode(value: bytes | None, project: int = 3) -> Event | DeadLetter:
    return decode_message(Message("kafka:events", 2, 41, value, TAKEN_MS), project)


def event(value: bytes) -> Event:
    decoded = decode(value)
    assert isinstance(decoded, Event), decoded
    return decoded


def test_capture_shape() -> None:
    decoded = event(
        b'{"uuid":"u-1","event":"signed up","distinct_id":"user-1","timestamp":"2026-11-16T18:10:20.813+01:00",'
        b'"properties":{"a": 1.50}}'
    )
    assert decoded == Event(
        stream="kafka:events",
        partition=2,
        offset=41,
        read_ms=TAKEN_MS,
        uuid="u-1",
        event="signed up",
        distinct_id="user-1",
        project=3,
        timestamp="2026-11-16T18:10:20.813+01:00",
        properties=b'{"a": 1.50}',
    )


def test_row_shape() -> None:
    decoded = event(json.dumps(ROW).encode())
    assert decoded == Event(
        stream="kafka:events",
        partition=2,
        offset=41,
        read_ms=TAKEN_MS,
        uuid=ROW["uuid"],
        event="$pageview",
        distinct_id="user-1",
        project=7,
        timestamp="2026-11-16T18:10:20.813Z",
        properties=b'{"$browser":"Chrome","n":12345678901234567890123}',
        elements_chain='a:href="/"',
        captured_at="2026-11-16T18:10:21.000Z",
        person_id="dee89ed8-2684-5479-894a-8115d854addc",
        person_properties=b'{"plan":"pro"}',
        group_properties=(None, b'{"name":"Acme"}', None, None, None),
    )


def test_the_destination_of_a_reread_is_kept() -> None:
    decoded = decode_message(Message("-", 0, 1, b'{"event":"a","distinct_id":"b"}', 0, only_for="crm"), 1)
    assert isinstance(decoded, Event)
    assert decoded.only_for == "crm"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "Expected a JSON object, got no value"),
        (b"", "Expected a JSON object, got an empty message"),
        (b"hello", "JSON is malformed: invalid character (byte 0)"),
        (b'{"event":"a"', "Input data was truncated"),
        (b'{"event":"a","distinct_id":"b"} x', "JSON is malformed: trailing characters (byte 33)"),
        (b'{"event":"a","distinct_id":"b","properties":{"n":NaN}}', "JSON is malformed: invalid character (byte 49)"),
        (b"null", "Expected `object`, got `null`"),
        (b"[]", "Expected `object`, got `array`"),
        (b'"text"', "Expected `object`, got `str`"),
        (b"{}", "Object missing required field `event`"),
        (b'{"event":null,"distinct_id":"b"}', "Object missing required field `event`"),
        (b'{"event":1,"distinct_id":"b"}', "Expected `str | null`, got `int` - at `$.event`"),
        (b'{"event":"","distinct_id":"b"}', "Expected `str` of length >= 1 - at `$.event`"),
        (b'{"event":"a"}', "Object missing required field `distinct_id`"),
        (b'{"event":"a","distinct_id":""}', "Expected `str` of length >= 1 - at `$.distinct_id`"),
        (b'{"event":"a","distinct_id":true}', "Expected `int | float | str | null`, got `bool` - at `$.distinct_id`"),
        (
            b'{"event":"a","properties":{"distinct_id":[]}}',
            "Expected `int | float | str | null`, got `array` - at `$.properties.distinct_id`",
        ),
        (b'{"event":"a","distinct_id":"b","timestamp":5}', "Expected `str | null`, got `int` - at `$.timestamp`"),
        (b'{"event":"a","distinct_id":"b","team_id":"1"}', "Expected `int | null`, got `str` - at `$.team_id`"),
        (b'{"event":"a","distinct_id":"b","properties":[]}', "Expected `object`, got `array` - at `$.properties`"),
        (b'{"event":"a","distinct_id":"b","properties":7}', "Expected `object`, got `number` - at `$.properties`"),
        (
            b'{"event":"a","distinct_id":"b","properties":"[1]"}',
            "Expected `object`, got `array` - in the text at `$.properties`",
        ),
        (
            b'{"event":"a","distinct_id":"b","properties":"{\\"a\\":"}',
            "Input data was truncated - in the text at `$.properties`",
        ),
        (
            b'{"event":"a","distinct_id":"b","person_properties":"yes"}',
            "JSON is malformed: invalid character (byte 0) - in the text at `$.person_properties`",
        ),
        (
            b'{"event":"a","distinct_id":"b","group3_properties":false}',
            "Expected `object`, got `bool` - at `$.group3_properties`",
        ),
        (b"\xff", "Expected UTF-8, got invalid start byte (byte 0)"),
        (b'{"event":"\xff"}', "Expected UTF-8, got invalid start byte (byte 10)"),
        (
            b'{"event":"a","distinct_id":"b","properties":{"x":"\xc3"}}',
            "Expected UTF-8, got invalid continuation byte (byte 50)",
        ),
    ],
)
def test_what_is_not_an_event_is_a_dead_letter_that_says_why(value: bytes | None, reason: str) -> None:
    assert decode(value) == DeadLetter("kafka:events", 2, 41, reason, value or b"")


@pytest.mark.parametrize("opening", [b"[", b'{"a":'], ids=["arrays", "objects"])
def test_bottomless_nesting_is_a_dead_letter(opening: bytes) -> None:
    value = b'{"event":"a","distinct_id":"b","properties":' + opening * (20_000_000 // len(opening))
    decoded = decode(value)
    assert isinstance(decoded, DeadLetter)
    assert decoded.reason == "JSON is nested too deeply to be read"
    assert decoded.value is value


@pytest.mark.parametrize(
    ("written", "text"), [(b"7", "7"), (b"1.5", "1.5"), (b"12345678901234567890123", "12345678901234567890123")]
)
def test_a_distinct_id_that_is_a_number_becomes_its_text(written: bytes, text: str) -> None:
    assert event(b'{"event":"a","distinct_id":' + written + b"}").distinct_id == text
    assert event(b'{"event":"a","properties":{"distinct_id":' + written + b"}}").distinct_id == text


@pytest.mark.parametrize("properties", [b"", b',"properties":null', b',"properties":""', b',"properties":"null"'])
def test_missing_properties_are_an_empty_object(properties: bytes) -> None:
    assert event(b'{"event":"a","distinct_id":"b"' + properties + b"}").properties == b"{}"


@pytest.mark.parametrize(
    ("fields", "project"),
    [("", 3), (',"project_id":8', 8), (',"team_id":7,"project_id":8', 7), (',"team_id":0', 0), (',"team_id":null', 3)],
)
def test_project(fields: str, project: int) -> None:
    assert event(f'{{"event":"a","distinct_id":"b"{fields}}}'.encode()).project == project


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-11-16 18:10:20.813000", "2026-11-16T18:10:20.813Z"),
        ("2026-11-16 18:10:20.813", "2026-11-16T18:10:20.813Z"),
        ("2026-11-16 18:10:20.813400", "2026-11-16T18:10:20.8134Z"),
        ("2026-11-16 18:10:20.000001", "2026-11-16T18:10:20.000001Z"),
        ("2026-11-16 18:10:20.5", "2026-11-16T18:10:20.500Z"),
        ("2026-11-16 18:10:20", "2026-11-16T18:10:20.000Z"),
        ("2026-11-16T18:10:20Z", "2026-11-16T18:10:20Z"),
        ("2026-11-16T18:10:20.5+02:00", "2026-11-16T18:10:20.5+02:00"),
        ("2026-11-16 18:10:20+02:00", "2026-11-16 18:10:20+02:00"),
        ("yesterday, or thereabouts", "yesterday, or thereabouts"),
    ],
)
def test_timestamp(sent: str, kept: str) -> None:
    assert event(json.dumps({"event": "a", "distinct_id": "b", "timestamp": sent}).encode()).timestamp == kept


@pytest.mark.parametrize(
    ("taken_ms", "timestamp"),
    [
        (TAKEN_MS, "2026-11-16T18:10:20.813Z"),
        (-1, "1970-01-01T00:00:00.000Z"),
        (10**18, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_without_a_timestamp_it_is_when_the_log_took_the_message(taken_ms: int, timestamp: str) -> None:
    decoded = decode_message(Message("-", 0, 0, b'{"event":"a","distinct_id":"b"}', taken_ms), 1)
    assert isinstance(decoded, Event)
    assert decoded.timestamp == timestamp


def test_a_uuid_is_derived_from_the_position_and_the_bytes_for_good() -> None:
    value = b'{"event":"a","distinct_id":"b"}'
    assert event(value).uuid == "9ac0a00a-7fb5-5f91-88f3-b50443b81f87"
    assert event(value.replace(b"}", b',"uuid":""}')).uuid not in ("", event(value).uuid)
    others = [Message("kafka:events", 2, 42, value, 0), Message("kafka:events", 1, 41, value, 0)]
    assert len({decode_message(other, 1).uuid for other in others} | {event(value).uuid}) == 3  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("value", "distinct_id", "properties"),
    [
        (rb'{"event":"a","distinct_id":"\ud800","properties":{}}', "\ufffd", b"{}"),
        (rb'{"event":"a","distinct_id":"b","properties":{"x":"\udc00!"}}', "b", '{"x":"\ufffd!"}'.encode()),
        (rb'{"event":"a","distinct_id":"b","properties":"{\"x\":\"\ud800\"}"}', "b", '{"x":"\ufffd"}'.encode()),
        (rb'{"event":"a","distinct_id":"b","properties":"{\"x\":\"\\ud800\"}"}', "b", '{"x":"\ufffd"}'.encode()),
        (rb'{"event":"a","distinct_id":"\ud83d\ude00","properties":{"x":"\\ud800"}}', "😀", rb'{"x":"\\ud800"}'),
    ],
)
def test_lone_surrogate_escapes_become_the_replacement_character(
    value: bytes, distinct_id: str, properties: bytes
) -> None:
    decoded = event(value)
    assert (decoded.distinct_id, decoded.properties) == (distinct_id, properties)


def test_a_row_whose_properties_are_an_object_and_a_capture_whose_properties_are_text() -> None:
    row = event(json.dumps(ROW | {"properties": {"a": 1}}).encode())
    capture = event(rb'{"event":"a","distinct_id":"b","properties":" {\"a\": 1}\n"}')
    assert (row.properties, capture.properties) == (b'{"a": 1}', b'{"a": 1}')


@given(st.binary())
def test_no_bytes_raise(value: bytes) -> None:
    assert isinstance(decode(value), Event | DeadLetter)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(ROW)), JSON | JSON.map(json.dumps)))
def test_no_json_raises(fields: dict[str, object]) -> None:
    decoded = decode(json.dumps({"event": "a", "distinct_id": "b"} | fields).encode())
    assert isinstance(decoded, DeadLetter) or decoded.properties.startswith(b"{")


@given(st.dictionaries(st.text(), JSON.filter(lambda value: "NaN" not in json.dumps(value))))
def test_both_shapes_hand_on_the_same_properties(properties: dict[str, object]) -> None:
    text = json.dumps(properties).replace("-Infinity", "0").replace("Infinity", "0")
    capture = decode(f'{{"event":"a","distinct_id":"b","properties":{text}}}'.encode())
    row = decode(json.dumps({"event": "a", "distinct_id": "b", "properties": text}).encode())
    assert isinstance(capture, Event)
    assert isinstance(row, Event)
    assert json.loads(capture.properties) == json.loads(row.properties)


def test_an_internal_event_of_posthog_is_none() -> None:
    inner = {"uuid": "u1", "event": "$activity_log_entry_created", "distinct_id": "team", "properties": {}}
    raw = json.dumps({"team_id": 1, "event": inner}).encode()
    letter = decode_message(Message("kafka:cdp_internal_events", 0, 0, raw, 0), 1)
    assert isinstance(letter, DeadLetter)
    assert letter.reason == "Expected `str | null`, got `object` - at `$.event`"

"""The feed: restore to the end, then follow; from files and from the broker inside librdkafka."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from connectors.person_feed import PersonFeed
from connectors.person_inputs import Input, JsonLines, KafkaTopic, Role
from connectors.person_reader import RareLog
from connectors.person_table import PersonTable, Position
from records import Deleted, Group, Person

DATA = Path(__file__).parents[2].parent / "shared" / "data"
PATIENCE_S = 20.0


def until(holds: Callable[[], bool], feed: PersonFeed) -> bool:
    """Wait for another thread to make it hold, with a bound that only a failure reaches."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.01)):
        if holds() or feed.failure:
            break
        pause.wait(0.01)
    return holds()


def person_line(person: str, version: int = 0, **properties: object) -> bytes:
    return json.dumps({"id": person, "team_id": 1, "version": version, "properties": properties}).encode()


def mapping_line(distinct_id: str, person: str, version: int = 0) -> bytes:
    return json.dumps({"distinct_id": distinct_id, "person_id": person, "team_id": 1, "version": version}).encode()


@pytest.fixture
def table(tmp_path: Path) -> Iterator[PersonTable]:
    opened = PersonTable(tmp_path / "table")
    yield opened
    opened.close()


@pytest.fixture
def start(table: PersonTable) -> Iterator[Callable[..., PersonFeed]]:
    feeds = []

    def begin(*inputs: Input, wait: bool = True) -> PersonFeed:
        feed = PersonFeed(table, inputs)
        feeds.append(feed)
        feed.start()
        if wait:
            assert feed.ready.wait(PATIENCE_S), feed.failure
        return feed

    yield begin
    for feed in feeds:
        feed.close()


@pytest.fixture
def persons(tmp_path: Path) -> JsonLines:
    return JsonLines(Role.PERSONS, tmp_path / "persons.jsonl")


def test_recorded_persons_are_restored(start: Callable[..., PersonFeed], table: PersonTable) -> None:
    if not DATA.is_dir():
        pytest.skip(f"recorded data is not there: {DATA}")
    feed = start(
        JsonLines(Role.PERSONS, DATA / "persons.jsonl"),
        JsonLines(Role.DISTINCT_IDS, DATA / "distinct_ids.jsonl"),
        JsonLines(Role.GROUPS, DATA / "groups.jsonl"),
    )
    latest = {}
    for line in (DATA / "persons.jsonl").read_bytes().splitlines():
        message = json.loads(line)
        latest[message["id"]] = message
    alive = [m for m in latest.values() if not m["is_deleted"]]
    assert len(alive) == 20
    for message in alive:
        found = table.person(1, message["id"])
        assert isinstance(found, Person)
        assert json.loads(found.properties) == json.loads(message["properties"])
    deleted = [m for m in latest.values() if m["is_deleted"]]
    assert len(deleted) == 2
    assert [table.person(1, m["id"]) for m in deleted] == [Deleted(m["version"]) for m in deleted]
    owners = {}
    for line in (DATA / "distinct_ids.jsonl").read_bytes().splitlines():
        message = json.loads(line)
        owners[message["distinct_id"]] = message["person_id"]
    assert {d: p.id for d in owners if isinstance(p := table.lookup(1, d), Person)} == owners
    assert [group.index for group in table.groups_with_key(1, "fjordmail")] == [0]
    assert feed.skipped() == {}
    assert feed.progress().rows == 70 + 40 + 20
    assert feed.progress().remaining == 0


def test_a_file_is_followed(start: Callable[..., PersonFeed], table: PersonTable, persons: JsonLines) -> None:
    persons.path.write_bytes(person_line("a", plan="free") + b"\r\n\n")
    feed = start(persons)
    with persons.path.open("ab") as file:
        file.write(person_line("a", 1, plan="pro") + b"\n" + person_line("b")[:20])
    assert until(lambda: table.person(1, "a") == Person("a", b'{"plan": "pro"}'), feed)
    assert table.person(1, "b") is None
    with persons.path.open("ab") as file:
        file.write(person_line("b")[20:] + b"\n")
    assert until(lambda: table.person(1, "b") == Person("b", b"{}"), feed)
    assert feed.skipped() == {}


def test_a_last_line_without_newline_counts(
    start: Callable[..., PersonFeed], table: PersonTable, persons: JsonLines
) -> None:
    persons.path.write_bytes(person_line("a") + b"\n" + person_line("b", plan="pro"))
    feed = start(persons)
    assert table.person(1, "b") == Person("b", b'{"plan": "pro"}')
    with persons.path.open("ab") as file:
        file.write(b"\n" + person_line("c") + b"\n")
    assert until(lambda: table.person(1, "c") is not None, feed)
    assert table.offsets() == {f"{persons.stream}/0": persons.path.stat().st_size}


def test_a_restart_reads_only_what_is_new(
    start: Callable[..., PersonFeed], table: PersonTable, persons: JsonLines
) -> None:
    persons.path.write_bytes(b"".join(person_line(f"p{n}") + b"\n" for n in range(10)))
    start(persons).close()
    with persons.path.open("ab") as file:
        file.write(person_line("new") + b"\n")
    assert start(persons).progress().rows == 1
    assert isinstance(table.person(1, "new"), Person)


@pytest.mark.parametrize("replacement", ["shorter", "same size", "longer"])
def test_a_replaced_file_is_read_again(
    start: Callable[..., PersonFeed],
    table: PersonTable,
    persons: JsonLines,
    caplog: pytest.LogCaptureFixture,
    replacement: str,
) -> None:
    persons.path.write_bytes(person_line("a", n=1) + b"\n" + person_line("b", n=1) + b"\n")
    start(persons).close()
    count = {"shorter": 1, "same size": 2, "longer": 3}[replacement]
    persons.path.write_bytes(b"".join(person_line(name, n=2) + b"\n" for name in "abc"[:count]))
    assert start(persons).progress().rows == count
    assert table.person(1, "a") == Person("a", b'{"n": 2}')
    assert f"{persons.stream}: has been cut or replaced; reading it again from its beginning" in caplog.messages


def test_a_file_that_vanishes_is_waited_for(
    start: Callable[..., PersonFeed], table: PersonTable, persons: JsonLines, caplog: pytest.LogCaptureFixture
) -> None:
    persons.path.write_bytes(person_line("a") + b"\n")
    feed = start(persons)
    persons.path.unlink()
    lost = f"{persons.stream}: cannot be read (No such file or directory); trying again until it can"
    assert until(lambda: lost in caplog.messages, feed)
    persons.path.write_bytes(person_line("back") + b"\n")
    assert until(lambda: table.person(1, "back") is not None, feed)
    assert feed.failure is None


def test_malformed_messages_are_counted_and_logged_once_per_kind(
    start: Callable[..., PersonFeed], table: PersonTable, persons: JsonLines, caplog: pytest.LogCaptureFixture
) -> None:
    bad = [b"{", b"{{", b"[]", b'{"id":"p"}', b'{"id":"p","team_id":1,"properties":3}']
    persons.path.write_bytes(b"\n".join([*bad, person_line("good")]) + b"\n")
    feed = start(persons)
    assert isinstance(table.person(1, "good"), Person)
    assert feed.skipped() == {
        (persons.stream, "not JSON"): 2,
        (persons.stream, "wrong fields"): 2,
        (persons.stream, "wrong properties"): 1,
    }
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 3
    assert warnings[1] == (
        f"{persons.stream}/0 offset 5: skipped a message for persons: wrong fields: Expected `object`, got `array`; "
        "more of this kind are only counted"
    )


def test_inputs_that_cannot_work_are_refused_at_once(table: PersonTable, persons: JsonLines) -> None:
    with pytest.raises(ValueError, match="no such file") as caught:
        PersonFeed(table, [persons])
    assert str(caught.value) == f"{persons.path}: no such file; it is configured as the input for persons"
    persons.path.touch()
    with pytest.raises(ValueError, match="twice") as caught:
        PersonFeed(table, [persons, persons])
    assert str(caught.value) == (
        f"{persons.stream}: is configured twice; each of persons, distinct ids and groups has its own"
    )
    with pytest.raises(ValueError, match="refuses") as caught:
        PersonFeed(table, [KafkaTopic(Role.PERSONS, "127.0.0.1:1", "t", {"sasl.colour": "red"})])
    assert str(caught.value) == (
        'kafka:t: the Kafka client refuses a setting: No such configuration property: "sasl.colour"'
    )


def test_settings_do_not_show_in_the_input(table: PersonTable) -> None:
    assert "hunter2" not in repr(KafkaTopic(Role.PERSONS, "h:1", "t", {"sasl.password": "hunter2"}))


def test_no_input_is_ready_at_once(start: Callable[..., PersonFeed]) -> None:
    assert start().ready.is_set()


def test_a_closed_store_ends_the_feed_with_a_reason(
    tmp_path: Path, persons: JsonLines, caplog: pytest.LogCaptureFixture
) -> None:
    persons.path.touch()
    table = PersonTable(tmp_path / "short-lived")
    feed = PersonFeed(table, [persons])
    table.close()
    feed.start()
    assert until(lambda: feed.failure is not None, feed)
    assert feed.failure == "the person feed has stopped: DB instance already closed"
    assert not feed.ready.is_set()
    feed.close()


def test_a_lasting_condition_is_logged_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    now = 100.0
    log = RareLog(logging.getLogger("rare"), every_s=10.0, clock=lambda: now)
    for now in (100.0, 101.0, 109.9, 110.0, 111.0):  # the clock above reads it
        log.warning("away since %d", now)
    assert caplog.messages == ["away since 100", "away since 110"]


class Broker:
    """The broker inside librdkafka; it lives as long as its producer and makes a topic when one is asked for."""

    def __init__(self) -> None:
        self._producer = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 0})
        broker = next(iter(self._producer.list_topics(timeout=10).brokers.values()))
        self.servers = f"{broker.host}:{broker.port}"

    def create(self, topic: str) -> None:
        self._producer.list_topics(topic, timeout=10)

    def send(self, topic: str, *values: bytes | None) -> None:
        for value in values:
            self._producer.produce(topic, value)
        assert self._producer.flush(10) == 0


@pytest.fixture(scope="module")
def broker() -> Broker:
    return Broker()


def topic(broker: Broker, role: Role, name: str) -> KafkaTopic:
    return KafkaTopic(role, broker.servers, name)


def test_topics_are_restored_and_followed(
    start: Callable[..., PersonFeed], table: PersonTable, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    broker.create("persons")
    broker.create("ids")
    broker.create("groups")
    broker.send("persons", *(person_line(f"p{n}", n=n) for n in range(6_000)), None)
    broker.send("ids", *(mapping_line(f"d{n}", f"p{n}") for n in range(6_000)))
    feed = start(
        topic(broker, Role.PERSONS, "persons"),
        topic(broker, Role.DISTINCT_IDS, "ids"),
        topic(broker, Role.GROUPS, "groups"),
    )
    assert all(table.lookup(1, f"d{n}") == Person(f"p{n}", b'{"n": %d}' % n) for n in range(6_000))
    assert feed.progress().rows == 12_001
    assert feed.skipped() == {("kafka:persons", "no value"): 1}
    assert any(line.startswith("person table restored: 12001 rows read") for line in caplog.messages)
    broker.send("persons", person_line("p7", 1, n="new"))
    broker.send("ids", mapping_line("d8", "p7", 1))
    broker.send("groups", b'{"group_type_index":1,"group_key":"acme","team_id":1,"group_properties":"{}"}')
    assert until(lambda: table.lookup(1, "d8") == Person("p7", b'{"n": "new"}'), feed)
    assert until(lambda: table.groups_with_key(1, "acme") == [Group(1, "acme", b"{}")], feed)


def test_a_restart_goes_on_at_the_stored_offsets(
    start: Callable[..., PersonFeed], table: PersonTable, broker: Broker
) -> None:
    broker.create("again")
    broker.send("again", *(person_line(f"p{n}") for n in range(100)))
    start(topic(broker, Role.PERSONS, "again")).close()
    assert sum(table.offsets().values()) == 100
    broker.send("again", person_line("new"))
    assert start(topic(broker, Role.PERSONS, "again")).progress().rows == 1
    assert isinstance(table.person(1, "new"), Person)


def test_a_topic_made_anew_is_read_from_its_beginning(
    start: Callable[..., PersonFeed], table: PersonTable, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.create("anew")
    broker.send("anew", *(person_line(f"p{n}") for n in range(50)))
    start(topic(broker, Role.PERSONS, "anew")).close()
    stored = table.positions()
    table.apply([], {name: Position(position.next + 1_000, position.fingerprint) for name, position in stored.items()})
    assert start(topic(broker, Role.PERSONS, "anew")).progress().rows == 50
    assert any(
        line.startswith("kafka:anew/") and line.endswith("the topic was made anew; reading it from its beginning")
        for line in caplog.messages
    )


def test_another_cluster_is_read_from_its_beginning(
    start: Callable[..., PersonFeed], table: PersonTable, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.create("moved")
    broker.send("moved", *(person_line(f"p{n}") for n in range(40)))
    start(topic(broker, Role.PERSONS, "moved")).close()
    stored = table.positions()
    table.apply([], {name: Position(position.next, "elsewhere") for name, position in stored.items()})
    assert start(topic(broker, Role.PERSONS, "moved")).progress().rows == 40
    assert any("is on another Kafka cluster than before" in line for line in caplog.messages)


def test_an_empty_topic_is_ready(start: Callable[..., PersonFeed], broker: Broker) -> None:
    broker.create("empty")
    assert start(topic(broker, Role.PERSONS, "empty")).progress().rows == 0


def test_a_missing_topic_is_waited_for(
    start: Callable[..., PersonFeed], table: PersonTable, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    feed = start(topic(broker, Role.PERSONS, "late"), wait=False)
    waiting = (
        f"kafka:late at {broker.servers}: the topic cannot be read: Broker: Unknown topic or partition; create it or "
        "correct its name; trying again until it answers"
    )
    assert until(lambda: waiting in caplog.messages, feed)
    assert not feed.ready.is_set()
    broker.create("late")
    broker.send("late", person_line("p"))
    assert feed.ready.wait(PATIENCE_S)
    assert until(lambda: table.person(1, "p") is not None, feed)


def test_a_broker_that_is_away_is_waited_for(
    start: Callable[..., PersonFeed], caplog: pytest.LogCaptureFixture
) -> None:
    feed = start(KafkaTopic(Role.PERSONS, "127.0.0.1:1", "persons"), wait=False)
    assert until(lambda: any("trying again until it answers" in line for line in caplog.messages), feed)
    assert not feed.ready.is_set()
    assert feed.failure is None
    assert len(caplog.messages) == 1

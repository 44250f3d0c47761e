"""Destinations of `source: person-updates`: the persons topic, or file, read as a log of its own."""

import itertools
import random
from collections.abc import Iterable
from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.integration import topics
from tests.integration.events import capture, distinct_id, person
from tests.integration.stand import QUICK, Job, Stand, dumps, until
from tests.kafka_broker import KafkaBroker
from tests.receiver import Answer, Received, Receiver

UPDATES = {**QUICK, "filters": {"source": "person-updates"}}
BODY = {"event": "{event}", "person": "{person}", "project": "{project.id}"}
COMPACTED = {
    "cleanup_policy": "compact",
    "segment_ms": "100",
    "min_cleanable_dirty_ratio": "0.001",
    "min_compaction_lag_ms": "0",
}
SOON_S = 10.0


def versions(requests: Iterable[Received]) -> list[tuple[str, int]]:
    """Who came, in which version, by the property `n`."""
    bodies = [request.json() for request in requests]
    return [(body["person"]["id"], body["person"]["properties"]["n"]) for body in bodies]


def webhook_ids(requests: Iterable[Received]) -> dict[tuple[str, int], set[str | None]]:
    """The values of `webhook-id` by version."""
    found: dict[tuple[str, int], set[str | None]] = {}
    for request in requests:
        found.setdefault(versions([request])[0], set()).add(request.header("webhook-id"))
    return found


def updates(people: int, count: int, first: int = 0) -> list[dict[str, Any]]:
    """So many versions, of each of these people in turn."""
    return [person(f"p{number % people}", number, n=number) for number in range(first, first + count)]


def wanted(people: int, count: int, first: int = 0) -> list[tuple[str, int]]:
    return sorted((f"p{number % people}", number) for number in range(first, first + count))


class Persons:
    """A topic of persons, and what a job needs to read it beside a topic of events."""

    def __init__(self, kafka: KafkaBroker, **config: str) -> None:
        self.kafka = kafka
        self.topic = kafka.create_topic(1, **({"cleanup_policy": "compact"} | config))
        links = topics.table(kafka, [distinct_id("d1", "p0")])
        self.events = topics.events(kafka, [])
        self.command = [
            *("--events", topics.url(kafka, self.events)),
            *("--persons", topics.url(kafka, self.topic, links)),
        ]

    def put(self, *rows: dict[str, Any]) -> None:
        topics.extend(self.kafka, self.topic, rows)

    def offsets(self) -> list[int]:
        """The positions that the topic still has."""
        consumer = Consumer(
            {"bootstrap.servers": self.kafka.servers, "group.id": "look", "enable.partition.eof": True, "log_level": 0}
        )
        consumer.assign([TopicPartition(self.topic, 0, 0)])
        found: list[int] = []
        while True:
            message = consumer.poll(SOON_S)
            assert message is not None
            error, offset = message.error(), message.offset()
            if error is not None:
                assert error.code() == KafkaError._PARTITION_EOF
                consumer.close()
                return found
            assert offset is not None
            found.append(offset)

    def compact(self, offset: int) -> None:
        """Wait until the version at this position has given way to a newer one."""

        def given_way() -> bool:
            # A segment is looked at when it is closed, which its first message after 100 ms does.
            self.put(person("last", 1, n=0))
            return offset not in self.offsets()

        until(f"offset {offset} is compacted away", given_way)


def test_a_change_is_an_event_for_those_who_want_changes(kafka: KafkaBroker, stand: Stand, receiver: Receiver) -> None:
    persons = Persons(kafka)
    persons.put(*updates(10, 10))
    stand.destination("crm", more=UPDATES, body=BODY)
    stand.destination("ads", more={**QUICK, "filters": {"events": [{"id": None}]}}, body=BODY)
    job = stand.start(*persons.command, "--site-url", "https://o.example")
    topics.append(kafka, persons.events, [capture(0)])
    receiver.wait(1, path="/ads", timeout=30)

    persons.put(
        person("p/1", 3, email="anna@example.com", n=3),
        person("p2", 4, n=4) | {"is_deleted": 1},
        person("p3", 5, n=5) | {"team_id": 7},
    )
    topics.append(kafka, persons.events, [capture(1)])
    receiver.wait(2, path="/ads", timeout=30)
    arrived = {request.json()["person"]["id"]: request.json() for request in receiver.wait(2, path="/crm", timeout=30)}
    assert job.terminate() == 0

    anna = arrived.pop("p/1")
    url = "https://o.example/project/1/person/p%2F1"
    timestamp = anna["event"].pop("timestamp")
    assert timestamp.endswith("Z")
    assert anna == {
        "event": {
            "uuid": anna["event"]["uuid"],
            "event": "$person_updated",
            "distinct_id": "p/1",
            "properties": {},
            "elements_chain": "",
            "captured_at": None,
            "url": url,
        },
        "person": {
            "id": "p/1",
            "properties": {"email": "anna@example.com", "n": 3},
            "name": "anna@example.com",
            "url": url,
            "distinct_id": "p/1",
        },
        "project": 1,
    }
    assert {id: body["project"] for id, body in arrived.items()} == {"p3": 7}
    assert [request.json()["event"]["event"] for request in receiver.of("/ads")] == ["$pageview"] * 2
    assert len(receiver.of("/crm")) == 2


def test_killed_again_and_again_and_nothing_is_lost(kafka: KafkaBroker, stand: Stand, receiver: Receiver) -> None:
    chance = random.Random(5)
    persons = Persons(kafka)
    persons.put(*updates(50, 50, first=1_000_000))
    stand.destination("crm", more=UPDATES, body=BODY)
    receiver.on("/crm", Answer(delay_s=0.05))
    number = itertools.count()

    def put(count: int) -> None:
        persons.put(*(person(f"p{n}", n, n=n) for n in itertools.islice(number, count)))

    def start() -> Job:
        job = stand.start(*persons.command, "--snapshot-interval-s", 0.2)
        job.wait_for_log("person table restored")
        return job

    job = start()
    for _ in range(3):
        put(300)
        # Changes come while it runs, while it is killed, and while it is away.
        receiver.wait(len(receiver.of("/crm")) + chance.randrange(1, 200), 30, "/crm")
        job.kill()
        put(100)
        job = start()
    put(1)
    last = next(number) - 1
    job.until("all of them", lambda: (f"p{last}", last) in versions(receiver.of("/crm")))
    job.until("settled", lambda: stand.status()["crm"]["owed"] == 0)
    assert job.terminate() == 0
    assert sorted(set(versions(receiver.of("/crm")))) == sorted((f"p{n}", n) for n in range(last + 1))
    assert {len(ids) for ids in webhook_ids(receiver.of("/crm")).values()} == {1}


def test_a_destination_that_comes_while_it_runs(kafka: KafkaBroker, stand: Stand, receiver: Receiver) -> None:
    persons = Persons(kafka)
    stand.destination("ads")
    job = stand.start(*persons.command)
    topics.append(kafka, persons.events, [capture(0)])
    receiver.wait(1, path="/ads", timeout=30)
    persons.put(*updates(5, 5))

    stand.destination("crm", more=UPDATES, body=BODY)
    number = itertools.count(5)

    def first_comes() -> list[tuple[str, int]]:
        persons.put(*updates(5, 1, first=next(number)))
        return versions(receiver.of("/crm"))

    first = until("the first", first_comes, SOON_S)[0][1]
    assert first >= 5
    persons.put(*updates(5, 5, first=100))
    # The next snapshot need not have been made: where its reading began is remembered from the start.
    job.kill()
    persons.put(*updates(5, 5, first=200))
    job = stand.start(*persons.command)
    every = {*wanted(5, next(number) - first, first), *wanted(5, 5, first=100), *wanted(5, 5, first=200)}
    job.until("all of them", lambda: len(set(versions(receiver.of("/crm")))) >= len(every))
    assert job.terminate() == 0
    assert set(versions(receiver.of("/crm"))) == every


def test_versions_that_compaction_took_are_no_loss(kafka: KafkaBroker, stand: Stand, receiver: Receiver) -> None:
    persons = Persons(kafka, **COMPACTED)
    stand.destination("crm", more=UPDATES, body=BODY)
    receiver.on("/crm", Answer(delay_s=60.0))
    job = stand.start(*persons.command, "--shutdown-grace-s", 0)
    job.wait_for_log("person table restored")
    # Ten are on the wire when it ends: single positions. Ten come while the destination is paused: a span.
    persons.put(*updates(10, 10))
    receiver.wait(10, path="/crm", timeout=30)
    assert stand.offramp("pause", "crm")[0] == 0
    persons.put(*updates(10, 10, first=10))
    job.until("owed", lambda: stand.status()["crm"]["owed"] >= 20)
    assert job.terminate() == 0
    before = len(receiver.of("/crm"))
    persons.put(*updates(9, 9, first=100))
    persons.compact(18)
    left = [at for at in persons.offsets() if at < 20]
    assert left == [19]

    receiver.on("/crm", Answer())
    job = stand.start(*persons.command)
    job.wait_for_log("person table restored")
    assert stand.offramp("enable", "crm", "--send-missed")[0] == 0
    until("all is settled", lambda: stand.status()["crm"]["owed"] == 0 and stand.status()["crm"]["delivered"] >= 10)
    job.until("the last", lambda: ("last", 0) in versions(receiver.of("/crm")[before:]))
    assert job.terminate() == 0
    status = stand.status()["crm"]
    assert (status["expired"], status["failed"], status["skipped"]) == (0, 0, 19)
    assert {one for one in versions(receiver.of("/crm")[before:]) if one[0] != "last"} == {
        ("p9", 19),
        *wanted(9, 9, first=100),
    }


def test_a_replay_reads_the_persons_again(kafka: KafkaBroker, stand: Stand, receiver: Receiver) -> None:
    persons = Persons(kafka)
    persons.put(*updates(10, 10))
    topics.append(kafka, persons.events, [capture(n) for n in range(5)])
    stand.destination("crm", more=UPDATES, body=BODY)
    stand.destination("ads", body=BODY)
    job = stand.start(*persons.command)
    receiver.wait(5, path="/ads", timeout=30)
    assert receiver.of("/crm") == []
    code, _, error = stand.offramp("replay", "crm", "--from", f"{persons.topic}/0:4", "--to", f"{persons.topic}/0:6")
    assert (code, error) == (0, "")
    assert sorted(versions(receiver.wait(3, path="/crm", timeout=30))) == wanted(10, 3, first=4)
    code, _, error = stand.offramp("replay", "crm", "--from", f"{persons.events}/0:0")
    assert code == 1
    assert f"destination 'crm' takes person-updates, and kafka:{persons.events} has events" in error
    assert stand.offramp("replay", "crm", "--from-time", "1h", "--detach")[0] == 0
    receiver.wait(13, path="/crm", timeout=30)
    job.until("settled", lambda: stand.status()["crm"]["replays"] == [])
    assert job.terminate() == 0
    assert len(receiver.of("/crm")) == 13
    assert len(receiver.of("/ads")) == 5
    assert {len(ids) for ids in webhook_ids(receiver.of("/crm")).values()} == {1}


def test_a_topic_that_is_not_there_yet_is_no_reason_not_to_start(
    kafka: KafkaBroker, stand: Stand, receiver: Receiver
) -> None:
    name, links = "persons-made-later", topics.table(kafka, [distinct_id("d1", "p0")])
    events = topics.events(kafka, [capture(0)])
    stand.destination("ads")
    stand.destination("crm", more=UPDATES, body=BODY)
    command = ["--events", topics.url(kafka, events), "--persons", topics.url(kafka, name, links)]
    job = stand.start(*command)
    job.wait_for_log("whoever wants its messages gets them only after the next start")
    admin = AdminClient({"bootstrap.servers": kafka.servers})
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(30)
    receiver.wait(1, path="/ads", timeout=30)
    assert job.terminate() == 0

    job = stand.start(*command)
    job.wait_for_log("person table restored")
    topics.extend(kafka, name, updates(3, 3))
    assert sorted(versions(receiver.wait(3, path="/crm", timeout=30))) == wanted(3, 3)
    assert job.terminate() == 0


def test_a_file_of_persons(stand: Stand, receiver: Receiver) -> None:
    links = stand.lines("links.jsonl", [distinct_id("d1", "p0")])
    events = stand.lines("events.jsonl", [capture(0)])
    path = stand.lines("persons.jsonl", updates(3, 3))
    stand.destination("crm", more=UPDATES, body=BODY)
    stand.destination("ads", body=BODY)
    command = ["--events", events, "--persons", f"{path},{links}", "--until-end"]
    code, out, log = stand.run(*command)
    assert code == 0, log
    assert "crm: matched 0, delivered 0, failed 0, owed 0" in out.splitlines()
    stand.lines("persons.jsonl", [*updates(3, 3, first=3), b"{", person("p9", 9, n=9) | {"is_deleted": 1}])
    code, out, log = stand.run(*command)
    assert code == 0, log
    assert out.splitlines()[:3] == [
        "ads: matched 1, delivered 1, failed 0, owed 0",
        "crm: matched 3, delivered 3, failed 0, owed 0",
        f"1 message was not an event: see `offramp dead-letters --state {stand.state}`",
    ]
    assert sorted(versions(receiver.of("/crm"))) == wanted(3, 3, first=3)


def test_the_last_line_of_a_file_of_persons_may_have_no_newline(stand: Stand, receiver: Receiver) -> None:
    links = stand.lines("links.jsonl", [distinct_id("d1", "p0")])
    events = stand.lines("events.jsonl", [capture(0)])
    path = stand.lines("persons.jsonl", updates(3, 3))
    path.write_bytes(path.read_bytes().rstrip())
    stand.destination("crm", more=UPDATES, body=BODY)
    command = ["--events", events, "--persons", f"{path},{links}"]
    code, out, log = stand.run(*command, "--until-end")
    assert code == 0, log
    assert "crm: matched 0, delivered 0, failed 0, owed 0" in out.splitlines(), "it was there before"
    job = stand.start(*command)
    job.wait_for_log("person table restored")
    with path.open("ab") as file:
        file.write(b"\n" + dumps(person("p7", 7, n=7)))
    assert versions(receiver.wait(1, path="/crm", timeout=30)) == [("p7", 7)]
    code, _, error = stand.offramp("replay", "crm", "--from-time", "1h")
    assert code == 1
    assert f"{path}: no line has a `timestamp`, so no place is found by a time" in error
    assert job.terminate() == 0
    assert versions(receiver.of("/crm")) == [("p7", 7)]

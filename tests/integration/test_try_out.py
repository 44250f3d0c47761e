"""`offramp test` beside a job on Kafka: events of its topic, persons of its table, and nothing of it in its journal."""

import json
from typing import Any

from tests.integration import topics
from tests.integration.events import capture, distinct_id, person, row, uuid_of
from tests.integration.stand import Stand, until, uuids, webhook_ids
from tests.kafka_broker import KafkaBroker
from tests.receiver import Receiver

PARTITIONS = 4


def test_the_newest_event_that_matches_is_tried_out_beside_the_job(
    kafka: KafkaBroker, stand: Stand, receiver: Receiver
) -> None:
    stand.destination("crm", "event == 'paid' and person.properties.plan == 'pro'", body={"uuid": "{event.uuid}"})
    persons = topics.table(kafka, [person("p1", 1, plan="free"), person("p2", 1, plan="free")])
    ids = topics.table(kafka, [distinct_id("d1", "p1"), distinct_id("d2", "p2")])
    written = [(capture if n % 2 else row)(n, "paid" if n % 3 else "seen", f"d{1 + n % 2}") for n in range(300)]
    events = topics.events(kafka, written, PARTITIONS)
    inputs = ("--events", topics.url(kafka, events))
    job = stand.start(*inputs, "--persons", topics.url(kafka, persons, ids))

    # Nobody has that plan, until the table hears otherwise.
    until("the job has a status", lambda: "crm" in stand.status() or stand.offramp("status")[0] == 0)
    assert tried(stand, *inputs)[0] == 1
    topics.extend(kafka, persons, [person("p2", 2, plan="pro")])
    until("the person is known", lambda: tried(stand, *inputs)[0] == 0)

    code, [dry] = tried(stand, *inputs)
    newest = max(n for n in range(300) if n % 3 and n % 2)
    assert (code, dry["uuid"], dry["person"], dry["ending"]) == (0, uuid_of(newest), "p2", "would be delivered")
    assert dry["position"].startswith(f"kafka:{events}/{newest % PARTITIONS}:")
    assert receiver.requests == []

    # Sent as a test, and then by the job: with one id.
    code, [sent] = tried(stand, *inputs, "--send")
    assert (code, sent["ending"]) == (0, "delivered")
    [request] = receiver.wait(1)
    assert request.header("offramp-test") == "true"
    assert stand.status().get("crm", {}).get("delivered", 0) == 0
    again = stand.offramp("replay", "crm", "--from", dry["position"].removeprefix("kafka:"), "--json")
    assert again[0] == 0, again
    receiver.wait(2, timeout=30)
    until("the replay is settled", lambda: stand.status()["crm"]["delivered"] >= 1)
    assert uuid_of(newest) in uuids(receiver.requests)
    assert len(webhook_ids(receiver.requests)[uuid_of(newest)]) == 1
    assert [one.header("offramp-test") for one in receiver.requests].count("true") == 1
    assert job.terminate() == 0


def test_by_uuid_by_name_and_the_newest_of_all_partitions(kafka: KafkaBroker, stand: Stand) -> None:
    stand.destination("crm", "event == 'paid'")
    events = topics.events(kafka, [capture(n, "paid" if n == 5 else "seen") for n in range(3000)], PARTITIONS)
    topics.append(kafka, events, [capture(9000), capture(9001, "paid"), capture(9002)], PARTITIONS)
    inputs = ("--events", topics.url(kafka, events))
    assert [one["uuid"] for one in tried(stand, *inputs, "--uuid", uuid_of(5))[1]] == [uuid_of(5)]
    assert [one["uuid"] for one in tried(stand, *inputs)[1]] == [uuid_of(9001)]
    code, newest = tried(stand, *inputs, "--last", "3")
    assert (code, {one["uuid"] for one in newest}) == (1, {uuid_of(9000), uuid_of(9001), uuid_of(9002)})
    assert [one["uuid"] for one in tried(stand, *inputs, "--last", "9", "--name", "paid")[1]] == [
        uuid_of(9001),
        uuid_of(5),
    ]


def tried(stand: Stand, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and the results."""
    more = ("--destinations", stand.destinations, "--allow", "127.0.0.0/8", "--json")
    code, out, error = stand.offramp("test", "crm", *arguments, *more)
    assert error == "" or "no event that 'crm' wants" in error, error
    return code, [json.loads(line) for line in out.splitlines()]

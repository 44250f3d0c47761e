"""What people tell a running job by the command line: it is carried out once, also over a kill and a restart."""

import json
from typing import Any

import pytest

from tests.integration import topics
from tests.integration.events import capture, uuid_of
from tests.integration.stand import Stand, until, uuids, webhook_ids
from tests.kafka_broker import KafkaBroker
from tests.receiver import Answer, Receiver

PARTITIONS = 2


def events(first: int, last: int) -> list[dict[str, Any]]:
    return [capture(number, "order completed", "ada") for number in range(first, last)]


@pytest.fixture
def topic(kafka: KafkaBroker, stand: Stand) -> str:
    stand.destination("crm")
    return topics.events(kafka, events(0, 20), PARTITIONS)


def status(stand: Stand) -> dict[str, Any]:
    return stand.status().get("crm", {})


def settled(stand: Stand, delivered: int) -> dict[str, Any]:
    """The status once so many are delivered and nothing is owed."""

    def look() -> dict[str, Any] | None:
        now = status(stand)
        return now if now.get("delivered") == delivered and not now["owed"] else None

    found = until(f"{delivered} delivered", look)
    assert found is not None
    return found


def test_what_is_missed_in_a_pause_is_sent_or_skipped(
    kafka: KafkaBroker, topic: str, stand: Stand, receiver: Receiver
) -> None:
    job = stand.start("--events", topics.url(kafka, topic))
    settled(stand, 20)
    assert stand.offramp("pause", "crm") == (0, "crm is paused\n", "")
    topics.append(kafka, topic, events(20, 30), PARTITIONS)
    until("10 owed", lambda: status(stand)["owed"] == 10)
    assert len(receiver.requests) == 20
    code, _, told = stand.offramp("enable", "crm")
    assert (code, told.partition(":")[0]) == (2, "10 events are owed to 'crm'")
    # Whether the last snapshot knows of the pause or not: it holds again afterwards.
    job.kill()
    job = stand.start("--events", topics.url(kafka, topic))
    until("paused, and all owed again", lambda: (status(stand)["state"], status(stand)["owed"]) == ("paused", 10))
    assert stand.offramp("enable", "crm", "--send-missed")[0] == 0
    settled(stand, 30)
    assert sorted(set(uuids(receiver.requests))) == sorted(uuid_of(number) for number in range(30))
    sent = len(receiver.requests)

    assert stand.offramp("disable", "crm")[0] == 0
    topics.append(kafka, topic, events(30, 40), PARTITIONS)
    until("10 owed", lambda: status(stand)["owed"] == 10)
    assert stand.offramp("enable", "crm", "--skip-missed")[0] == 0
    topics.append(kafka, topic, events(40, 42), PARTITIONS)
    assert settled(stand, 32)["skipped"] == 10
    assert len(receiver.requests) == sent + 2
    assert job.terminate() == 0


def test_a_replay_sends_again_what_matches(kafka: KafkaBroker, topic: str, stand: Stand, receiver: Receiver) -> None:
    job = stand.start("--events", topics.url(kafka, topic))
    settled(stand, 20)
    code, out, err = stand.offramp("replay", "crm", "--from-time", "1h", "--dry-run", "--json")
    assert (code, err, json.loads(out)["positions"]) == (0, "", 20)
    assert stand.offramp("replay", "crm", "--from", f"{topic}/1:4", "--to", f"{topic}/1:6")[0] == 0
    settled(stand, 23)
    assert stand.offramp("replay", "crm", "--from-time", "1h")[0] == 0
    settled(stand, 43)
    assert {len(ids) for ids in webhook_ids(receiver.requests).values()} == {1}
    assert sorted(uuids(receiver.requests[20:23])) == sorted(uuid_of(number) for number in (9, 11, 13))
    until("the end of the replays", lambda: not status(stand)["replays"])
    assert job.terminate() == 0


def test_what_failed_is_in_the_ledger_until_it_is_sent_again(
    kafka: KafkaBroker, topic: str, stand: Stand, receiver: Receiver
) -> None:
    receiver.on("/crm", Answer(404, b"who?"))
    job = stand.start("--events", topics.url(kafka, topic))
    until("20 failed", lambda: status(stand).get("failed") == 20)
    until("20 in the ledger", lambda: len(json.loads(stand.offramp("failed", "crm", "-n", 100, "--json")[1])) == 20)
    [last] = json.loads(stand.offramp("failed", "crm", "-n", 1, "--json")[1])
    assert (last["status"], last["body"], last["stream"]) == (404, "who?", f"kafka:{topic}")
    assert "who?" in stand.offramp("failed", "crm", "--show", last["invocation"])[1]
    receiver.on("/crm", Answer(200))
    assert stand.offramp("replay", "crm", "--failed", "--status", "4xx")[0] == 0
    assert settled(stand, 20)["failed"] == 0
    assert stand.offramp("failed", "crm") == (0, "No such delivery has failed.\n", "")
    assert {len(ids) for ids in webhook_ids(receiver.requests).values()} == {1}
    assert job.terminate() == 0


def test_what_is_told_while_no_job_runs_is_done_by_the_next(
    kafka: KafkaBroker, topic: str, stand: Stand, receiver: Receiver
) -> None:
    arguments = ("--events", topics.url(kafka, topic), "--until-end")
    assert stand.run(*arguments)[0] == 0
    assert len(receiver.requests) == 20
    # Nothing says that the job has ended; it is waited for until its last word is old.
    told = "no job is running; when one does, the replay to crm begins\n"
    assert stand.offramp("replay", "crm", "--from", f"{topic}/0:0") == (0, told, "")
    assert stand.run(*arguments)[0] == 0
    assert len(receiver.requests) == 30

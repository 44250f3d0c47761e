"""A hundred thousand person messages wait: the first event meets the last of them, a restart reads none again."""

import itertools
import re
from typing import Any

from tests.integration import topics
from tests.integration.events import capture, distinct_id, person
from tests.integration.stand import Job, Stand, until
from tests.kafka_broker import KafkaBroker
from tests.receiver import Receiver

MESSAGES = 100_000
PEOPLE = 20_000


def messages() -> Any:
    """Several versions of everybody; the very last message is the latest one of the person that is looked for."""
    for number in range(MESSAGES - 1):
        yield person(f"p{number % PEOPLE}", number // PEOPLE, plan="old", filler="x" * 200)
    yield person("p0", MESSAGES, plan="latest")


def rows_read(job: Job) -> int:
    [found] = re.findall(r"person table restored: (\d+) rows read", job.log)
    return int(found)


def test_restored_before_the_first_event_then_followed_then_continued(
    kafka: KafkaBroker, stand: Stand, receiver: Receiver
) -> None:
    persons = topics.table(kafka, messages())
    links = topics.table(kafka, [distinct_id("d1", "p0")])
    events = topics.events(kafka, [capture(n) for n in range(10)])
    stand.destination("crm", body={"uuid": "{event.uuid}", "plan": "{person.properties.plan}"})
    command = ["--events", topics.url(kafka, events), "--persons", topics.url(kafka, persons, links)]
    numbers = itertools.count(100)

    def plan_of_a_new_event() -> str | None:
        seen = len(receiver.requests)
        topics.append(kafka, events, [capture(next(numbers))])
        plan: str | None = receiver.wait(seen + 1, 30)[seen].json()["plan"]
        return plan

    job = stand.start(*command)
    first = receiver.wait(10, 60)
    assert [request.json()["plan"] for request in first] == ["latest"] * 10
    assert rows_read(job) == MESSAGES + 1

    topics.extend(kafka, persons, [person("p0", MESSAGES + 1, plan="newest")])
    until("the update", lambda: plan_of_a_new_event() == "newest")

    topics.extend(kafka, links, [distinct_id("d1", "p7", version=1)])
    until("the merge", lambda: plan_of_a_new_event() == "old")
    assert job.terminate() == 0

    topics.extend(kafka, persons, [person("p7", MESSAGES + 2, plan="while away")])
    again = stand.start(*command)
    again.wait_for_log("person table restored")
    assert plan_of_a_new_event() == "while away"
    assert rows_read(again) == 1

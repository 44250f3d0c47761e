"""One of ten destinations hangs and one answers 500: the other eight do not notice, and the sick ones lose nothing."""

from collections import Counter

from tests.integration import topics
from tests.integration.events import capture, uuids_of
from tests.integration.stand import Stand, until, uuids
from tests.kafka_broker import KafkaBroker
from tests.receiver import Answer, Receiver

EVENTS = 1500
ATTEMPTS = 4
HEALTHY = [f"healthy-{number}" for number in range(8)]


def test_eight_healthy_one_hanging_one_failing(kafka: KafkaBroker, stand: Stand, receiver: Receiver) -> None:
    everything = uuids_of(range(EVENTS))
    for id in (*HEALTHY, "hanging", "failing"):
        stand.destination(id)
    receiver.on("/hanging", Answer(hang=True))
    receiver.on("/failing", Answer(500))
    events = topics.events(kafka, [capture(n) for n in range(EVENTS)])
    job = stand.start("--events", topics.url(kafka, events))
    # Each poll of the status checks every account.
    until("all of the healthy", lambda: stand.status() and all(len(receiver.of(f"/{id}")) >= EVENTS for id in HEALTHY))
    for id in HEALTHY:
        assert sorted(uuids(receiver.of(f"/{id}"))) == everything
    # The others have everything while the hanging one has not even been sent all of it.
    assert len(set(uuids(receiver.of("/hanging")))) < EVENTS
    until("what is owed", lambda: stand.status()["hanging"]["owed"] == EVENTS)

    before = {id: len(receiver.of(f"/{id}")) for id in ("hanging", "failing")}
    receiver.on("/hanging", Answer())
    receiver.on("/failing", Answer())
    until("nothing is owed", lambda: not any(status["owed"] for status in stand.status().values()), 60)
    assert job.terminate() == 0

    assert sorted(set(uuids(receiver.of("/hanging")[before["hanging"] :]))) == everything
    refused = Counter(uuids(receiver.of("/failing")[: before["failing"]]))
    answered = set(uuids(receiver.of("/failing")[before["failing"] :]))
    given_up = set(everything) - answered
    assert {refused[uuid] for uuid in given_up} <= {ATTEMPTS}
    status = stand.status()
    assert status["failing"]["failed"] == len(given_up)
    assert [status[id]["matched"] for id in status] == [EVENTS] * 10
    assert all(len(receiver.of(f"/{id}")) == EVENTS for id in HEALTHY)


def test_more_hanging_requests_than_the_worker_has_slots_leave_room_for_the_healthy(
    stand: Stand, receiver: Receiver
) -> None:
    hanging = [f"hanging-{number}" for number in range(4)]
    for id in (*hanging, "healthy"):
        stand.destination(id)
    for id in hanging:
        receiver.on(f"/{id}", Answer(hang=True))
    job = stand.start("--events", stand.lines("events.jsonl", [capture(n) for n in range(400)]))
    until("all of the healthy", lambda: len(receiver.of("/healthy")) == 400)
    assert job.running()

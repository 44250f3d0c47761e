"""The broker is killed and comes back; what it has forgotten meanwhile is said, counted, and not waited for."""

from tests.integration import topics
from tests.integration.events import capture, uuids_of
from tests.integration.stand import Stand, until, uuids
from tests.kafka_broker import KafkaBroker
from tests.receiver import Answer, Receiver


def test_a_broker_killed_and_restarted_loses_and_repeats_nothing(
    kafka: KafkaBroker, stand: Stand, receiver: Receiver
) -> None:
    stand.destination("crm")
    # More than the client fetches ahead, so that the rest must be fetched from the broker that comes back.
    events = topics.events(kafka, [capture(n, filler="x" * 10_000) for n in range(3000)], 2)
    receiver.on("/crm", Answer(delay_s=0.05))
    job = stand.start("--events", topics.url(kafka, events))
    receiver.wait(200, 30)
    kafka.kill()
    try:
        job.wait_for_log(f"kafka:{events}: no broker at {kafka.servers} answers: ")
        assert job.running()
    finally:
        kafka.restart()
    topics.append(kafka, events, [capture(n) for n in range(3000, 3100)], 2)
    until("all of them", lambda: len(receiver.requests) >= 3100)
    assert job.running()
    assert job.terminate() == 0
    assert sorted(uuids(receiver.requests)) == uuids_of(range(3100))


def test_offsets_that_retention_deleted_are_said_and_the_job_goes_on(
    kafka: KafkaBroker, stand: Stand, receiver: Receiver
) -> None:
    stand.destination("crm")
    events = topics.events(kafka, [capture(n) for n in range(100)])
    command = ["--events", topics.url(kafka, events), "--until-end"]
    assert stand.run(*command)[0] == 0
    topics.append(kafka, events, [capture(n) for n in range(100, 150)])
    kafka.delete_before(events, 120)
    code, out, log = stand.run(*command)
    assert code == 0
    assert out.splitlines()[0] == "crm: matched 130, delivered 130, failed 0, owed 0"
    assert [line.partition(" ")[2] for line in log.splitlines()] == [
        f"WARNING kafka:{events}/0: offsets 100 to 119 (20) are gone, retention has deleted them; continuing at 120"
    ]
    assert sorted(uuids(receiver.requests)) == uuids_of(range(100), range(120, 150))


def test_what_is_owed_and_gone_is_counted_as_expired(kafka: KafkaBroker, stand: Stand, receiver: Receiver) -> None:
    stand.destination("crm")
    receiver.on("/crm", Answer(hang=True))
    events = topics.events(kafka, [capture(n) for n in range(40)])
    job = stand.start("--events", topics.url(kafka, events), "--shutdown-grace-s", 0)
    receiver.wait(40, 30)
    assert job.terminate() == 0
    kafka.delete_before(events, 25)
    receiver.on("/crm", Answer())
    code, out, _ = stand.run("--events", topics.url(kafka, events), "--until-end")
    assert code == 0
    assert out.splitlines()[0] == "crm: matched 40, delivered 15, failed 0, owed 0, expired 25"
    assert sorted(uuids(receiver.requests[40:])) == uuids_of(range(25, 40))

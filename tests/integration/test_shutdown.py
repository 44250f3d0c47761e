"""SIGTERM: what is on the wire is waited for, the rest is sent after the restart, nothing twice; also at the start."""

import signal
import socket
import time
from pathlib import Path

import pytest

from tests.integration import topics
from tests.integration.events import capture, uuids_of
from tests.integration.stand import ENOUGH_S, Job, Stand, uuids
from tests.kafka_broker import KafkaBroker
from tests.receiver import Answer, Receiver

EVENTS = 1500
REFUSED = 150
STARTING_AFTER_S = (0.0, 0.05, 0.1, 0.2, 0.35, 0.6, 1.0)


def test_a_rolling_restart_duplicates_nothing(kafka: KafkaBroker, stand: Stand, receiver: Receiver) -> None:
    stand.destination("slow")
    stand.destination("quick")
    stand.destination("flaky", "properties.n % 5 == 0")
    receiver.on("/slow", Answer(delay_s=0.3))
    receiver.on("/quick", Answer(delay_s=0.02))
    receiver.on("/flaky", *[Answer(503)] * REFUSED, Answer())
    events = topics.events(kafka, [capture(n, n=n) for n in range(EVENTS)], 2)
    command = ["--events", topics.url(kafka, events)]

    for arrived in (100, 500):
        job = stand.start(*command)
        receiver.wait(arrived, ENOUGH_S, "/slow")
        waited_for = receiver.active("/slow")
        assert job.terminate() == 0
        assert waited_for > 0
        assert receiver.active("/slow") == receiver.active("/quick") == 0
        for id, status in stand.status().items():
            assert status["delivered"] + status["failed"] <= len(receiver.of(f"/{id}"))
        assert stand.status()["slow"]["delivered"] == len(receiver.of("/slow"))
    assert stand.run(*command, "--until-end")[0] == 0

    everything = uuids_of(range(EVENTS))
    assert sorted(uuids(receiver.of("/slow"))) == everything
    assert sorted(uuids(receiver.of("/quick"))) == everything
    answered_well = uuids(receiver.of("/flaky")[REFUSED:])
    assert sorted(answered_well) == uuids_of(range(0, EVENTS, 5))


def test_what_is_not_answered_within_the_grace_is_sent_after_the_restart(stand: Stand, receiver: Receiver) -> None:
    stand.destination("hanging")
    receiver.on("/hanging", Answer(hang=True))
    events = stand.lines("events.jsonl", [capture(n) for n in range(60)])
    job = stand.start("--events", events, "--shutdown-grace-s", 0.2)
    receiver.wait(50, 30)
    assert job.terminate() == 0
    assert job.out.splitlines()[0] == "hanging: matched 60, delivered 0, failed 0, owed 60"
    first = {request.header("webhook-id") for request in receiver.requests}
    receiver.on("/hanging", Answer())
    assert stand.run("--events", events, "--until-end")[0] == 0
    again = receiver.requests[50:]
    assert sorted(uuids(again)) == uuids_of(range(60))
    assert first < {request.header("webhook-id") for request in again}


def hears_signals(job: Job) -> bool:
    """Whether SIGTERM does not simply kill it any more: the interpreter itself takes a while to start."""
    status = Path(f"/proc/{job.pid}/status").read_text("ascii")
    [caught] = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_job_that_is_starting_ends_cleanly(stand: Stand, receiver: Receiver, number: signal.Signals) -> None:
    stand.destination("crm")
    events = stand.lines("events.jsonl", [capture(n) for n in range(3)])
    for after_s in STARTING_AFTER_S:
        job = stand.start("--events", events)
        job.until("it hears signals", lambda job=job: hears_signals(job))
        # No moment of the start leaves a trace that could be waited for.
        time.sleep(after_s)
        job.signal(number)
        assert job.wait() == 0, (after_s, job.log)
        assert [message.partition(":")[0] for message in job.messages()] == ["INFO ending"], after_s
    assert stand.run("--events", events, "--until-end")[0] == 0
    assert set(uuids(receiver.requests)) == set(uuids_of(range(3)))


def test_a_job_that_waits_for_a_broker_at_its_start_ends_at_once(stand: Stand) -> None:
    stand.destination("crm")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        job = stand.start("--events", f"kafka://127.0.0.1:{silent.getsockname()[1]}/events")
        job.until("it holds the state", (stand.state / "journal.sqlite").exists)
        # It waits for 10 s altogether.
        assert job.terminate(5) == 0
    assert job.messages() == ["INFO ending: the job was starting, and had read nothing yet"]

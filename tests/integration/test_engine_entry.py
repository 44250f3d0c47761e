"""The flow started by the engine's own command, with its settings in variables."""

import signal
from pathlib import Path

from tests.integration.events import capture, uuid_of, uuids_of
from tests.integration.stand import Job, Stand, uuids
from tests.receiver import Answer, Receiver

ROOT = Path(__file__).parents[2]


def start(stand: Stand, events: Path, *arguments: object, **settings: str) -> Job:
    settings |= {"EVENTS": str(events), "DESTINATIONS": str(stand.destinations), "STATE": str(stand.state)}
    variables = {f"OFFRAMP_{name}": value for name, value in settings.items()}
    # In the project's folder: the engine looks for modules in the working directory first.
    return stand.start_module("bytewax.run", "flows.deliver", *arguments, env=variables, cwd=ROOT)


def test_it_ends_with_its_inputs_and_the_journal_is_complete(stand: Stand, receiver: Receiver) -> None:
    stand.destination("crm", "event == '$pageview'")
    events = stand.lines("events.jsonl", [capture(0), capture(1, "other"), capture(2), b"no event"])
    job = start(stand, events, ALLOW="127.0.0.0/8", UNTIL_END="true")
    assert (job.wait(), job.out) == (0, "")
    [message] = job.messages()
    assert message.startswith(f"WARNING file:{events}/0:")
    assert "not an event, kept as a dead letter" in message
    assert sorted(uuids(receiver.requests)) == uuids_of([0, 2])
    assert stand.status()["crm"]["delivered"] == 2


def test_the_exit_code_tells_of_deliveries_that_failed(stand: Stand, receiver: Receiver) -> None:
    stand.destination("crm")
    receiver.on("/crm", Answer(404), Answer(200))
    events = stand.lines("events.jsonl", [capture(0), capture(1)])
    job = start(stand, events, ALLOW="127.0.0.0/8", UNTIL_END="true")
    assert (job.wait(), job.out) == (1, "")
    assert "Traceback" not in job.log
    crm = stand.status()["crm"]
    assert (crm["delivered"], crm["failed"]) == (1, 1)


def test_it_follows_its_inputs_until_it_is_interrupted(stand: Stand, receiver: Receiver) -> None:
    stand.destination("crm")
    events = stand.lines("events.jsonl", [capture(0)])
    job = start(stand, events, ALLOW="127.0.0.1")
    receiver.wait(1, 30)
    stand.lines("events.jsonl", [capture(1)])
    receiver.wait(2, 30)
    job.signal(signal.SIGINT)
    job.wait()
    assert uuids(receiver.requests) == [uuid_of(0), uuid_of(1)]

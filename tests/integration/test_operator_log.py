"""What an operator reads when something is wrong: what, where, what to do; no traceback, and no secret anywhere."""

import re
import socket
from pathlib import Path

from tests.integration.events import capture, uuid_of
from tests.integration.stand import Job, Stand, until
from tests.receiver import Answer, Receiver

SECRET = "k3y-0f-th3-crm"
_RECORD = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")


def records(job: Job) -> list[str]:
    """The log's records without their times, sorted: those of one moment may come in any order."""
    first, *found = _RECORD.split(job.log)
    assert first == ""
    return sorted(record.rstrip("\n") for record in found)


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def files_with(secret: str, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_a_broken_destination_a_broken_event_and_an_unreachable_endpoint(stand: Stand, receiver: Receiver) -> None:
    port = unused_port()
    good = capture(0)
    bad = b'{"event": "$pageview", "distinct_id" 7}'
    events = stand.lines("events.jsonl", [good, bad, capture(1, "order completed")])
    stand.destination("good")
    stand.destination("broken", "lenght(event) > 3", more={})
    path = f"http://127.0.0.1:{port}/{{secrets.CRM_TOKEN}}"
    stand.destination("unreachable", "event == 'order completed'", url=path, headers={"X-Key": "{secrets.CRM_TOKEN}"})
    job = stand.start("--events", events, "--until-end", env={"CRM_TOKEN": SECRET})
    assert job.wait() == 1

    here = f"file:{events}/0"
    at_dead, at_order = (sum(map(len, events.read_bytes().splitlines(keepends=True)[:n])) for n in (1, 2))
    file = stand.destinations / "broken.yaml"
    mistake = f"{file}: filters.when (8,9): unknown function 'lenght'; did you mean 'length'?"
    refused = f"http://127.0.0.1:{port} refused the connection; check that the service runs and that the port is right"
    where = f"(event 'order completed' {uuid_of(1)} at {here}:{at_order})"
    assert records(job) == [
        f"ERROR {mistake}\n      when: lenght(event) > 3\n            ^",
        f"ERROR destination 'unreachable': {refused}; given up after 4 attempts {where}",
        f"WARNING destination 'unreachable': {refused}; attempt 1, will be tried again {where}",
        f"WARNING {here}:{at_dead}: not an event, kept as a dead letter: JSON is malformed: expected ':' (byte 37)",
        "WARNING unreachable: 2 more like the last warning",
    ]
    *summary, last = job.out.splitlines()
    assert summary == [
        "good: matched 2, delivered 2, failed 0, owed 0",
        "unreachable: matched 1, delivered 0, failed 1, owed 0",
        f"broken: invalid, it did not run: {mistake}",
        f"1 message was not an event: see `offramp dead-letters --state {stand.state}`",
    ]
    assert last.startswith("ended after ")
    assert stand.status()["broken"]["problem"] == mistake
    assert files_with(SECRET, stand.folder) == []


def test_no_secret_is_written_anywhere_also_not_by_a_job_that_is_killed(stand: Stand, receiver: Receiver) -> None:
    receiver.on("/echoing", Answer(401, f"'{SECRET}' is not a key".encode()))
    receiver.on(f"/{SECRET}", Answer(hang=True))
    stand.destination("echoing", headers={"Authorization": "Bearer {secrets.CRM_TOKEN}"})
    stand.destination("hanging", url=f"{receiver.url}/{{secrets.CRM_TOKEN}}?key={{secrets.CRM_TOKEN}}")
    stand.destination("refusing", url="http://10.1.2.3/{secrets.CRM_TOKEN}", body="{secrets.CRM_TOKEN}")
    stand.destination("malformed", url="{secrets.CRM_TOKEN}")
    stand.destination("misnamed", headers={"X-Key": "{secrets.CRM_TOKEN}\n"})
    stand.destination("failing", "jsonParse(properties.text).x == 1", headers={"X-Key": "{secrets.CRM_TOKEN}"})
    events = stand.lines("events.jsonl", [capture(n, text=SECRET[:1]) for n in range(3)])
    job = stand.start("--events", events, env={"CRM_TOKEN": SECRET})
    receiver.wait(6)
    until("all in the journal", lambda: {"echoing", "hanging", "refusing", "malformed"} <= stand.status().keys())
    until("the answers are in the journal", lambda: stand.status()["echoing"]["failed"] == 3)
    until("a snapshot of what is in flight", lambda: list((stand.state / "recovery").glob("*.sqlite3")))
    job.kill()
    assert any(SECRET in request.target for request in receiver.requests)
    assert "Traceback" not in job.log
    assert files_with(SECRET, stand.folder) == []

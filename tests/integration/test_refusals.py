"""What a job does not start with, and how it is made to end at once."""

import signal
import socket
from pathlib import Path

import pytest

from tests.integration.events import capture, uuid_of
from tests.integration.stand import Stand, until, uuids
from tests.receiver import Answer, Receiver


def test_a_second_job_on_one_state_refuses_and_the_first_goes_on(stand: Stand, receiver: Receiver) -> None:
    stand.destination("crm")
    events = stand.lines("events.jsonl", [capture(0)])
    first = stand.start("--events", events)
    receiver.wait(1, 30)
    assert stand.run("--events", events) == (
        2,
        "",
        f"offramp: --state {stand.state}: another job is running on it (process {first.pid}); "
        "stop it, or give another --state\n",
    )
    stand.lines("events.jsonl", [capture(1)])
    assert uuids(receiver.wait(2, 30)) == [uuid_of(0), uuid_of(1)]
    assert first.terminate() == 0
    assert stand.run("--events", events, "--until-end")[0] == 0
    assert len(receiver.requests) == 2


NOT_THERE = [
    (["--events", "gone.jsonl"], "offramp: --events: {folder}/gone.jsonl: no such file\n"),
    (
        ["--events", "events.jsonl", "--persons", "p.jsonl,d.jsonl"],
        "offramp: --persons: {folder}/p.jsonl: no such file\n",
    ),
    (["--events", "events.jsonl", "--groups", "g.jsonl"], "offramp: --groups: {folder}/g.jsonl: no such file\n"),
    (
        ["--events", "events.jsonl", "--destinations", "gone"],
        "offramp: --destinations: {folder}/gone: no such directory; make it, or name another one\n",
    ),
    (["--events", "events.jsonl", "--config", "gone.yaml"], "offramp: gone.yaml: no such file\n"),
]


@pytest.mark.parametrize(("arguments", "message"), NOT_THERE, ids=[" ".join(one[-2:]) for one, _ in NOT_THERE])
def test_what_is_not_there_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, stand: Stand, tmp_path: Path
) -> None:
    stand.lines("events.jsonl", [capture(0)])
    assert stand.run(*arguments) == (2, "", message.format(folder=tmp_path))


def test_a_port_where_nobody_listens_is_one_line_and_exit_code_2(stand: Stand) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    code, out, log = stand.run("--events", f"kafka://127.0.0.1:{port}/events")
    assert (code, out) == (2, "")
    assert log.startswith(f"offramp run: kafka:events: no answer from 127.0.0.1:{port} within 10 s: ")
    assert "Connection refused" in log
    assert log.count("\n") == 1


def test_ctrl_c_waits_for_answers_and_a_second_one_does_not(stand: Stand, receiver: Receiver) -> None:
    receiver.on("/crm", Answer(hang=True), Answer())
    stand.destination("crm")
    events = stand.lines("events.jsonl", [capture(0)])
    job = stand.start("--events", events, "--shutdown-grace-s", 600)
    receiver.wait(1, 30)
    job.signal(signal.SIGINT)
    job.wait_for_log("ending: reading has stopped, answers are waited for up to 600 s (again to end at once)")
    assert job.running()
    job.signal(signal.SIGINT)
    assert job.wait() == 0
    assert job.messages() == [
        "INFO ending: reading has stopped, answers are waited for up to 600 s (again to end at once)",
        "WARNING ending at once: what is on the wire will be sent again at the next start",
    ]
    assert job.out.splitlines()[0] == "crm: matched 1, delivered 0, failed 0, owed 1"
    assert stand.run("--events", events, "--until-end")[0] == 0
    assert len({request.header("webhook-id") for request in receiver.requests}) == 1
    until("the status says so", lambda: stand.status()["crm"]["delivered"] == 1)

"""`offramp test`: which event is taken, what is told of it, and the exit code."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.kafka import KafkaLog
from connectors.person_table import PersonTable, distinct_id_row, person_row
from flows import event_views
from tests.receiver import Answer, Receiver

Offramp = Callable[..., Any]
OPEN = ("--allow", "127.0.0.1/32")
CRM = """\
id: crm
filters: {when: "event = 'paid' and properties.n > 1"}
inputs: {url: 'URL/{event.properties.n}', body: {key: '{secrets.TOKEN}'}}
"""


@pytest.fixture
def files(here: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOKEN", "s3cr3t/value")
    (here / "destinations").mkdir()
    (here / "destinations" / "crm.yaml").write_text(CRM.replace("URL", receiver.url))
    lines = [event(n) for n in range(1, 5)] + [event(5, "seen", "bob")]
    (here / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return here


def event(n: int, name: str = "paid", who: str = "anna") -> dict[str, Any]:
    return {"event": name, "distinct_id": who, "uuid": f"u{n}", "properties": {"n": n}}


def found(offramp: Offramp, *args: str) -> list[dict[str, Any]]:
    done = offramp("test", "crm", *OPEN, "--events", "events.jsonl", "--json", *args)
    assert done.err == ""
    return [json.loads(line) for line in done.out.splitlines()]


def test_the_newest_event_that_matches_dry(files: Path, offramp: Offramp, receiver: Receiver) -> None:
    done = offramp("test", "crm", *OPEN, "--events", "events.jsonl")
    assert (done.code, done.err, receiver.requests) == (0, "", [])
    lines = done.out.splitlines()
    place = sum(len(json.dumps(event(n))) + 1 for n in range(1, 4))
    assert lines[0] == f"event 'paid' u4 of anna at file:{files / 'events.jsonl'}/0:{place}"
    assert lines[1] == "the filter of crm matches"
    assert f"POST {receiver.url}/4" in lines
    assert '{"key":"***"}' in lines
    assert lines[-3:] == ["would be delivered", "nothing was sent; --send really sends it", ""]


def test_really_sent(files: Path, offramp: Offramp, receiver: Receiver) -> None:
    receiver.on("/4", Answer(202, b"thank you for s3cr3t/value"))
    done = offramp("test", "crm", *OPEN, "--events", "events.jsonl", "--send")
    assert (done.code, done.err) == (0, "")
    [request] = receiver.requests
    assert (request.json(), request.header("offramp-test")) == ({"key": "s3cr3t/value"}, "true")
    assert "thank you for ***" in done.out
    assert any(line.startswith("answered 202 after ") for line in done.out.splitlines())
    assert done.out.splitlines()[-2:] == ["delivered", ""]
    assert "s3cr3t" not in done.out
    # Nothing of it is written down.
    assert not (files / ".offramp").exists()


def test_what_the_endpoint_refuses_ends_with_1(files: Path, offramp: Offramp, receiver: Receiver) -> None:
    receiver.on("/4", Answer(401, b"x" * 10_000))
    done = offramp("test", "crm", *OPEN, "--events", "events.jsonl", "--send")
    assert done.code == 1
    assert done.out.splitlines()[-2] == "failed: answered 401 Unauthorized: the credential is missing or wrong"
    assert "… 6000 characters more; --json has them" in done.out
    [result] = found(offramp, "--send")
    assert len(result["trials"][0]["steps"][0]["answer"]["body"]) == 10_000


def test_the_newest_n_whether_they_match_or_not(files: Path, offramp: Offramp, receiver: Receiver) -> None:
    results = found(offramp, "--last", "3", "--send")
    assert [(one["uuid"], one["ending"]) for one in results] == [
        ("u5", "not wanted"),
        ("u4", "delivered"),
        ("u3", "delivered"),
    ]
    assert [one.path for one in receiver.requests] == ["/4", "/3"]
    assert offramp("test", "crm", *OPEN, "--events", "events.jsonl", "--last", "3").code == 1
    assert offramp("test", "crm", *OPEN, "--events", "events.jsonl", "--last", "2", "--name", "paid").code == 0


def test_by_name_by_person_and_by_uuid(files: Path, offramp: Offramp) -> None:
    assert [one["uuid"] for one in found(offramp, "--last", "1", "--person", "bob")] == ["u5"]
    assert [one["uuid"] for one in found(offramp, "--last", "9", "--name", "paid")] == ["u4", "u3", "u2", "u1"]
    assert [one["uuid"] for one in found(offramp, "--name", "paid", "--person", "anna")] == ["u4"]
    [second] = found(offramp, "--uuid", "U1")
    assert (second["uuid"], second["matches"], second["reason"]) == (
        "u1",
        False,
        "the filter: properties.n > 1 does not hold",
    )


def test_what_is_not_wanted_is_sent_anyway(files: Path, offramp: Offramp, receiver: Receiver) -> None:
    done = offramp("test", "crm", *OPEN, "--events", "events.jsonl", "--uuid", "u1", "--send")
    assert (done.code, receiver.requests) == (1, [])
    assert done.out.splitlines()[-3:] == [
        "not wanted: the filter: properties.n > 1 does not hold",
        "nothing was sent; --anyway goes on all the same",
        "",
    ]
    done = offramp("test", "crm", *OPEN, "--events", "events.jsonl", "--uuid", "u1", "--send", "--anyway")
    assert (done.code, [one.path for one in receiver.requests]) == (0, ["/1"])


ROW = {"event": "paid", "distinct_id": "anna", "team_id": 1, "uuid": "r1", "properties": '{"n": 7}'}


@pytest.mark.parametrize("shape", [event(7), ROW])
def test_an_event_of_a_file_in_either_shape(
    files: Path, offramp: Offramp, monkeypatch: pytest.MonkeyPatch, shape: dict[str, Any], receiver: Receiver
) -> None:
    (files / "event.json").write_text(json.dumps(shape, indent=2))
    done = offramp("test", "crm", *OPEN, "--event", "event.json", "--send")
    assert (done.code, [one.path for one in receiver.requests]) == (0, ["/7"])
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(json.dumps(shape).encode())))
    assert offramp("test", "crm", *OPEN, "--event", "-").code == 0


def test_the_person_is_the_one_that_the_job_knows(files: Path, offramp: Offramp, receiver: Receiver) -> None:
    (files / "destinations" / "crm.yaml").write_text(
        "id: crm\nfilters: {when: person.properties.plan = 'pro'}\n"
        f"inputs: {{url: '{receiver.url}/{{person.id}}', body: null}}"
    )
    assert offramp("test", "crm", "--events", "events.jsonl").code == 1
    table = PersonTable(files / ".offramp" / "persons")
    table.apply([person_row(1, "p", b'{"plan": "pro"}'), distinct_id_row(1, "anna", "p")], {})
    # The newest that matches: by the persons of this moment. The job goes on meanwhile.
    [result] = found(offramp, "--send")
    assert (result["uuid"], result["person"], result["ending"]) == ("u4", "p", "delivered")
    assert [one.path for one in receiver.requests] == ["/p"]
    table.close()


def test_a_change_of_a_person_is_found_in_the_persons(
    files: Path, offramp: Offramp, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    (files / "destinations" / "crm.yaml").write_text(
        "id: crm\nfilters: {source: person-updates, when: person.properties.plan = 'pro'}\n"
        f"inputs: {{url: '{receiver.url}/{{person.id}}', body: null}}"
    )
    plans = ("pro", "pro", "free")
    rows = [{"id": f"p{n}", "team_id": 1, "version": n, "properties": {"plan": plan}} for n, plan in enumerate(plans)]
    (files / "persons.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (files / "ids.jsonl").write_text("")
    done = offramp("test", "crm", *OPEN)
    assert (done.code, done.err) == (
        2,
        "an event is looked for in the inputs; OFFRAMP_PERSONS or offramp.yaml names them\n",
    )
    monkeypatch.setenv("OFFRAMP_PERSONS", "persons.jsonl,ids.jsonl")
    done = offramp("test", "crm", *OPEN, "--send")
    assert (done.code, [one.path for one in receiver.requests]) == (0, ["/p1"])


def test_mappings_and_programs_for_people(files: Path, offramp: Offramp, receiver: Receiver) -> None:
    (files / "destinations" / "crm.yaml").write_text(
        "id: crm\ncode: |\n  print('to', inputs.to)\n  fetch(inputs.to)\n"
        f"inputs: {{to: '{receiver.url}/x'}}\n"
        "mappings: [{name: all}, {name: none, filters: {when: 'false'}}]"
    )
    receiver.on("/x", Answer(500))
    dry = offramp("test", "crm", *OPEN, "--events", "events.jsonl").out.splitlines()
    assert "its code has run with scripted answers: 200 and an empty object" in dry
    assert f"log (info): to {receiver.url}/x" in dry
    assert dry.index("mapping 'all' matches") < dry.index("mapping 'all': would be delivered")
    assert "mapping 'none': not wanted: the filter: false does not hold" in dry
    sent = offramp("test", "crm", *OPEN, "--events", "events.jsonl", "--send").out
    assert "would be tried again: answered 500 Internal Server Error" in sent
    assert "scripted" not in sent
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("ads", "--last", "1"), 1, "there is no destination 'ads' in destinations; there are: crm"),
        (("bad", "--last", "1"), 1, "destinations/bad.yaml: filters.when (2,17): unknown function 'lenght'"),
        (("poor", "--last", "1"), 1, "secret 'NONE' is not set: set the environment variable NONE"),
        (("crm", "--event", "nowhere.json"), 2, "nowhere.json: cannot be read: No such file or directory"),
        (("crm", "--event", "list.json"), 1, "list.json: not an event: Expected `object`, got `array`"),
        (("crm", "--event", "list.json", "--last", "1"), 2, "--event and --last name different events; give one"),
        (("crm", "--uuid", "u1", "--name", "paid"), 2, "--name goes with a search for the newest events"),
        (("crm", "--last", "0"), 2, "greater than or equal to 1"),
        (("crm", "--last", "1"), 2, "an event is looked for in the inputs; --events or OFFRAMP_EVENTS names them"),
        (("crm", "--last", "1", "--events", "no.jsonl"), 2, "no.jsonl: no such file"),
        (("crm", "--events", "-"), 1, "looked for in topics and files, and no such --events are given"),
        (("crm", "--uuid", "u9", "--events", "events.jsonl"), 1, "no event u9 is among the newest messages of the"),
        (
            ("crm", "--name", "none", "--person", "bob", "--events", "events.jsonl"),
            1,
            "no event that 'crm' wants with the name 'none' of 'bob' is among the newest messages of the inputs "
            "(5 looked at); --last 1 shows why the newest one is not wanted, --event gives one",
        ),
        (("crm", "--last", "1", "--events", "empty.jsonl"), 1, "no event is among the newest messages"),
        (("crm", "--event", "list.json", "--destinations", "x"), 2, "x: no such directory"),
    ],
)
def test_what_cannot_be_tried(files: Path, offramp: Offramp, args: tuple[str, ...], code: int, message: str) -> None:
    (files / "list.json").write_text("[]")
    (files / "empty.jsonl").write_text("")
    if args[0] in ("bad", "poor"):
        when = "filters: {when: lenght(event) > 0}\n" if args[0] == "bad" else ""
        url = "https://a.example/{secrets.NONE}" if args[0] == "poor" else "https://a.example"
        (files / "destinations" / f"{args[0]}.yaml").write_text(f"id: {args[0]}\n{when}inputs: {{url: '{url}'}}")
    done = offramp("test", *args)
    assert (done.code, message in done.err) == (code, True), done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_a_private_address_says_what_opens_it(files: Path, offramp: Offramp, receiver: Receiver) -> None:
    done = offramp("test", "crm", "--events", "events.jsonl", "--send")
    assert (done.code, receiver.requests) == (1, [])
    assert "--allow 127.0.0.1/32 opens it" in done.out.splitlines()[-2]


def test_a_broker_that_is_away_is_one_line(files: Path, offramp: Offramp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_views, "log_of", lambda one, client: KafkaLog(one.servers, one.topic, client, wait_s=0.2))
    for search in (("--last", "1"), ("--uuid", "u1"), ()):
        done = offramp("test", "crm", "--events", "kafka://127.0.0.1:1/events", *search)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("kafka:events: no answer from 127.0.0.1:1 within 0.2 s: ")
        assert done.err.count("\n") == 1


def test_an_interrupt_ends_it_without_a_word(
    files: Path, process: Callable[..., "subprocess.Popen[str]"], receiver: Receiver
) -> None:
    receiver.on("/4", Answer(hang=True))
    running = process("test", "crm", *OPEN, "--events", "events.jsonl", "--send")
    receiver.wait(1, timeout=30)
    os.kill(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=10)
    assert (running.returncode, out, err) == (130, "", "")

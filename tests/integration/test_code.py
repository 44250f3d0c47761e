"""Destinations whose work is a Hog program: requests, retries, failures with their place, a captured event."""

import json
from pathlib import Path
from textwrap import indent
from typing import Any

from connectors.kafka import KafkaLog
from tests.integration import topics
from tests.integration.events import capture, distinct_id, person, uuid_of
from tests.integration.stand import Stand, until
from tests.kafka_broker import KafkaBroker
from tests.receiver import Answer, Receiver


def code(stand: Stand, id: str, source: str, more: str = "inputs: {}") -> None:
    text = f"id: {id}\n{more}\ncode: |\n{indent(source, '  ')}\n"
    (stand.destinations / f"{id}.yaml").write_text(text, "utf-8")


def test_a_program_makes_requests_of_an_event_and_its_person(stand: Stand, receiver: Receiver) -> None:
    receiver.on("/lookup", Answer(200, b'{"id": 7, "tags": ["a", "b"]}'))
    inputs = f"inputs: {{base: '{receiver.url}', token: '{{secrets.CRM_TOKEN}}', plan: '{{person.properties.plan}}'}}"
    source = """\
let found := fetch(f'{inputs.base}/lookup', {'method': 'GET', 'headers': {'X-Key': inputs.token}})
print('found', found.body.id, inputs.token)
let tell := tag -> fetch(f'{inputs.base}/tag/{tag}', {'body': {'tag': tag, 'n': event.properties.n}})
let answers := arrayMap(tell, found.body.tags)
if (answers[1].status != 200) { throw Error('no') }
fetch(inputs.base || '/done', {'method': 'PUT', 'headers': {}, 'body': person.properties.plan || inputs.plan})
"""
    code(stand, "crm", source, inputs)
    events = stand.lines("events.jsonl", [capture(0, n=12345678901234567890)])
    persons = stand.lines("persons.jsonl", [person("p1", 1, plan="pro")])
    ids = stand.lines("ids.jsonl", [distinct_id("d1", "p1")])
    run = ("--events", events, "--persons", f"{persons},{ids}", "--until-end")
    exit_code, out, log = stand.run(*run, env={"CRM_TOKEN": "s3cret-token"})
    assert (exit_code, out.splitlines()[0]) == (0, "crm: matched 1, delivered 1, failed 0, owed 0"), log
    assert [(r.method, r.target, r.body) for r in receiver.requests] == [
        ("GET", "/lookup", b""),
        ("POST", "/tag/a", b'{"tag":"a","n":12345678901234567890}'),
        ("POST", "/tag/b", b'{"tag":"b","n":12345678901234567890}'),
        ("PUT", "/done", b"propro"),
    ]
    lookup, first, second, _ = receiver.requests
    assert lookup.header("x-key") == "s3cret-token"
    assert first.header("content-type") == "application/json"
    assert second.header("webhook-id") == f"{lookup.header('webhook-id')}_3"
    [line] = [line for line in stand.logs("crm") if line["level"] == "info"]
    assert line["message"] == "found 7 ***"


def test_what_a_program_throws_is_a_failed_delivery_with_its_place(stand: Stand, receiver: Receiver) -> None:
    receiver.on("/crm", Answer(404, b"no such contact"))
    url = f"inputs: {{url: '{receiver.url}/crm'}}"
    code(
        stand,
        "thrown",
        "let r := fetch(inputs.url)\nif (r.status >= 400) {\n  throw Error(f'status {r.status}')\n}",
        url,
    )
    code(stand, "broken", "let x := 1\nprint(lower(x))")
    code(stand, "endless", "while (true) {}", "limits: {time_ms: 50}")
    code(stand, "greedy", "for (let i in range(3)) { fetch(inputs.url) }", f"{url}\nlimits: {{fetches: 2}}")
    events = stand.lines("events.jsonl", [capture(0)])
    exit_code, out, _ = stand.run("--events", events, "--until-end")
    assert exit_code == 1
    assert [line for line in out.splitlines() if "failed 1" in line] == [
        f"{id}: matched 1, delivered 0, failed 1, owed 0" for id in ("broken", "endless", "greedy", "thrown")
    ]
    said = {id: [line["message"] for line in stand.logs(id) if line["level"] == "error"] for id in stand.status()}
    where = f"(event '$pageview' {uuid_of(0)} at file:{events}/0:0)"
    assert said == {
        "broken": [f"the code could not go on: lower needs a text, got integer (line 2, column 7) {where}"],
        "endless": [f"the code was stopped: it ran for longer than 0.05 s (line 1, column 1) {where}"],
        "greedy": [
            "the code could not go on: more than 2 fetches in one run; `limits: {fetches: …}` sets how many"
            f" (line 1, column 27) {where}"
        ],
        "thrown": [f"the code threw Error('status 404') (line 3, column 3) {where}"],
    }
    [noted] = [line for line in stand.logs("thrown") if line["level"] == "warn"]
    assert noted["message"] == "fetch POST: answered 404 Not Found: nothing is there, check the input 'url'"
    assert noted["body"] == "no such contact"


def test_a_fetch_is_tried_again_and_the_program_sees_only_the_end(stand: Stand, receiver: Receiver) -> None:
    receiver.on("/crm", Answer(503, b"", [("Retry-After", "0")]), Answer(200, b"at last"))
    code(stand, "crm", "print(fetch(inputs.url).body)", f"inputs: {{url: '{receiver.url}/crm'}}")
    events = stand.lines("events.jsonl", [capture(0)])
    assert stand.run("--events", events, "--until-end")[0] == 0
    assert len({request.header("webhook-id") for request in receiver.requests}) == 1
    assert [line["message"] for line in stand.logs("crm")] == [
        "fetch POST: answered 503 Service Unavailable, will be tried again",
        "at last",
    ]


def test_a_captured_event_is_written_once_and_not_for_ever(stand: Stand, tmp_path: Path) -> None:
    source = "postHogCapture({'event': 'seen', 'properties': {'of': event.event}})"
    code(stand, "loop", source)
    events = stand.lines("events.jsonl", [capture(0)])
    stand.run("--events", events, "--until-end", "--capture", tmp_path / "captured.jsonl")
    [event] = map(json.loads, (tmp_path / "captured.jsonl").read_text().splitlines())
    assert (event["event"], event["distinct_id"], event["team_id"]) == ("seen", "d1", 1)
    assert event["properties"] == {"of": "$pageview", "$hog_function_execution_count": 1}
    looped = stand.lines("looped.jsonl", [capture(1, **{"$hog_function_execution_count": 10})])
    stand.run("--events", looped, "--until-end", "--capture", tmp_path / "captured.jsonl")
    assert len((tmp_path / "captured.jsonl").read_text().splitlines()) == 1
    assert "a loop is refused" in stand.logs("loop")[-1]["message"]


def test_an_endless_program_on_every_event_leaves_the_others_alone(stand: Stand, receiver: Receiver) -> None:
    code(stand, "endless", "while (true) {}")
    stand.destination("healthy")
    events = stand.lines("events.jsonl", [capture(n) for n in range(2000)])
    job = stand.start("--events", events)
    until("all of the healthy", lambda: len(receiver.of("/healthy")) == 2000)
    assert stand.status()["endless"]["owed"] > 0
    assert job.running()


def test_a_captured_event_may_hold_any_value_and_what_is_no_json_is_refused(stand: Stand, tmp_path: Path) -> None:
    properties = "{'at': toDate('2024-02-09'), 1: 'one', 'n': event.properties.n}"
    code(stand, "dated", f"postHogCapture({{'event': 'dated', 'properties': {properties}}})")
    code(stand, "endless", "let a := {} a.a := a postHogCapture({'event': 'endless', 'properties': a})")
    events = stand.lines("events.jsonl", [capture(0, n=12345678901234567890)])
    _, out, _ = stand.run("--events", events, "--until-end", "--capture", tmp_path / "captured.jsonl")
    assert out.splitlines()[:2] == [
        "dated: matched 1, delivered 1, failed 0, owed 0",
        "endless: matched 1, delivered 0, failed 1, owed 0",
    ]
    [event] = map(json.loads, (tmp_path / "captured.jsonl").read_text().splitlines())
    assert event["properties"] == {
        "at": "2024-02-09", "1": "one", "n": 12345678901234567890, "$hog_function_execution_count": 1
    }  # fmt: skip
    assert stand.logs("endless")[-1]["message"].startswith(
        "the code could not go on: postHogCapture: the event cannot be"
    )


def test_captured_events_reach_their_topic(kafka: KafkaBroker, stand: Stand) -> None:
    code(stand, "again", "postHogCapture({'event': 'seen', 'properties': {'n': event.properties.n}})")
    events = topics.events(kafka, [capture(n, n=n) for n in range(200)])
    captured = kafka.create_topic()
    run = ("--events", topics.url(kafka, events), "--until-end", "--capture", topics.url(kafka, captured))
    exit_code, out, log = stand.run(*run)
    assert (exit_code, out.splitlines()[0]) == (0, "again: matched 200, delivered 200, failed 0, owed 0"), log
    reader = KafkaLog(kafka.servers, captured).reader(0, until_end=True)
    reader.seek(0)
    found: list[dict[str, Any]] = []
    until(
        "all of the captured", lambda: found.extend(json.loads(m.value) for m in reader.read(500)) or len(found) == 200
    )
    reader.close()
    assert {event["event"] for event in found} == {"seen"}
    assert sorted(event["properties"]["n"] for event in found) == list(range(200))
    assert len({event["uuid"] for event in found}) == 200

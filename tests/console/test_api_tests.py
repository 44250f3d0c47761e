"""Trying destinations out over the API, with events that are given or found."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from fastapi.testclient import TestClient

import destinations.explain
from console.api import trial_models
from flows import trial_result
from flows.settings import Settings, load
from tests.console.conftest import FILES
from tests.receiver import Answer, Receiver

ClientOf = Callable[..., TestClient]
CRM = "/api/v1/destinations/crm"
EVENT = {"event": "signed up", "distinct_id": "ada", "properties": {"plan": "pro"}}


def row(number: int, name: str, who: str = "ada") -> dict[str, object]:
    uuid = f"00000000-0000-4000-8000-{number:012}"
    return {"uuid": uuid, "event": name, "distinct_id": who, "properties": "{}", "timestamp": "2026-11-20 10:00:00.000"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """With a file of events as input, and a receiver's network allowed."""
    (tmp_path / "destinations").mkdir()
    (tmp_path / "destinations" / "crm.yaml").write_text(FILES["crm"])
    rows = [row(1, "signed up"), row(2, "<b>left</b>"), row(3, "signed up", "bob")]
    (tmp_path / "events.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in rows))
    flags = {"events": ["events.jsonl"], "allow": ["127.0.0.0/8"]}
    only = ["state", "destinations", "project", "site_url", "log", "events", "allow"]
    return load(flags, {}, tmp_path, only=only)


@pytest.fixture
def client(client_of: ClientOf) -> TestClient:
    return client_of()


def test_the_newest_events_are_shown(client: TestClient) -> None:
    def found(**query: object) -> list[tuple[str, str]]:
        answer = client.get(f"{CRM}/events", params=query)  # type: ignore[arg-type]
        assert answer.headers["content-type"] == "application/json"
        return [(one["event"], one["distinct_id"]) for one in answer.json()]

    assert found() == [("signed up", "bob"), ("<b>left</b>", "ada"), ("signed up", "ada")]
    assert found(limit=1) == [("signed up", "bob")]
    assert found(person="ada", matching=True) == [("signed up", "ada")]
    assert found(name="<b>left</b>") == [("<b>left</b>", "ada")]
    assert found(name="nothing") == []
    (newest,) = client.get(f"{CRM}/events", params={"limit": 1}).json()
    assert newest["uuid"] == row(3, "")["uuid"]
    assert newest["position"].startswith("file:")
    assert newest["timestamp"] == "2026-11-20T10:00:00.000Z"


def test_a_dry_test_tells_what_would_be_sent(client: TestClient) -> None:
    result = client.post(f"{CRM}/test", json={"event": EVENT}).json()
    assert (result["sent"], result["ending"], result["matches"]) == (False, "would be delivered", True)
    assert result["clauses"][0]["reads"] == {"event": "signed up"}
    (step,) = result["trials"][0]["steps"]
    assert step["request"]["url"] == "https://crm.example.com"
    assert step["answer"] is None


def test_an_event_is_found_by_its_uuid_and_may_go_on_unwanted(client: TestClient) -> None:
    uuid = row(2, "")["uuid"]
    assert client.post(f"{CRM}/test", json={"uuid": uuid}).json()["ending"] == "not wanted"
    anyway = client.post(f"{CRM}/test", json={"uuid": uuid, "anyway": True}).json()
    assert (anyway["ending"], anyway["event"]) == ("would be delivered", "<b>left</b>")


def test_it_is_really_sent_once(client: TestClient, settings: Settings) -> None:
    with Receiver() as receiver:
        receiver.on("/", Answer(500, b"<i>no</i>"))
        (settings.destinations / "crm.yaml").write_text(f"id: crm\ninputs: {{url: '{receiver.url}'}}\n")
        result = client.post(f"{CRM}/test", json={"event": EVENT, "send": True}).json()
        assert (result["sent"], result["ending"]) == (True, "would be tried again")
        (step,) = result["trials"][0]["steps"]
        assert (step["answer"]["status"], step["answer"]["body"]) == (500, "<i>no</i>")
        assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"uuid": "x", "event": EVENT}, 422),
        ({"event": {}}, 422),
        ({"event": {"event": 5}}, 422),
        ({"event": "signed up"}, 422),
        ({"event": EVENT, "unheard": 1}, 422),
        ({"uuid": "00000000-0000-4000-8000-000000000009"}, 409),
    ],
)
def test_what_is_no_event_is_refused(client: TestClient, body: object, status: int) -> None:
    refused = client.post(f"{CRM}/test", json=body)
    assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("number", ["NaN", "1e400", "9" * 40, '"\\ud800"', "1" * 5000])
def test_numbers_and_texts_that_json_hardly_has_break_nothing(client: TestClient, number: str) -> None:
    body = f'{{"event": {{"event": "signed up", "distinct_id": "a", "properties": {{"n": {number}}}}}}}'
    answer = client.post(f"{CRM}/test", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 400, 422)


def test_a_destination_that_does_not_load_cannot_be_tried_out(client: TestClient, settings: Settings) -> None:
    (settings.destinations / "crm.yaml").write_text("id: crm\ntemplate: nothing\n")
    refused = client.post(f"{CRM}/test", json={"event": EVENT})
    assert (refused.status_code, "unknown template 'nothing'" in refused.json()["detail"]) == (409, True)
    assert client.post("/api/v1/destinations/nobody/test", json={"event": EVENT}).status_code == 404
    assert client.get("/api/v1/destinations/nobody/events").status_code == 404


@pytest.mark.parametrize("name", ["TrialResult", "Trial", "Logged", "Step", "Answered", "Sent", "Clause", "InputValue"])
def test_nothing_of_a_result_is_left_out(name: str) -> None:
    told = getattr(trial_result, name, None) or getattr(destinations.explain, name)
    assert {one.encode_name for one in msgspec.structs.fields(told)} == set(getattr(trial_models, name).model_fields)

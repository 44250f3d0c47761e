"""What the API tells of destinations, and the commands that it gives."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from connectors.commands import Answer, Commands
from console.workspace import Workspace
from flows.settings import Settings
from records import CommandKind
from tests.console.conftest import FILES, MINUTE

ClientOf = Callable[..., TestClient]


@pytest.fixture
def client(client_of: ClientOf) -> TestClient:
    return client_of()


def test_destinations_are_listed_with_their_state(client: TestClient) -> None:
    page = client.get("/api/v1/destinations").json()
    assert [(one["id"], one["state"]) for one in page["items"]] == [
        ("broken", "invalid"),
        ("crm", "live"),
        ("hook", "quarantined"),
        ("resting", "off"),
    ]
    assert (page["running"], page["next"]) == (True, None)
    (broken,) = (one for one in page["items"] if one["id"] == "broken")
    assert "unknown template 'nothing'" in broken["problems"][0]


def test_destinations_are_searched_and_come_in_pages(client: TestClient) -> None:
    def ids(**query: object) -> tuple[list[str], str | None]:
        page = client.get("/api/v1/destinations", params=query).json()  # type: ignore[arg-type]
        return [one["id"] for one in page["items"]], page["next"]

    assert ids(state="quarantined") == (["hook"], None)
    assert ids(text="CR") == (["crm"], None)
    assert ids(limit=3) == (["broken", "crm", "hook"], "hook")
    assert ids(limit=3, after="hook") == (["resting"], None)


def test_one_destination_comes_with_its_file_and_its_etag(client: TestClient, settings: Settings) -> None:
    answer = client.get("/api/v1/destinations/crm")
    assert (answer.json()["text"], answer.json()["delivered"]) == (FILES["crm"], 10)
    again = client.get("/api/v1/destinations/crm")
    assert again.headers["etag"] == answer.headers["etag"]
    (settings.destinations / "crm.yaml").write_text(FILES["crm"] + "# more\n")
    assert client.get("/api/v1/destinations/crm").headers["etag"] != answer.headers["etag"]


def test_logs_are_read_on_from_where_one_was(client: TestClient) -> None:
    newest = client.get("/api/v1/destinations/crm/logs", params={"limit": 2, "level": "warn"}).json()
    assert [one["message"] for one in newest["items"]] == ["line 29", "<script>alert(1)</script>"]
    assert newest["items"][-1]["body"] == "<img src=x onerror=alert(2)>"
    assert client.get("/api/v1/destinations/crm/logs", params={"after": newest["next"]}).json()["items"] == []
    few = client.get("/api/v1/destinations/crm/logs", params={"after": 0, "limit": 2, "text": "LINE 1"}).json()
    assert [one["message"] for one in few["items"]] == ["line 1", "line 10"]


def test_failures_and_counts(client: TestClient) -> None:
    (failed,) = client.get("/api/v1/destinations/crm/failures", params={"status": "4xx"}).json()["items"]
    assert (failed["webhook_id"], failed["status"], failed["body"]) == ("msg_1", 404, "gone")
    assert client.get("/api/v1/destinations/crm/failures", params={"status": "5xx"}).json()["items"] == []
    assert client.get("/api/v1/destinations/crm/metrics", params={"since": MINUTE}).json() == [
        {"minute": MINUTE, "kind": "success", "name": "succeeded", "count": 10},
        {"minute": MINUTE, "kind": "failure", "name": "failed", "count": 1},
    ]


def test_a_command_is_given_to_the_job_and_followed(client: TestClient, settings: Settings) -> None:
    given = client.post("/api/v1/destinations/crm/commands", json={"kind": "enable", "skip_missed": True})
    assert given.status_code == 202
    (number,) = given.json()["ids"]
    with Commands(settings.journal) as commands:
        (asked,) = commands.unanswered()
        assert asked.wish is not None
        assert (asked.destination, asked.wish.kind, asked.wish.by) == ("crm", CommandKind.ENABLE, "local")
        assert asked.wish.skip_missed
        url = f"/api/v1/destinations/crm/commands/{number}"
        assert client.get(url).json() | {"answered": False} == client.get(url).json()
        commands.answer(asked, Answer("", [], 3))
    assert client.get(url).json() == {"id": number, "answered": True, "error": "", "positions": 3, "done": True}


def test_a_replay_of_what_failed_names_its_places(client: TestClient, settings: Settings) -> None:
    asked = {"kind": "replay", "failed": True, "status": "404", "dry": True}
    assert client.post("/api/v1/destinations/crm/commands", json=asked).status_code == 202
    with Commands(settings.journal) as commands:
        (row,) = commands.unanswered()
        assert row.wish is not None
        assert ([span.only for span in row.wish.spans], row.wish.dry) == ([[7]], True)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"kind": "replay"}, 422),
        ({"kind": "replay", "since": 1, "first": {"stream": "a", "partition": 0, "offset": 1}}, 422),
        ({"kind": "replay", "since": 5, "until": 4}, 422),
        ({"kind": "replay", "failed": True, "status": "nonsense"}, 422),
        ({"kind": "replay", "failed": True, "status": "5xx"}, 409),
        ({"kind": "pause", "failed": True}, 422),
        ({"kind": "explode"}, 422),
        ({"kind": "pause", "unheard": 1}, 422),
        ([], 422),
    ],
)
def test_a_command_that_means_nothing_is_refused(client: TestClient, asked: object, status: int) -> None:
    refused = client.post("/api/v1/destinations/crm/commands", json=asked)
    assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")
    assert refused.json()["status"] == status
    assert refused.json()["detail"]


def test_what_is_not_there_is_a_problem_too(client: TestClient) -> None:
    for url in ("/api/v1/destinations/nobody", "/api/v1/templates/nobody", "/api/v1/nothing"):
        assert client.get(url).status_code == 404
        assert client.get(url).headers["content-type"] == "application/problem+json"


def test_before_a_job_has_run_there_is_a_console_already(client: TestClient, settings: Settings) -> None:
    for file in settings.state.iterdir():
        file.unlink()
    page = client.get("/api/v1/destinations").json()
    assert {one["state"] for one in page["items"]} == {"new", "invalid", "off"}
    assert not page["running"]
    assert client.get("/api/v1/destinations/crm/logs").json() == {"items": [], "next": None}
    assert client.post("/api/v1/destinations/crm/commands", json={"kind": "pause"}).status_code == 409


def test_a_template_tells_its_inputs(client: TestClient, workspace: Workspace) -> None:
    assert len(client.get("/api/v1/templates").json()) == len(workspace.catalog)
    assert [one["slug"] for one in client.get("/api/v1/templates", params={"text": "pagerd"}).json()] == ["pagerduty"]
    slack = client.get("/api/v1/templates/slack").json()
    assert slack["inputs"]["token"]["secret"]
    assert "xoxb-" in slack["readme"]


def test_what_nobody_has_expected_tells_nothing_of_itself(
    client_of: ClientOf, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("what nobody is to see")

    monkeypatch.setattr(workspace, "rows", fail)
    client = TestClient(client_of().app, base_url="http://127.0.0.1:8020", raise_server_exceptions=False)
    answer = client.get("/api/v1/destinations")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "nobody is to see" not in answer.text

"""Secrets go into the API and never come out; destinations are made of templates with theirs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from connectors.secret_store import SecretStore
from console.access import Access, Role
from console.api import create_api
from console.workspace import Workspace
from flows.settings import Settings, load
from tests.console.conftest import FILES
from tests.console.test_access import ACCOUNTS, bearer

ClientOf = Callable[..., TestClient]
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
VALUE = "xoxb-very-secret-indeed"
SLACK = {"id": "team", "template": "slack", "inputs": {"channel": "#ops"}, "secrets": {"token": VALUE}}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """With a key for secrets."""
    (tmp_path / "destinations").mkdir()
    (tmp_path / "destinations" / "crm.yaml").write_text(FILES["crm"])
    only = ["state", "destinations", "project", "site_url", "log", "secrets_key"]
    return load({}, {"OFFRAMP_SECRETS_KEY": KEY}, tmp_path, only=only)


@pytest.fixture
def client(client_of: ClientOf) -> TestClient:
    return client_of(*ACCOUNTS)


def stored(settings: Settings) -> dict[str, str]:
    with SecretStore(settings.state, settings.secrets_key) as store:
        return store.open_all().values


def test_a_secret_is_set_listed_replaced_and_deleted(client: TestClient, settings: Settings) -> None:
    url, operator = "/api/v1/secrets/CRM_TOKEN", bearer(Role.OPERATOR)
    for value in (VALUE, VALUE + "2"):
        answer = client.put(url, json={"value": value}, headers=operator)
        assert (answer.status_code, answer.content) == (204, b"")
        assert stored(settings) == {"CRM_TOKEN": value}
    listed = client.get("/api/v1/secrets", headers=operator)
    assert [(one["name"], one["author"]) for one in listed.json()] == [("CRM_TOKEN", "operator")]
    assert VALUE not in listed.text
    assert client.delete(url, headers=operator).status_code == 204
    assert client.delete(url, headers=operator).status_code == 404
    assert stored(settings) == {}


@pytest.mark.parametrize(
    ("url", "content", "status"),
    [
        ("/api/v1/secrets/A", json.dumps({"value": VALUE, "more": VALUE}), 422),
        ("/api/v1/secrets/A", json.dumps({"value": [VALUE]}), 422),
        ("/api/v1/secrets/A", json.dumps({"value": {"is": VALUE}}), 422),
        ("/api/v1/secrets/A", json.dumps(VALUE), 422),
        ("/api/v1/secrets/A", json.dumps([VALUE]), 422),
        ("/api/v1/secrets/A", f'{{"value": "{VALUE}', 422),
        ("/api/v1/secrets/A", json.dumps({"value": VALUE * 4000}), 422),
        ("/api/v1/secrets/A", json.dumps({"value": "ü" * 64 * 1024}), 422),
        ("/api/v1/secrets/A", f'{{"value": "{VALUE}\\ud800"}}', 422),
        ("/api/v1/secrets/A", json.dumps({"value": ""}), 422),
        (f"/api/v1/secrets/{VALUE}", json.dumps({"value": VALUE}), 422),
        ("/api/v1/secrets/OFFRAMP_X", json.dumps({"value": VALUE}), 422),
        ("/api/v1/destinations", json.dumps(SLACK | {"secrets": {"token": [VALUE]}}), 422),
        ("/api/v1/destinations", json.dumps(SLACK | {"secrets": VALUE}), 422),
        ("/api/v1/destinations", json.dumps(SLACK | {"secrets": {"nothing": VALUE}}), 422),
        ("/api/v1/destinations", json.dumps(SLACK | {"inputs": {"channel": 1, "token": VALUE}, "secrets": {}}), 422),
        ("/api/v1/destinations", json.dumps(SLACK | {"filters": {"when": "nothing("}}), 422),
    ],
)
def test_no_error_repeats_a_value(
    client: TestClient, caplog: pytest.LogCaptureFixture, settings: Settings, url: str, content: str, status: int
) -> None:
    method = "POST" if url.endswith("destinations") else "PUT"
    headers = bearer(Role.OPERATOR) | {"Content-Type": "application/json"}
    refused = client.request(method, url, content=content, headers=headers)
    assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")
    assert VALUE not in refused.text + str(refused.headers) + caplog.text
    assert stored(settings) == {}


def test_without_a_key_nothing_is_stored_and_it_is_told_why(tmp_path: Path) -> None:
    (tmp_path / "destinations").mkdir()
    workspace = Workspace(load({}, {}, tmp_path, only=["state", "destinations", "project", "site_url", "log"]))
    client = TestClient(create_api(workspace, Access()), base_url="http://127.0.0.1")
    refused = client.put("/api/v1/secrets/A", json={"value": VALUE})
    assert (refused.status_code, "OFFRAMP_SECRETS_KEY is not set" in refused.text) == (409, True)
    assert client.get("/api/v1/secrets").json() == []
    workspace.close()


def test_the_description_takes_a_value_and_gives_none(client: TestClient) -> None:
    schema = client.get("/api/v1/openapi.json", headers=bearer(Role.VIEWER)).json()
    value = schema["components"]["schemas"]["SecretIn"]["properties"]["value"]
    assert (value["writeOnly"], value["format"]) == (True, "password")
    assert "example" not in json.dumps(schema["components"]["schemas"]["SecretIn"])
    assert set(schema["components"]["schemas"]["SecretRow"]["properties"]) == {"name", "at", "author"}


def test_an_editor_makes_a_destination_with_its_secret(client: TestClient, settings: Settings) -> None:
    made = client.post("/api/v1/destinations", json=SLACK, headers=bearer(Role.EDITOR))
    assert (made.status_code, made.headers["location"]) == (201, "/api/v1/destinations/team")
    assert (made.json()["number"], made.json()["author"]) == (1, "editor")
    text = (settings.destinations / "team.yaml").read_text()
    assert "token: '{secrets.TEAM_TOKEN}'" in text.replace('"', "'")
    assert VALUE not in text + made.text
    assert stored(settings) == {"TEAM_TOKEN": VALUE}
    now = client.get("/api/v1/destinations/team", headers=bearer(Role.VIEWER))
    assert (now.headers["etag"], now.json()["state"]) == (made.headers["etag"], "new")
    again = client.post("/api/v1/destinations", json=SLACK, headers=bearer(Role.EDITOR))
    assert (again.status_code, "already" in again.text) == (409, True)


def test_an_editor_replaces_no_secret_that_is_another_ones(client: TestClient, settings: Settings) -> None:
    client.put("/api/v1/secrets/TEAM_TOKEN", json={"value": "theirs"}, headers=bearer(Role.OPERATOR)).raise_for_status()
    refused = client.post("/api/v1/destinations", json=SLACK, headers=bearer(Role.EDITOR))
    assert (refused.status_code, "TEAM_TOKEN' is stored already" in refused.text) == (409, True)
    assert stored(settings) == {"TEAM_TOKEN": "theirs"}
    assert not (settings.destinations / "team.yaml").exists()
    assert client.post("/api/v1/destinations", json=SLACK, headers=bearer(Role.OPERATOR)).status_code == 201
    assert stored(settings) == {"TEAM_TOKEN": VALUE}


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"template": "nothing"}, "no template 'nothing'"),
        ({"id": "Team"}, "body.id"),
        ({"id": "project"}, "is no id"),
        ({"secrets": {}}, "is missing"),
        ({"inputs": {"channel": "#ops", "nothing": 1}}, "no input 'nothing'"),
        ({"filters": {"unheard": 1}}, "would not load"),
    ],
)
def test_what_is_no_destination_is_not_made(
    client: TestClient, settings: Settings, change: dict[str, object], detail: str
) -> None:
    refused = client.post("/api/v1/destinations", json=SLACK | change, headers=bearer(Role.EDITOR))
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert detail in refused.json()["detail"]
    assert [path.name for path in settings.destinations.iterdir()] == ["crm.yaml"]
    assert stored(settings) == {}


def test_a_destination_that_was_deleted_can_be_made_again(client: TestClient) -> None:
    url, operator = "/api/v1/destinations", bearer(Role.OPERATOR)
    client.post(url, json=SLACK, headers=operator).raise_for_status()
    client.delete(f"{url}/team", headers=operator | {"If-Match": "*"}).raise_for_status()
    assert client.post(url, json=SLACK, headers=operator).json()["number"] == 3

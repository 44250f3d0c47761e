"""Connections: what is wrong with one is said where it is, and a rendered request holds a marker in a token's place."""

import json
from collections.abc import Callable

import pytest

from destinations import Destination, Loaded
from records import Request
from tests.destinations.conftest import SECRETS
from tests.destinations.events import view

OAUTH = "kind: refresh_token, token_url: https://x.example/token, client_id: me, refresh_token: '{secrets.TOKEN}'"
READS = "inputs: {url: https://x.example, headers: {Authorization: 'Bearer {connections.crm.access_token}'}}"
SERVICE = "kind: service_account, key: '{secrets.TOKEN}', scope: s"
KEY = {"client_email": "me@x.example", "private_key": "PEM", "private_key_id": "k1", "token_uri": "https://t.example"}


def loaded(load_files: Callable[..., Loaded], connection: str, reads: str = READS) -> Loaded:
    return load_files(project=f"connections: {{crm: {{{connection}}}}}", crm=f"id: crm\n{reads}")


def the(found: Loaded) -> Destination:
    assert [str(problem) for problem in found.problems] == []
    return found.destinations["crm"]


def test_a_request_holds_a_marker_that_nobody_is_shown(load_files: Callable[..., Loaded]) -> None:
    destination = the(loaded(load_files, OAUTH))
    (connection,) = destination.policy.connections
    work = destination.render(view())
    assert isinstance(work, Request)
    assert work.headers["Authorization"] == f"Bearer {connection.marker}"
    assert destination.redact(work.headers["Authorization"]) == "Bearer ***"
    assert dict(connection.form) == {
        "grant_type": "refresh_token",
        "client_id": "me",
        "refresh_token": "s3cr3t/value",
    }
    assert "s3cr3t" not in repr(destination.policy)


def test_the_marker_is_the_same_in_every_process_and_another_for_another_secret(
    load_files: Callable[..., Loaded],
) -> None:
    first, again = (the(loaded(load_files, OAUTH)).policy.connections[0] for _ in range(2))
    other = the(loaded(load_files, OAUTH.replace("TOKEN", "USER"))).policy.connections[0]
    assert first == again
    assert first.marker != other.marker


def test_a_destination_that_reads_none_has_none(load_files: Callable[..., Loaded]) -> None:
    assert the(loaded(load_files, OAUTH, "inputs: {url: https://x.example}")).policy.connections == ()


def test_a_service_account_is_read_from_its_key(
    load_files: Callable[..., Loaded], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SECRETS, "TOKEN", json.dumps(KEY))
    (connection,) = the(loaded(load_files, SERVICE)).policy.connections
    assert connection.token_url == "https://t.example"
    assert connection.assertion is not None
    assert dict(connection.assertion.claims) == {"iss": "me@x.example", "aud": "https://t.example", "scope": "s"}
    assert connection.assertion.key_id == "k1"


@pytest.mark.parametrize(
    ("connection", "problem"),
    [
        ("kind: refresh_token", "a connection of kind 'refresh_token' needs `token_url`"),
        ("kind: magic", "connections.crm.kind"),
        ("token_url: https://x.example", "key 'kind' is missing"),
        (OAUTH.replace("https", "http"), "expected an https URL"),
        (OAUTH.replace("//x.example/token", "'//[x'").replace("https:'//[x'", "'https://[x'"), "expected an https URL"),
        (OAUTH + ", scop: a", "unknown key 'scop'"),
        (OAUTH.replace("TOKEN", "NOPE"), "connection 'crm': secret 'NOPE' is not set"),
        (OAUTH.replace("secrets.TOKEN", "event.uuid"), "connection 'crm': "),
        ("kind: service_account, key: '{secrets.TOKEN}'", "connection 'crm': its `key` is not JSON"),
        ("kind: service_account, key: '{secrets.LIST}'", "connection 'crm': its `key` has no `client_email`"),
        (
            OAUTH.replace("https://x.example/token", "'{secrets.TOKEN}'"),
            "connection 'crm': its `token_url` is no https URL",
        ),
    ],
)
def test_what_is_wrong_with_a_connection_is_said(
    load_files: Callable[..., Loaded], monkeypatch: pytest.MonkeyPatch, connection: str, problem: str
) -> None:
    monkeypatch.setitem(SECRETS, "LIST", "[1]")
    problems = [str(each) for each in loaded(load_files, connection).problems]
    assert any(problem in each for each in problems), problems
    assert not any("s3cr3t" in each for each in problems)


@pytest.mark.parametrize(
    ("reads", "problem"),
    [
        ("connections.crn.access_token", "unknown connection 'crn'; did you mean 'crm'?"),
        ("connections.crm.refresh_token", "write `connections.NAME.access_token`"),
        ("connections.crm", "write `connections.NAME.access_token`"),
        ("connections", "write `connections.NAME.access_token`"),
    ],
)
def test_what_is_wrong_with_reading_one_is_said(load_files: Callable[..., Loaded], reads: str, problem: str) -> None:
    found = loaded(load_files, OAUTH, f"inputs: {{url: https://x.example, body: '{{{reads}}}'}}")
    assert problem in str(found.problems[0])


def test_code_does_not_see_connections(load_files: Callable[..., Loaded]) -> None:
    found = loaded(load_files, OAUTH, "code: return connections.crm.access_token")
    assert "code does not see `connections`: put the connection into an input" in str(found.problems[0])

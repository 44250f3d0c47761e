"""Accounts, and who is let in."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from console.access import Access, AccessError, Account, Role, hashed, read_accounts
from console.gatekeeper import COOKIE

TOKENS = {role: f"token-of-{role.name.lower()}-0123456789" for role in Role}
ACCOUNTS = [Account(role.name.lower(), role, token) for role, token in TOKENS.items()]
ClientOf = Callable[..., TestClient]


def bearer(role: Role) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[role]}"}


def test_accounts_are_read_a_line_each_or_with_commas() -> None:
    stored = hashed("open sesame")
    accounts = read_accounts(f"anna:operator:{stored}\nbot:viewer:{'x' * 20}, ,eve:Editor:{'y' * 30}")
    assert [(one.name, one.role) for one in accounts] == [
        ("anna", Role.OPERATOR),
        ("bot", Role.VIEWER),
        ("eve", Role.EDITOR),
    ]
    access = Access(accounts)
    assert access.by_password("anna", "open sesame") == accounts[0]
    assert access.by_password("anna", "open sesam") is None
    assert access.by_password("nobody", "open sesame") is None
    assert access.by_password("bot", "x" * 20) is None, "a token is no password"
    assert access.by_token("x" * 20) == accounts[1]
    assert access.by_token(stored) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("anna", "NAME:ROLE:SECRET"),
        ("anna:boss:0123456789012345678901", "viewer, editor, operator"),
        ("anna:viewer:short", "at least 20"),
        ("anna:viewer:scrypt:x", "console-hash"),
        ("a:viewer:01234567890123456789,a:editor:01234567890123456789", "two of the name 'a'"),
    ],
)
def test_what_is_wrong_with_accounts_is_told_without_their_secrets(text: str, problem: str) -> None:
    with pytest.raises(AccessError) as error:
        read_accounts(text)
    assert problem in str(error.value)
    assert "0123456789" not in str(error.value)
    assert "short" not in str(error.value)


def test_no_account_shows_its_secret() -> None:
    assert TOKENS[Role.VIEWER] not in repr(ACCOUNTS)


def test_a_session_is_of_the_account_as_it_is_now() -> None:
    session = Access(ACCOUNTS, "key").session(ACCOUNTS[0])
    assert Access(ACCOUNTS, "key").by_session(session) == ACCOUNTS[0]
    assert Access(ACCOUNTS[1:], "key").by_session(session) is None
    assert Access(ACCOUNTS, "another").by_session(session) is None
    assert Access(ACCOUNTS, "key").by_session(session + "x") is None
    assert Access(ACCOUNTS, "key").by_session("") is None


def test_without_accounts_everybody_here_is_let_in(client_of: ClientOf) -> None:
    client = client_of()
    assert client.get("/api/v1/me").json() == {"name": "local", "role": "operator"}


def test_with_accounts_somebody_unknown_is_not(client_of: ClientOf) -> None:
    client = client_of(*ACCOUNTS)
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Cookie": f"{COOKIE}=x"}, {"Cookie": "=;;="}):
        refused = client.get("/api/v1/me", headers=headers)
        assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
    assert client.get("/").status_code == 303
    assert client.get("/").headers["location"] == "/login"
    assert client.get("/healthz").status_code == 200


def test_a_name_that_is_not_ours_is_not_let_in(client_of: ClientOf) -> None:
    """A page elsewhere that has its name point to this machine is a page of that name."""
    for host in ("evil.example", "127.0.0.1.evil.example", ""):
        assert client_of().get("/api/v1/me", headers={"Host": host}).status_code == 421
    for host in ("localhost:8020", "LOCALHOST", "127.0.0.1", "[::1]:8020"):
        assert client_of().get("/api/v1/me", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 202),
        ({"Origin": "http://127.0.0.1:8020"}, 202),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 202),
    ],
)
def test_a_page_of_another_origin_changes_nothing(client_of: ClientOf, headers: dict[str, str], status: int) -> None:
    asked = {"url": "/api/v1/destinations/crm/commands", "json": {"kind": "pause"}, "headers": headers}
    assert client_of().post(**asked).status_code == status  # type: ignore[arg-type]
    signed_in = client_of(*ACCOUNTS, session_key="key")
    signed_in.cookies.set(COOKIE, Access(ACCOUNTS, "key").session(ACCOUNTS[2]))
    assert signed_in.post(**asked).status_code == status  # type: ignore[arg-type]


def test_every_route_lets_in_who_may_use_it_and_nobody_else(client_of: ClientOf) -> None:
    """A new route has to be put into the table."""
    client = client_of(*ACCOUNTS)
    needed = {
        ("GET", "/api/v1/me"): Role.VIEWER,
        ("GET", "/api/v1/destinations"): Role.VIEWER,
        ("GET", "/api/v1/destinations/{id}"): Role.VIEWER,
        ("GET", "/api/v1/destinations/{id}/logs"): Role.VIEWER,
        ("GET", "/api/v1/destinations/{id}/failures"): Role.VIEWER,
        ("GET", "/api/v1/destinations/{id}/metrics"): Role.VIEWER,
        ("GET", "/api/v1/destinations/{id}/commands/{number}"): Role.VIEWER,
        ("POST", "/api/v1/destinations/{id}/commands"): Role.OPERATOR,
        ("POST", "/api/v1/destinations"): Role.EDITOR,
        ("PUT", "/api/v1/destinations/{id}"): Role.EDITOR,
        ("DELETE", "/api/v1/destinations/{id}"): Role.OPERATOR,
        ("POST", "/api/v1/destinations/{id}/check"): Role.EDITOR,
        ("GET", "/api/v1/destinations/{id}/versions"): Role.VIEWER,
        ("GET", "/api/v1/destinations/{id}/versions/{number}"): Role.VIEWER,
        ("GET", "/api/v1/destinations/{id}/diff"): Role.VIEWER,
        ("POST", "/api/v1/destinations/{id}/rollback"): Role.EDITOR,
        ("GET", "/api/v1/destinations/{id}/events"): Role.EDITOR,
        ("POST", "/api/v1/destinations/{id}/test"): Role.EDITOR,
        ("GET", "/api/v1/secrets"): Role.OPERATOR,
        ("PUT", "/api/v1/secrets/{name}"): Role.OPERATOR,
        ("DELETE", "/api/v1/secrets/{name}"): Role.OPERATOR,
        ("GET", "/api/v1/templates"): Role.VIEWER,
        ("GET", "/api/v1/templates/{slug}"): Role.VIEWER,
    }
    paths = client.get("/api/v1/openapi.json", headers=bearer(Role.VIEWER)).json()["paths"]
    assert {(method.upper(), path) for path, methods in paths.items() for method in methods} == set(needed)
    for (method, path), role in needed.items():
        assert paths[path][method.lower()]["x-role"] == role.name.lower(), "and the description says so"
        url = path.replace("{id}", "crm").replace("{number}", "1").replace("{slug}", "slack").replace("{name}", "A")
        for asking in Role:
            answer = client.request(method, url, headers=bearer(asking), json={} if method != "GET" else None)
            assert (answer.status_code == 403) is (asking < role), (method, path, asking)
        assert client.request(method, url).status_code == 401


def test_what_is_described_is_described_for_those_alone_who_are_known(client_of: ClientOf) -> None:
    client = client_of(*ACCOUNTS)
    for url in ("/api/v1/docs", "/api/v1/openapi.json"):
        assert client.get(url).status_code == 401
        assert client.get(url, headers=bearer(Role.VIEWER)).status_code == 200

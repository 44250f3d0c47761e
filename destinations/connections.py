"""Connections of `project.yaml`: where access tokens come from. It asks nobody for one.

A text reads `{connections.NAME.access_token}`. Rendered, it holds a marker; the token itself takes its place when the
request leaves, so that a retry an hour later goes out with the token of then.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from catalog.yaml_file import Steps
from destinations.report import Report
from records.hidden import Assertion, Connection

NAME: Final = re.compile(r"[a-z][a-z0-9_]*")

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_NEEDS: Final = {
    "refresh_token": ("token_url", "client_id", "refresh_token"),
    "client_credentials": ("token_url", "client_id", "client_secret"),
    "service_account": ("key",),
}


class ConnectionSpec(msgspec.Struct, frozen=True):
    """One connection. Its texts are made of secrets where they need them."""

    kind: Literal["refresh_token", "client_credentials", "service_account"]
    token_url: str | None = None
    """Of a service account the one that its key names."""
    client_id: str | None = None
    client_secret: str | None = None
    refresh_token: str | None = None
    key: str | None = None
    """Of a service account: the whole JSON file of its key."""
    scope: str | None = None
    subject: str | None = None
    """In whose name a service account acts; absent, its own."""
    auth: Literal["body", "basic"] = "body"
    """Where the client's id and secret go."""
    params: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    """What else the form has, such as `audience`."""


def check_connection(spec: ConnectionSpec, path: Steps, report: Report) -> None:
    """Report what can be said without the secrets."""
    for name in _NEEDS[spec.kind]:
        if not getattr(spec, name):
            report.at(path, f"a connection of kind '{spec.kind}' needs `{name}`")
    if spec.token_url is not None and "{" not in spec.token_url and not _is_safe(spec.token_url):
        report.at((*path, "token_url"), "expected an https URL: whoever reads along would have the secrets")


class ConnectionProblemError(ValueError):
    """A connection that cannot be used; the text names no secret's value."""


def compile_connection(name: str, spec: ConnectionSpec, resolved: Callable[[str], str]) -> Connection:
    """The connection with its secrets.

    Args:
        name: As it is called in `project.yaml`.
        spec: What stands there.
        resolved: Puts the secrets into a text; raises ConnectionProblemError.

    Raises:
        ConnectionProblemError: it cannot be used.
    """
    given = {key: value for key, value in msgspec.structs.asdict(spec).items() if isinstance(value, str)}
    texts = {key: resolved(value) for key, value in given.items() if key not in ("kind", "auth")}
    form = {key: resolved(value) for key, value in spec.params.items()}
    if "scope" in texts:
        form["scope"] = texts["scope"]
    if spec.kind == "service_account":
        return _service_account(name, texts, form)
    form["grant_type"] = spec.kind
    client = (texts["client_id"], texts.get("client_secret", ""))
    if spec.kind == "refresh_token":
        form["refresh_token"] = texts["refresh_token"]
    if spec.auth == "body":
        form |= {"client_id": client[0]} | ({"client_secret": client[1]} if client[1] else {})
    if not _is_safe(texts["token_url"]):
        raise ConnectionProblemError("its `token_url` is no https URL")
    secret = texts.get("refresh_token", "") + client[1]
    basic = client if spec.auth == "basic" else None
    return Connection(name, _marker(name, secret), texts["token_url"], tuple(form.items()), basic)


def _service_account(name: str, texts: Mapping[str, str], form: Mapping[str, str]) -> Connection:
    """Source: RFC 7523; Google, "Using OAuth 2.0 for Server to Server Applications", 2026-11."""
    key = _key_file(texts["key"])
    token_url = texts.get("token_url") or key["token_uri"]
    if not _is_safe(token_url):
        raise ConnectionProblemError("its `token_url` is no https URL")
    claims = {"iss": key["client_email"], "aud": token_url}
    claims |= {"scope": form["scope"]} if "scope" in form else {}
    claims |= {"sub": texts["subject"]} if "subject" in texts else {}
    rest = {key: value for key, value in form.items() if key != "scope"} | {"grant_type": _JWT_BEARER}
    assertion = Assertion(key["private_key"], key.get("private_key_id", ""), tuple(claims.items()))
    return Connection(name, _marker(name, key["private_key"]), token_url, tuple(rest.items()), None, assertion)


def _key_file(text: str) -> dict[str, str]:
    try:
        key: Any = json.loads(text)
    except ValueError:
        raise ConnectionProblemError("its `key` is not JSON; it is the whole key file of the service account") from None
    for field in ("client_email", "private_key", "token_uri"):
        if not isinstance(key, dict) or not isinstance(key.get(field), str):
            raise ConnectionProblemError(f"its `key` has no `{field}`; it is the whole key file of the service account")
    return {field: value for field, value in key.items() if isinstance(value, str)}


def _marker(name: str, secret: str) -> str:
    """The same in every process that has the secret, and nothing that an event could hold by itself."""
    digest = hmac.digest(secret.encode() or b"-", f"offramp connection {name}".encode(), hashlib.sha256)
    return f"connection-{digest.hex()[:40]}"


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )

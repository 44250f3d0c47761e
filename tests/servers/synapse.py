"""Synapse, the homeserver of Matrix, with a database of its own in a file. Its licence is the AGPL 3.0."""

import hashlib
import hmac
import json
import sys
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.servers.components import wheels
from tests.servers.process import free_ports, serving

NAME = "example.test"
_SECRET = "shared"


def fetch() -> Path:
    """The folder of its packages."""
    return wheels("Synapse", "synapse")


class Homeserver:
    """One that runs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def account(self, name: str) -> str:
        """The access token of a new account."""
        nonce = self.ask("", "GET", "/_synapse/admin/v1/register")["nonce"]
        said = "\0".join((nonce, name, "a password", "notadmin")).encode()
        mac = hmac.new(_SECRET.encode(), said, hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": name, "password": "a password", "admin": False, "mac": mac}
        token: str = self.ask("", "POST", "/_synapse/admin/v1/register", body)["access_token"]
        return token

    def room(self, token: str) -> str:
        """The id of a new room, which this account is in."""
        room: str = self.ask(token, "POST", "/_matrix/client/v3/createRoom", {"preset": "private_chat"})["room_id"]
        return room

    def messages(self, token: str, room: str) -> list[dict[str, Any]]:
        """The contents of all messages in it, the first one first."""
        found = self.ask(token, "GET", f"/_matrix/client/v3/rooms/{quote(room)}/messages?dir=f&limit=100")["chunk"]
        return [event["content"] for event in found if event["type"] == "m.room.message"]

    def ask(self, token: str, method: str, path: str, body: Any = None) -> Any:
        """The value that it answers."""
        data = None if body is None else json.dumps(body).encode()
        who = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(self.url + path, data, who, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def answers(self) -> bool:
        return bool(self.ask("", "GET", "/_matrix/client/versions")["versions"])


@contextmanager
def homeserver(folder: Path) -> Iterator[Homeserver]:
    """One without accounts, that limits nobody."""
    packages = fetch()
    [port] = free_ports(1)
    unlimited = {"per_second": 1000, "burst_count": 1000}
    listener = {"bind_addresses": ["127.0.0.1"], "port": port, "type": "http", "resources": [{"names": ["client"]}]}
    settings = {
        "server_name": NAME,
        "listeners": [listener],
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
        "log_config": str(folder / "log.json"),
        "media_store_path": str(folder / "media"),
        "signing_key_path": str(folder / "signing.key"),
        "registration_shared_secret": _SECRET,
        "macaroon_secret_key": _SECRET,
        "form_secret": _SECRET,
        "trusted_key_servers": [],
        "report_stats": False,
        "rc_message": unlimited,
        "rc_registration": unlimited,
        "rc_joins": {"local": unlimited, "remote": unlimited},
    }
    log = {"version": 1, "handlers": {"console": {"class": "logging.StreamHandler"}}, "disable_existing_loggers": False}
    # Both are read as YAML, of which JSON is a part.
    (folder / "homeserver.json").write_text(json.dumps(settings))
    (folder / "log.json").write_text(json.dumps(log | {"root": {"level": "WARNING", "handlers": ["console"]}}))
    (folder / "signing.key").write_text(f"ed25519 a_test {b64encode(bytes(range(32))).decode().rstrip('=')}\n")
    command = [sys.executable, "-m", "synapse.app.homeserver", "-c", str(folder / "homeserver.json")]
    made = Homeserver(f"http://127.0.0.1:{port}")
    with serving("Synapse", command, folder, made.answers, {"PYTHONPATH": str(packages)}):
        yield made

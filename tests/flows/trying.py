"""What the tests of trials share: a destination of a text, an event, and what looks for secrets."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import msgspec

import catalog
from destinations import Destination, EventView, Secrets, Site, load
from flows.trial_result import TrialResult
from hog import json_text
from records import Event, Person

SECRETS = {"TOKEN": "s3cr3t/value", "CLIENT": "cl13nt-secret", "KEY": "c2lnbmluZy1rZXktb2YtYWxsLXRoZXNlLXRlc3RzISE="}
LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
UUID = "0193e3b4-0000-7000-8000-000000000001"


def destination(folder: Path, text: str, project: str = "") -> Destination:
    """The one of this text, which has nothing wrong with it."""
    (folder / "crm.yaml").write_text(f"id: crm\n{text}", encoding="utf-8")
    if project:
        (folder / "project.yaml").write_text(project, encoding="utf-8")
    loaded = load(folder, Secrets(SECRETS.get), catalog.builtin())
    assert [str(problem) for problem in loaded.problems] == []
    return loaded.destinations["crm"]


def view(name: str = "paid", person: dict[str, Any] | None = None, **properties: Any) -> EventView:
    """An event of Anna's."""
    known = None if person is None else Person("p-1", json_text.dumps(person))
    raw = json_text.dumps(properties)
    event = Event("kafka:events", 2, 7, 0, UUID, name, "anna", 1, "2026-11-16T18:10:20.813Z", raw, person=known)
    return EventView(event, Site())


def shows_no_secret(result: TrialResult, *others: str) -> bool:
    """Whether none of the secrets, nor the others, is anywhere in a result."""
    text = msgspec.json.encode(result).decode()
    return not any(secret in text for secret in (*SECRETS.values(), *others))

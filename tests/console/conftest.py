"""A state directory as a job leaves it, and the console's API in front of it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from msgspec.structs import replace

from connectors.journal import Journal
from console.access import Access, Account
from console.api import create_api
from console.workspace import Workspace
from flows.settings import Settings, load
from records import Failure, LogLine, Metric, Status

NOW = time.time()
MINUTE = int(NOW // 60) * 60
STATUSES = (
    Status("crm", "CRM", "live", NOW, matched=12, delivered=10, failed=1, owed=1, p50_ms=12.0, p99_ms=40.0, command=1),
    Status(
        "hook", "Hook", "quarantined", NOW, matched=5, owed=5, since=NOW - 60, until=NOW + 60, reason="answered 500",
        response="<b>oops</b>", backlog=5,
    ),
    Status("old", "Old", "removed", NOW),
)  # fmt: skip
RECORDS = (
    *STATUSES,
    *(LogLine("crm", NOW - 100 + n, "warn" if n % 2 else "info", f"line {n}", f"msg_{n}", b"no") for n in range(30)),
    LogLine("crm", NOW, "error", "<script>alert(1)</script>", "msg_x", b"<img src=x onerror=alert(2)>"),
    Metric("crm", MINUTE, "success", "succeeded", 10),
    Metric("crm", MINUTE, "failure", "failed", 1),
    Failure("crm", "msg_1", NOW, "kafka:events", 0, 7, "u-1", "signed up", 4, "answered 404 Not Found", 404, b"gone"),
)
FILES = {
    "crm": "# ours\nid: crm\nname: CRM\nfilters: {events: [{id: signed up}]}\ninputs: {url: 'https://crm.example.com'}\n",
    "hook": "id: hook\ntemplate: webhook\ninputs: {url: 'https://hook.example.com'}\n",
    "broken": "id: broken\ntemplate: nothing\n",
    "resting": "id: resting\nenabled: false\ninputs: {url: 'https://a.example.com'}\n",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Four destinations, two of which have been at work."""
    folder = tmp_path / "destinations"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / f"{name}.yaml").write_text(text)
    made = load({}, {}, tmp_path, only=["state", "destinations", "project", "site_url", "log"])
    made.state.mkdir()
    with Journal(made.journal) as journal:
        # A job is taken to be at work by how new its word is, and other tests may have taken a while before this one.
        fresh = [replace(one, at=time.time()) if isinstance(one, Status) else one for one in RECORDS]
        assert journal.write(fresh) == ""
    return made


@pytest.fixture
def workspace(settings: Settings) -> Iterator[Workspace]:
    opened = Workspace(settings)
    yield opened
    opened.close()


@pytest.fixture
def client_of(workspace: Workspace) -> Callable[..., TestClient]:
    """A client of the API, for these accounts."""

    def make(*accounts: Account, session_key: str = "") -> TestClient:
        app = create_api(workspace, Access(accounts, session_key))
        return TestClient(app, base_url="http://127.0.0.1:8020", follow_redirects=False)

    return make

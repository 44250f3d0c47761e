"""Commands that ask a console on another machine."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from msgspec.structs import replace

from connectors.commands import Answer, Commands
from connectors.journal import Journal
from console.access import Access, Account, Role
from console.api import create_api
from console.workspace import Workspace
from flows.settings import Settings, load
from records import CommandKind, Status
from tests.cli.conftest import Done
from tests.console.conftest import FILES, RECORDS
from tests.receiver import Answer as Answered
from tests.receiver import Receiver

TOKEN = "a-token-of-an-operator"
Run = Callable[..., Done]


class Server(uvicorn.Server):
    """Says when it listens, and where."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}"


@pytest.fixture
def far(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A job's state somewhere else."""
    folder = tmp_path_factory.mktemp("far")
    (folder / "destinations").mkdir()
    for name in ("crm", "hook"):
        (folder / "destinations" / f"{name}.yaml").write_text(FILES[name])
    made = load({}, {}, folder, only=["state", "destinations", "project", "site_url", "log"])
    made.state.mkdir()
    with Journal(made.journal) as journal:
        assert journal.write(RECORDS) == ""
        assert journal.write(stated(at=time.time())) == ""
    return made


def stated(**fields: object) -> list[Status]:
    return [replace(one, **fields) for one in RECORDS if isinstance(one, Status)]


@pytest.fixture
def url(far: Settings, here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of a console, for whose operator the token is set."""
    workspace = Workspace(far)
    app = create_api(workspace, Access([Account("bot", Role.OPERATOR, TOKEN)]))
    server = Server(uvicorn.Config(app, port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert server.ready.wait(30)
    monkeypatch.setenv("OFFRAMP_API_TOKEN", TOKEN)
    yield server.url
    server.should_exit = True
    thread.join()
    workspace.close()


@contextmanager
def a_job(settings: Settings, answer: Answer, **becomes: object) -> Iterator[None]:
    """Answers commands, and says that it has carried them out."""
    over = threading.Event()

    def work() -> None:
        with Commands(settings.journal) as commands, Journal(settings.journal) as journal:
            while not over.wait(0.02):
                for asked in commands.unanswered():
                    commands.answer(asked, answer)
                    journal.write(stated(at=time.time(), command=asked.id, **becomes))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def wishes(settings: Settings) -> list[tuple[str, CommandKind, str]]:
    with Commands(settings.journal) as commands:
        return [(one.destination, one.wish.kind, one.wish.by) for one in commands.unanswered() if one.wish]


def test_what_can_be_read_here_can_be_read_there(url: str, far: Settings, offramp: Run) -> None:
    there, here = ("--api", url), ("--state", str(far.state))
    for command in (("logs", "crm", "-n", "7"), ("metrics", "crm"), ("failed", "crm")):
        for form in ((), ("--json",)):
            told = offramp(*command, *there, *form)
            assert told == offramp(*command, *here, *form)
            assert told.code == 0
    shown = offramp("failed", "crm", "--show", "msg_1", *there)
    assert shown == offramp("failed", "crm", "--show", "msg_1", *here)
    ids = {one["id"]: one for one in json.loads(offramp("status", *there, "--json").out)}
    told = json.loads(offramp("status", *here, "--json").out)
    for one in told:
        if one["state"] != "removed":
            # The name is that of the file as it is now.
            assert ids[one["id"]] | {"name": ""} == one | {"name": ""}
    assert "quarantined since" in offramp("status", *there).out


def test_a_command_is_given_there_by_whom_the_token_is_of(url: str, far: Settings, offramp: Run) -> None:
    with a_job(far, Answer(), state="paused"):
        done = offramp("pause", "crm", "--api", url)
    assert (done.code, done.out) == (0, "crm is paused; 1 event is owed\n")
    with a_job(far, Answer(error="no, thank you")):
        refused = offramp("enable", "crm", "--send-missed", "--api", url)
    assert (refused.code, refused.err) == (1, "no, thank you\n")


def test_without_a_job_there_a_command_waits(url: str, far: Settings, offramp: Run) -> None:
    with Journal(far.journal) as journal:
        journal.write(stated(at=time.time() - 100))
    done = offramp("disable", "crm", "--api", url)
    assert (done.code, done.out) == (0, "no job is running; when one does, crm will be disabled\n")
    assert wishes(far) == [("crm", CommandKind.DISABLE, "bot")]


def test_a_replay_is_begun_there(url: str, far: Settings, offramp: Run) -> None:
    with a_job(far, Answer(positions=1200)):
        since = offramp("replay", "crm", "--from-time", "2h", "--dry-run", "--json", "--api", url)
        failed = offramp("replay", "crm", "--failed", "--status", "4xx", "--api", url)
        place = offramp("replay", "crm", "--from", "events/0:1", "--to", "events/0:9", "--api", url)
    assert json.loads(since.out) == {"positions": 1200, "replays": []}
    assert (failed.code, "to crm: 1 failed delivery\n" in failed.out) == (0, True)
    assert (place.code, "to crm: what matches of 1,200 positions\n" in place.out) == (0, True)
    nothing = offramp("replay", "crm", "--failed", "--status", "5xx", "--api", url)
    assert (nothing.code, nothing.err) == (1, "no such delivery is in the ledger\n")
    assert offramp("replay", "crm", "--progress", "--api", url).out == "crm has no replay under way\n"


def test_a_destination_is_tried_out_there(url: str, offramp: Run, here: Path) -> None:
    (here / "event.json").write_text(json.dumps({"event": "signed up", "distinct_id": "ada"}))
    tried = offramp("test", "crm", "--event", "event.json", "--json", "--api", url)
    assert (tried.code, json.loads(tried.out)["ending"]) == (0, "would be delivered")
    assert "POST https://crm.example.com" in offramp("test", "crm", "--event", "event.json", "--api", url).out
    (here / "event.json").write_text(json.dumps({"event": "left", "distinct_id": "ada"}))
    unwanted = offramp("test", "crm", "--event", "event.json", "--api", url)
    assert (unwanted.code, "does not match" in unwanted.out) == (1, True)
    assert "no such --events are given" in offramp("test", "crm", "--last", "1", "--api", url).err
    assert "--state goes with this machine" in offramp("test", "crm", "--api", url, "--state", "x").err
    (here / "event.json").write_text("[]")
    assert offramp("test", "crm", "--event", "event.json", "--api", url).err == "--event: not an object\n"


def test_what_is_wrong_is_one_line(url: str, offramp: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert offramp("logs", "nobody", "--api", url).err == "there is no destination 'nobody'\n"
    assert offramp("logs", "crm", "-n", "1001", "--api", url).err == "-n: a console gives at most 1,000 at once\n"
    assert offramp("logs", "a/../b?", "--api", url).code != 0
    assert "give one of them" in offramp("status", "--api", url, "--state", "x").err
    assert "give one of them" in offramp("pause", "crm", "--api", url, "--state", "x").err
    for wrong in ("offramp.example.com", "file:///etc/passwd", "http://", "http://a:b@127.0.0.1"):
        refused = offramp("status", "--api", wrong)
        assert (refused.code, refused.err.count("\n"), "expected a URL" in refused.err) == (2, 1, True)
    assert "cannot be reached" in offramp("status", "--api", "http://127.0.0.1:9").err
    monkeypatch.setenv("OFFRAMP_API_TOKEN", "another-token-of-nobody")
    refused = offramp("status", "--api", url)
    assert (refused.code, "OFFRAMP_API_TOKEN" in refused.err, "nobody" in refused.err) == (2, True, False)
    monkeypatch.delenv("OFFRAMP_API_TOKEN")
    assert "set OFFRAMP_API_TOKEN" in offramp("status", "--api", url).err


def test_the_token_goes_nowhere_else(url: str, offramp: Run) -> None:
    with Receiver() as other, Receiver() as asked:
        asked.on("/api/v1/destinations", Answered(302, b"", [("Location", f"{other.url}/api/v1/destinations")]))
        refused = offramp("status", "--api", asked.url)
        assert (refused.code, "answered 302" in refused.err) == (2, True)
        assert other.requests == []
        asked.on("/api/v1/destinations", Answered(200, b"<html>"))
        assert "no console of Offramp" in offramp("status", "--api", asked.url).err

"""Commands that tell the job something: pause, disable, enable, replay; and the ledger that `failed` shows."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from cli import destination
from cli.replay_wishes import moment_of, position_of
from connectors.commands import Commands, Position, Wish, spans_of_failed
from connectors.desk import Desk
from connectors.journal import Journal
from records import Command, CommandKind, Failure, Metric, Replay, Span, Status
from tests.cli.conftest import Done
from tests.connectors.logs import MemoryLog

Offramp = Callable[..., Done]
STATES = {CommandKind.PAUSE: "paused", CommandKind.DISABLE: "disabled", CommandKind.ENABLE: "live"}


class FakeJob(threading.Thread):
    """Answers commands as the job does, and says in the status that they are carried out."""

    def __init__(self, path: Path, journal: Journal, log: MemoryLog) -> None:
        super().__init__(daemon=True)
        self._journal = journal
        self.log = log
        self._stop_it = threading.Event()
        unknown = lambda id: "" if id == "crm" else f"there is no destination '{id}'"  # noqa: E731
        self.idle = ""
        self._desk = Desk(Commands(path), {log.stream: log}, unknown, lambda _: self.idle)
        self._desk.begin(None)
        self.status = Status("crm", "CRM", "live", time.time())
        self.commands: list[Command] = []
        self.replays: list[Replay] = []
        self.write()

    def write(self, **fields: object) -> None:
        self.status = msgspec.structs.replace(self.status, at=time.time(), **fields)
        self._journal.write([self.status])

    def run(self) -> None:
        while not self._stop_it.wait(0.02):
            self._desk.look()
            for command in self._desk.take():
                self.commands.append(command)
                state = STATES.get(command.kind, self.status.state)
                self.write(state=state, command=command.id, replays=self.replays)

    def close(self) -> None:
        self._stop_it.set()
        if self.is_alive():
            self.join()
        self._desk.close()


@pytest.fixture
def journal(here: Path) -> Iterator[Journal]:
    (here / ".offramp").mkdir()
    with Journal(here / ".offramp" / "journal.sqlite") as opened:
        yield opened


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog("kafka:events", dict.fromkeys(range(10), b"{}"))
    log.times = {at: 1_700_000_000.0 + at for at in range(10)}
    return log


@pytest.fixture
def stopped(journal: Journal, log: MemoryLog, here: Path) -> Iterator[FakeJob]:
    """A job that has told of its destination; a test starts it."""
    job = FakeJob(here / ".offramp" / "journal.sqlite", journal, log)
    yield job
    job.close()


@pytest.fixture
def job(stopped: FakeJob) -> FakeJob:
    stopped.start()
    return stopped


def failure(offset: int, status: int | None = 404, at: float | None = None, **fields: object) -> Failure:
    values: dict[str, object] = {
        "destination": "crm",
        "invocation": f"msg_{offset}",
        "at": time.time() if at is None else at,
        "stream": "kafka:events",
        "partition": 0,
        "offset": offset,
        "event_uuid": f"u{offset}",
        "event_name": "signed up",
        "attempts": 1,
        "reason": "no answer" if status is None else f"answered {status}",
        "status": status,
        "body": b"oh\nno",
    }
    return Failure(**values | fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(("word", "state"), [("pause", "paused"), ("disable", "disabled"), ("enable", "live")])
def test_the_answer_is_the_state_once_it_is_carried_out(
    job: FakeJob, offramp: Offramp, monkeypatch: pytest.MonkeyPatch, word: str, state: str
) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    job.write(owed=1_200, matched=1_200)
    assert offramp(word, "crm") == (0, f"crm is {state}; 1,200 events are owed\n", "")
    [command] = job.commands
    assert (command.kind, command.by, command.skip_missed) == (CommandKind(word), "ada", False)


@pytest.mark.parametrize(("flag", "skip"), [("--send-missed", False), ("--skip-missed", True)])
def test_what_was_missed_is_sent_or_skipped_as_is_said(job: FakeJob, offramp: Offramp, flag: str, skip: bool) -> None:
    job.write(state="disabled", owed=3, matched=3)
    assert offramp("enable", "crm", flag).code == 0
    assert [command.skip_missed for command in job.commands] == [skip]


@pytest.mark.parametrize("state", ["disabled", "paused", "quarantined", "probing"])
def test_without_a_word_about_what_was_missed_nothing_is_done(job: FakeJob, offramp: Offramp, state: str) -> None:
    job.write(state=state, owed=1, matched=1)
    told = "1 event is owed to 'crm': add --send-missed to send them now, or --skip-missed to give them up\n"
    assert offramp("enable", "crm") == (2, "", told)
    assert job.commands == []


def test_on_a_terminal_it_is_asked(job: FakeJob, offramp: Offramp, monkeypatch: pytest.MonkeyPatch) -> None:
    job.write(state="disabled", owed=2, matched=2)
    answers = iter(["what", "skip"])
    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda _: True})())
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    assert offramp("enable", "crm") == (0, "2 events are owed to 'crm'.\ncrm is live; 2 events are owed\n", "")
    assert [command.skip_missed for command in job.commands] == [True]


def test_while_no_job_runs_it_is_kept_for_the_next_one(stopped: FakeJob, journal: Journal, offramp: Offramp) -> None:
    journal.write([msgspec.structs.replace(stopped.status, at=time.time() - 60)])
    done = offramp("pause", "crm")
    assert done == (0, "no job is running; when one does, crm will be paused\n", "")
    stopped.start()
    give_up_at = time.monotonic() + 10
    while not stopped.commands and time.monotonic() < give_up_at:
        time.sleep(0.02)
    assert [command.kind for command in stopped.commands] == [CommandKind.PAUSE]


def test_what_the_job_refuses_is_told(job: FakeJob, offramp: Offramp) -> None:
    job.idle = "destination 'crm' does not run: its file says 'enabled: false'"
    assert offramp("enable", "crm") == (1, "", f"{job.idle}\n")
    assert job.commands == []


def test_a_job_that_does_not_do_it_in_time(stopped: FakeJob, offramp: Offramp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destination, "WAIT_S", 0.3)
    told = "the job has not carried it out yet, and will; offramp status shows when it has\n"
    assert offramp("pause", "crm") == (1, "", told)


@pytest.mark.parametrize("words", [["pause"], ["disable"], ["enable"], ["replay", "--failed"]])
def test_an_unknown_destination(stopped: FakeJob, offramp: Offramp, words: list[str]) -> None:
    told = "nothing is known of a destination 'cmr'; there are: crm\n"
    assert offramp(words[0], "cmr", *words[1:]) == (1, "", told)


def test_a_replay_from_a_position(job: FakeJob, offramp: Offramp) -> None:
    done = offramp("replay", "crm", "--from", "events/0:3", "--to", "events/0:6")
    assert done == (
        0,
        "replay 1 to crm: 4 positions\nofframp replay crm --progress shows how far it is\n",
        "",
    )
    assert job.commands[0].spans == [Span("kafka:events", 0, 3, 6)]
    assert job.commands[0].kind is CommandKind.REPLAY


def test_a_replay_from_a_time(job: FakeJob, offramp: Offramp) -> None:
    times = ("--from-time", "2023-11-14T22:13:25Z", "--to-time", "2023-11-14T23:13:28+01:00")
    assert offramp("replay", "crm", *times).out.startswith("replay 1 to crm: 3 positions\n")
    assert job.commands[0].spans == [Span("kafka:events", 0, 5, 7)]


def test_a_dry_run_only_tells_how_much_it_would_be(job: FakeJob, journal: Journal, offramp: Offramp) -> None:
    args = ("replay", "crm", "--from", "events/0:3", "--dry-run")
    assert offramp(*args).out.splitlines() == [
        "kafka:events/0: 3 to 9",
        "7 positions would be sent again. How long that takes: unknown",
    ]
    minute = int(time.time()) // 60 * 60
    journal.write([Metric("crm", minute - 120, "success", "succeeded", 300)])
    last = offramp(*args).out.splitlines()[-1]
    assert last.startswith("7 positions would be sent again. How long that takes: about ")
    assert last.endswith(" s, at the rate of the last minutes, if all of it matches")
    told = json.loads(offramp(*args, "--json").out)
    assert (told["positions"], told["spans"][0]["first"]) == (7, 3)
    assert 2 < told["seconds"] < 10
    assert job.commands == []


def test_of_a_file_nobody_knows_how_long_its_bytes_take(job: FakeJob, journal: Journal, offramp: Offramp) -> None:
    job.log.stream = "file:/data/events.jsonl"
    journal.write([Metric("crm", int(time.time()) // 60 * 60 - 120, "success", "succeeded", 300)])
    assert offramp("replay", "crm", "--from-time", "2023-11-14T22:13:25Z", "--dry-run").out.splitlines() == [
        "file:/data/events.jsonl/0: 5 to 9",
        "5 bytes of events would be sent again. How long that takes: unknown",
    ]


def test_a_dry_run_needs_the_job(stopped: FakeJob, journal: Journal, offramp: Offramp) -> None:
    journal.write([msgspec.structs.replace(stopped.status, at=1.0)])
    told = "no job is running, and it is the job that knows the log; start it, or leave out --dry-run\n"
    assert offramp("replay", "crm", "--from-time", "2h", "--dry-run") == (1, "", told)


def test_failed_deliveries_are_sent_again_by_position(job: FakeJob, journal: Journal, offramp: Offramp) -> None:
    journal.write([failure(7), failure(3, 410), failure(5, 503), failure(9, None), failure(2, partition=1)])
    dry = offramp("replay", "crm", "--failed", "--status", "4xx", "--dry-run").out
    assert dry == "3 failed deliveries would be sent again. How long that takes: unknown\n"
    done = offramp("replay", "crm", "--failed", "--status", "4xx")
    assert done.out.splitlines()[0] == "replay 1 to crm: 3 failed deliveries"
    offramp("replay", "crm", "--failed", "--error", "NO ANSWER")
    first, second = job.commands
    spans = [(span.stream, span.partition, span.first, span.last, span.only) for span in first.spans]
    assert spans == [("kafka:events", 0, 3, 7, [3, 7]), ("kafka:events", 1, 2, 2, [2])]
    assert [span.only for span in second.spans] == [[9]]
    assert journal.count_failures("crm") == 1, "with the answer they leave the ledger"
    assert (first.failed, second.failed) == (True, True)


def test_a_stopped_destination_is_told_to_wait(job: FakeJob, offramp: Offramp) -> None:
    job.write(state="disabled")
    out = offramp("replay", "crm", "--from", "events/0:3").out.splitlines()
    assert out[1] == "crm is disabled: it waits until that is over (offramp enable crm)"


def test_on_a_terminal_the_progress_is_shown_until_the_end(
    job: FakeJob, offramp: Offramp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.replay.is_terminal", lambda: True)
    job.replays = [Replay(1, 7, 4, 2)]
    timer = threading.Timer(1.0, lambda: job.write(replays=[]))
    timer.start()
    done = offramp("replay", "crm", "--from", "events/0:3")
    assert done.code == 0
    assert done.out.splitlines()[0] == "replay 1 to crm: 7 positions"
    assert done.out.splitlines()[-1] == "all of it has been read; offramp logs crm tells what became of it"
    assert "7/7" in done.out


def test_replays_are_shown_and_steered(job: FakeJob, offramp: Offramp) -> None:
    assert offramp("replay", "crm", "--progress").out == "crm has no replay under way\n"
    assert offramp("replay", "crm", "--pause").out == "crm has no replay under way\n"
    job.replays = [Replay(12, 200, 50, 7)]
    job.write(replays=job.replays)
    assert offramp("replay", "crm", "--progress").out == "replay 12: 75% of 200 read, 7 matched\n"
    assert json.loads(offramp("replay", "crm", "--progress", "--json").out)[0]["left"] == 50
    for word in ("pause", "resume", "cancel"):
        assert offramp("replay", "crm", f"--{word}").code == 0
    kinds = [CommandKind.PAUSE_REPLAYS, CommandKind.RESUME_REPLAYS, CommandKind.CANCEL_REPLAYS]
    assert [command.kind for command in job.commands] == kinds


REFUSED = [
    (["--from", "evnts/0:3"], 1, "the job does not read 'evnts'; its inputs are kafka:events"),
    (["--from", "events/0:10"], 1, "nothing to replay: kafka:events/0 ends at 10"),
    (["--from-time", "1m"], 1, "nothing to replay: no input has a message of that time"),
    (
        ["--failed"],
        1,
        "nothing to replay: the ledger of 'crm' has no such delivery; offramp failed lists it",
    ),
    (
        [],
        2,
        "offramp replay: nothing says what to replay; give one of --from, --from-time, --failed, --pause, --resume, "
        "--cancel, --progress",
    ),
    (
        ["--failed", "--from-time", "2h"],
        2,
        "offramp replay: --from-time and --failed do not go together; give one of --from, --from-time, --failed, "
        "--pause, --resume, --cancel, --progress",
    ),
    (
        ["--failed", "--to-time", "2h"],
        2,
        "offramp replay: --to-time goes with --from-time, not with --failed",
    ),
    (
        ["--from", "events"],
        2,
        "offramp replay: --from: expected TOPIC/PARTITION:OFFSET, such as events/0:1200, got 'events'",
    ),
    (
        ["--from-time", "2026-11-20 10:00"],
        2,
        "offramp replay: --from-time: '2026-11-20 10:00' names no time zone; for UTC write 2026-11-20 10:00Z, else its "
        "offset such as 2026-11-20 10:00+01:00",
    ),
    (
        ["--from-time", "2h", "--to-time", "soon"],
        2,
        "offramp replay: --to-time: expected a time such as 2026-11-20T10:00:00Z, or 2h for two hours ago, got 'soon'",
    ),
    (["--from-time", "2h", "--to-time", "3h"], 2, "offramp replay: --to-time is not behind --from-time"),
    (
        ["--failed", "--status", "40"],
        2,
        "offramp replay: --status: expected a status such as 404, a class such as 4xx, or none, got '40'",
    ),
]


@pytest.mark.parametrize(("args", "code", "told"), REFUSED)
def test_what_cannot_be_replayed_is_one_line(
    job: FakeJob, offramp: Offramp, args: list[str], code: int, told: str
) -> None:
    assert offramp("replay", "crm", *args) == (code, "", f"{told}\n")
    assert job.commands == []


def test_what_retention_has_deleted(job: FakeJob, log: MemoryLog, offramp: Offramp) -> None:
    log.forget_before(5)
    told = "kafka:events/0 begins at 5 now: 3 to 4 are gone, retention has deleted them; give --from kafka:events/0:5\n"
    assert offramp("replay", "crm", "--from", "events/0:3") == (1, "", told)


def test_positions_and_times_as_people_write_them() -> None:
    assert position_of("kafka:a.b-c/12:34") == Position("kafka:a.b-c", 12, 34)
    assert position_of("file:/var/log/events.jsonl/0:0") == Position("file:/var/log/events.jsonl", 0, 0)
    assert [moment_of(text, 1e6) for text in ("10m", "2h", "3d")] == [1e6 - 600, 1e6 - 7_200, 1e6 - 259_200]
    assert moment_of("1970-01-01T01:00:10+01:00", 0.0) == 10.0


def test_many_positions_become_several_commands() -> None:
    found = {("a", 0, ""): list(range(5)), ("b", 1, "lead"): [7, 9]}
    assert spans_of_failed(found, most=3) == [
        [Span("a", 0, 0, 2, [0, 1, 2])],
        [Span("a", 0, 3, 4, [3, 4]), Span("b", 1, 7, 7, [7], "lead")],
        [Span("b", 1, 9, 9, [9], "lead")],
    ]
    assert spans_of_failed({}) == []


def test_the_ledger_for_people(journal: Journal, offramp: Offramp) -> None:
    now = time.time() // 1
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
    journal.write([failure(1, at=now), failure(2, None, at=now, event_name="line\nbreak", attempts=4)])
    assert offramp("failed", "crm").out.splitlines() == [
        f"{when}  404  1 attempt  signed up  kafka:events/0:1  msg_1  answered 404",
        f"{when}    -  4 attempts  line break  kafka:events/0:2  msg_2  no answer",
        "2 in all, 2 shown. Send them again: offramp replay crm --failed",
    ]
    assert offramp("failed", "crm", "--status", "none", "-n", "1").out.splitlines()[-1].startswith("1 in all, 1 shown.")
    [only] = json.loads(offramp("failed", "crm", "--error", "404", "--json").out)
    assert (only["invocation"], only["offset"], only["status"], only["body"]) == ("msg_1", 1, 404, "oh\nno")


def test_one_entry_of_the_ledger_whole(journal: Journal, offramp: Offramp) -> None:
    journal.write([failure(1, at=1_800_000_000.0), Status("crm", "CRM", "live", 1.0)])
    assert offramp("failed", "crm", "--show", "msg_1").out.splitlines() == [
        "webhook-id  msg_1",
        "when        2027-01-15 08:00:00 UTC",
        "event       signed up u1",
        "position    kafka:events/0:1",
        "attempts    1",
        "status      404",
        "reason      answered 404",
        "",
        "oh",
        "no",
    ]
    assert json.loads(offramp("failed", "crm", "--show", "msg_1", "--json").out)["body"] == "oh\nno"
    told = "no delivery msg_2 is in the ledger of 'crm'; it may have been sent again\n"
    assert offramp("failed", "crm", "--show", "msg_2") == (1, "", told)


def test_a_ledger_without_entries(journal: Journal, offramp: Offramp) -> None:
    journal.write([Status("crm", "CRM", "live", 1.0)])
    assert offramp("failed", "crm") == (0, "No such delivery has failed.\n", "")
    assert offramp("failed", "crm", "--json") == (0, "[]\n", "")
    assert offramp("failed", "cmr") == (1, "", "nothing is known of a destination 'cmr'; there are: crm\n")
    told = "offramp failed: --status: expected a status such as 404, a class such as 4xx, or none, got 'x'\n"
    assert offramp("failed", "crm", "--status", "x") == (2, "", told)


def test_a_wish_that_was_made_while_no_job_ran_ends_where_the_log_ended_then(
    stopped: FakeJob, log: MemoryLog, here: Path
) -> None:
    clock = lambda: 1_700_000_005.0  # noqa: E731
    with Commands(here / ".offramp" / "journal.sqlite", clock) as commands:
        commands.add("crm", Wish(CommandKind.REPLAY, first=Position("events", 0, 2)))
        commands.add("crm", Wish(CommandKind.REPLAY, since=1_700_000_001.0))
    stopped._desk.begin(0)
    stopped._desk.look()
    assert [command.spans for command in stopped._desk.take()] == [
        [Span("kafka:events", 0, 2, 4)],
        [Span("kafka:events", 0, 1, 4)],
    ]

import json
import signal
import sqlite3
import time

import pytest

from connectors.journal import Journal
from records import DeadLetter, LogLine, Metric, Replay, Status

NOW = time.time()
MINUTE = int(NOW) // 60 * 60


@pytest.fixture
def journal(here):
    """The journal of a job that is running in `here`."""
    (here / ".offramp").mkdir()
    with Journal(here / ".offramp" / "journal.sqlite") as opened:
        yield opened


def status(id: str, **fields) -> Status:
    return Status(**{"id": id, "name": id.upper(), "state": "live", "at": time.time(), **fields})


def line(message: str, level: str = "info", body: bytes = b"", at: float = NOW) -> LogLine:
    return LogLine("crm", at, level, message, "msg_1", body)


def test_status_as_json(journal, offramp):
    journal.write([status("crm", matched=5, delivered=2, failed=1, owed=2, lag_s=3.5, p50_ms=1.5, p99_ms=9.0)])
    journal.write([status("bad", state="invalid", problem="destinations/bad.yaml: filters.when (1,7): no"), letter(1)])
    done = offramp("status", "--json")
    assert (done.code, done.err) == (0, "")
    bad, crm = json.loads(done.out)
    assert {name: crm[name] for name in ("id", "name", "state", "matched", "delivered", "failed", "owed")} == {
        "id": "crm",
        "name": "CRM",
        "state": "live",
        "matched": 5,
        "delivered": 2,
        "failed": 1,
        "owed": 2,
    }
    assert (crm["expired"], crm["skipped"], crm["dead_letters"], crm["error_rate"]) == (0, 0, 1, 0.0)
    assert (crm["lag_s"], crm["p50_ms"], crm["p99_ms"], crm["last_error"], crm["problem"]) == (3.5, 1.5, 9.0, "", "")
    assert (bad["state"], bad["problem"]) == ("invalid", "destinations/bad.yaml: filters.when (1,7): no")


def letter(offset: int, value: bytes = b"{") -> DeadLetter:
    return DeadLetter("kafka:events", 2, offset, "expected an object", value)


def test_status_for_people(journal, offramp):
    journal.write(
        [
            status("crm", matched=5, delivered=3, owed=2, lag_s=130.0, p50_ms=12.4, p99_ms=1.5, error_rate=0.5),
            status("bad", state="invalid", problem="bad.yaml: broken\nwhen: [x\n      ^"),
            status("slow", last_error="timed out after 10 s"),
            letter(1),
        ]
    )
    out = offramp("status").out.splitlines()
    assert [" ".join(row.split()) for row in out[:4]] == [
        "id state matched delivered failed owed expired skipped lag p50 p99 errors",
        "bad invalid 0 0 0 0 0 0 - - - -",
        "crm live 5 3 0 2 0 0 2 min 12 ms 1.5 ms 50%",
        "slow live 0 0 0 0 0 0 - - - -",
    ]
    assert out[4:] == [
        "bad: bad.yaml: broken",
        "when: [x",
        "      ^",
        "slow: last error: timed out after 10 s",
        "1 message could not be decoded: offramp dead-letters",
    ]


def test_status_tells_what_is_read_from_the_log(journal, offramp):
    replays = [Replay(12, 2_000, 500, 7), Replay(13, 10, 10, 0, paused=True)]
    journal.write([status("crm", matched=1_500, owed=1_500, backlog=1_234, replays=replays)])
    assert offramp("status").out.splitlines()[2:] == [
        "crm: 1,234 of what is owed is read from the log when its turn comes",
        "crm: replay 12: 75% of 2,000 read, 7 matched",
        "crm: replay 13: 0% of 10 read, 0 matched, paused",
    ]
    assert json.loads(offramp("status", "--json").out)[0]["replays"][0] == {
        "id": 12,
        "total": 2_000,
        "left": 500,
        "matched": 7,
        "paused": False,
    }


def test_status_after_the_job_has_stopped_says_as_of_when(journal, offramp):
    at = time.time() - 3_660
    journal.write([status("crm", at=at)])
    journal.close()
    first = offramp("status").out.splitlines()[0]
    assert first == f"As of {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(at))} UTC, 61 min ago."


def test_status_before_the_first_report(journal, offramp):
    assert offramp("status") == (0, "The job has not told of a destination yet.\n", "")
    assert json.loads(offramp("status", "--json").out) == []


def test_status_of_another_directory(journal, offramp, here, monkeypatch):
    journal.write([status("crm")])
    monkeypatch.chdir("/")
    assert json.loads(offramp("status", "--json", "--state", str(here / ".offramp")).out)[0]["id"] == "crm"
    monkeypatch.setenv("OFFRAMP_STATE", str(here / ".offramp"))
    assert json.loads(offramp("status", "--json").out)[0]["id"] == "crm"


def test_logs_show_the_newest_with_their_responses(journal, offramp):
    at = MINUTE + 0.5
    shown = time.strftime("%Y-%m-%d %H:%M:00.500", time.gmtime(MINUTE))
    journal.write([line("one", at=at), line("answered 500", "error", b"oh\nno", at=at), line("\x1b[31mred", at=at)])
    assert offramp("logs", "crm", "-n", "2").out.splitlines() == [
        f"{shown} ERROR answered 500 (msg_1)",
        "    oh",
        "    no",
        f"{shown} INFO  \ufffd[31mred (msg_1)",
    ]


def test_a_line_break_in_a_message_begins_no_line_of_its_own(journal, offramp):
    journal.write([line("answered 500 (event 'x' u\n2026-01-01 00:00:00.000 INFO  fake)", "error")])
    assert offramp("logs", "crm").out.splitlines()[1:] == ["    2026-01-01 00:00:00.000 INFO  fake) (msg_1)"]


def test_a_long_response_is_cut_for_people_and_whole_in_json(journal, offramp):
    journal.write([line("answered 500", "error", b"x" * 5_000)])
    assert offramp("logs", "crm").out.splitlines()[1] == "    " + "x" * 1_000 + " … (5000 bytes)"
    (stored,) = map(json.loads, offramp("logs", "crm", "--json").out.splitlines())
    assert stored["body"] == "x" * 5_000
    assert (stored["log_source_id"], stored["level"], stored["message"]) == ("crm", "error", "answered 500")


def test_logs_by_level_and_text(journal, offramp):
    journal.write([line("Sent"), line("slow", "warn"), line("answered 500", "error")])
    assert [row.split()[3] for row in offramp("logs", "crm", "--level", "warn").out.splitlines()] == [
        "slow",
        "answered",
    ]
    assert "Sent" in offramp("logs", "crm", "--text", "sent").out


def test_logs_of_an_unknown_destination(journal, offramp):
    journal.write([status("crm"), status("ads")])
    assert offramp("logs", "cmr") == (1, "", "nothing is known of a destination 'cmr'; there are: ads, crm\n")
    assert offramp("logs", "crm") == (0, "", "")


def test_following_goes_on_until_ctrl_c(journal, process):
    journal.write([line("first")])
    started = process("logs", "crm", "--follow")
    assert "first" in started.stdout.readline()
    journal.write([line("second")])
    assert "second" in started.stdout.readline()
    started.send_signal(signal.SIGINT)
    assert started.communicate(timeout=60) == ("", "")
    assert started.returncode == 0


def test_a_reader_that_goes_away_is_no_error(journal, process):
    journal.write([line("x" * 5_000) for _ in range(500)])
    started = process("logs", "crm", "-n", "500")
    started.stdout.readline()
    started.stdout.close()
    assert started.stderr.read() == ""
    assert started.wait(timeout=60) == 1


def test_metrics(journal, offramp):
    # Of this moment: by the time of a long run's start it would be more than five minutes old.
    minute = int(time.time()) // 60 * 60
    journal.write(
        [
            Metric("crm", minute, "success", "succeeded", 2),
            Metric("crm", minute - 600, "success", "succeeded", 3),
            Metric("crm", minute - 2 * 86_400, "failure", "failed", 7),
        ]
    )
    assert [row.split() for row in offramp("metrics", "crm").out.splitlines()] == [
        ["what", "kind", "5", "min", "hour", "day", "all", "kept"],
        ["succeeded", "success", "2", "5", "5", "5"],
        ["failed", "failure", "0", "0", "0", "7"],
    ]
    found = json.loads(offramp("metrics", "crm", "--json").out)
    assert [one["count"] for one in found] == [7, 3, 2]


def test_metrics_of_a_destination_without_counts_and_of_one_that_nobody_knows(journal, offramp):
    journal.write([status("crm"), Metric("gone", MINUTE, "success", "succeeded", 2)])
    assert offramp("metrics", "crm") == (0, "No counts of a destination 'crm' yet.\n", "")
    assert offramp("metrics", "gone").code == 0, "there are traces of it"
    for more in ([], ["--json"]):
        assert offramp("metrics", "cmr", *more) == (1, "", "nothing is known of a destination 'cmr'; there are: crm\n")


def test_dead_letters(journal, offramp):
    assert offramp("dead-letters").out == "No message was undecodable.\n"
    journal.write([letter(1, b"\xff\x00")])
    journal.write([letter(2, "é".encode())])
    rows = offramp("dead-letters", "-n", "1").out.splitlines()
    assert rows[0].endswith("  kafka:events/2:2  2 bytes  expected an object")
    assert rows[1] == "2 in all, 1 shown."
    newest, oldest = json.loads(offramp("dead-letters", "--json").out)
    assert (newest["offset"], newest["value"], newest["size"]) == (2, "é", 2)
    assert (oldest["offset"], oldest["value_base64"], "value" in oldest) == (1, "/wA=", False)


def test_a_journal_of_a_newer_version_is_one_line(journal, offramp, here):
    journal.close()
    with sqlite3.connect(here / ".offramp" / "journal.sqlite") as connection:
        connection.execute("PRAGMA user_version = 9")
    done = offramp("status")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("offramp: journal ")
    assert done.err.endswith("upgrade Offramp, or name another --state\n")

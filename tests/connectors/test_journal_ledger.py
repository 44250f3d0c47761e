"""The ledger in the journal's file, and how a file of the version before it is brought up to date."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from connectors import journal_schema
from connectors.journal import Journal, JournalError, JournalReader, Keep
from connectors.journal_buffer import JournalBuffer
from connectors.journal_sink import JournalWriter
from delivery import Position
from records import Failure, FailuresTaken, HealthChange, LogLine, Status

NOW = 1_700_000_000.0


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(path: Path, clock: Clock) -> Iterator[Journal]:
    with Journal(path, clock=clock) as opened:
        yield opened


def failure(offset: int, status: int | None = 404, **fields: object) -> Failure:
    values: dict[str, object] = {
        "destination": "crm",
        "invocation": f"msg_{offset}",
        "at": NOW,
        "stream": "kafka:events",
        "partition": 0,
        "offset": offset,
        "event_uuid": f"u{offset}",
        "event_name": "signed up",
        "attempts": 1,
        "reason": f"answered {status}",
        "status": status,
        "body": b"no",
    }
    return Failure(**values | fields)  # type: ignore[arg-type]


def offsets(journal: JournalReader, **question: object) -> list[int]:
    return [stored.failure.offset for stored in journal.failures("crm", **question)]  # type: ignore[arg-type]


def test_an_entry_is_kept_whole(journal: Journal) -> None:
    entries = [failure(1), failure(2, None, reason="timed out", body=b"\x00\xff"), failure(3, destination="ads")]
    assert journal.write(entries) == ""
    assert [stored.failure for stored in journal.failures("crm")] == entries[:2]
    assert journal.failure("crm", "msg_2") == entries[1]
    assert journal.failure("crm", "msg_3") is None
    assert (journal.count_failures("crm"), journal.count_failures("ads"), journal.count_failures("x")) == (2, 1, 0)


def test_a_later_failure_of_the_same_delivery_replaces_the_entry(journal: Journal) -> None:
    journal.write([failure(1), failure(2)])
    journal.write([failure(1, 410, attempts=2)])
    assert offsets(journal) == [2, 1], "in the order of writing: it is the newest now"
    assert journal.failure("crm", "msg_1") == failure(1, 410, attempts=2)


def test_which_came_after_a_moment(journal: Journal) -> None:
    journal.write([failure(1), failure(2, at=NOW + 1), failure(3, at=NOW + 1, destination="ads")])
    assert journal.failed_since("crm", NOW - 1) == {Position("kafka:events", 0, 1), Position("kafka:events", 0, 2)}
    assert journal.failed_since("crm", NOW) == {Position("kafka:events", 0, 2)}
    assert journal.failed_since("crm", NOW + 1) == set()


def test_entries_leave_by_position_and_in_order(journal: Journal) -> None:
    taken = FailuresTaken("crm", "kafka:events", 0, [1, 3])
    journal.write([failure(1), failure(2), taken, failure(3), FailuresTaken("ads", "kafka:events", 0, [2])])
    assert offsets(journal) == [2, 3]
    journal.write([FailuresTaken("crm", "kafka:events", 1, [2]), taken])
    assert offsets(journal) == [2]


QUESTIONS = [
    ({"status": "404"}, [1]),
    ({"status": "4xx"}, [1, 2]),
    ({"status": "5XX"}, [3]),
    ({"status": "none"}, [4]),
    ({"text": "ANSWERED 4"}, [1, 2]),
    ({"text": "%"}, []),
    ({"status": "4xx", "text": "410"}, [2]),
    ({"limit": 2}, [3, 4]),
    ({"after_id": 1, "limit": 2}, [2, 3]),
]


@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_questions(journal: Journal, question: dict[str, object], answer: list[int]) -> None:
    journal.write([failure(1), failure(2, 410), failure(3, 503), failure(4, None, reason="timed out")])
    assert offsets(journal, **question) == answer
    of_all = {name: value for name, value in question.items() if name in ("status", "text")}
    if of_all == question:
        assert journal.count_failures("crm", **of_all) == len(answer)  # type: ignore[arg-type]
        positions = journal.failed_positions("crm", **of_all)  # type: ignore[arg-type]
        assert positions == ({("kafka:events", 0, ""): answer} if answer else {})


def test_a_status_that_is_none_is_told(journal: Journal) -> None:
    with pytest.raises(ValueError, match="expected a status such as 404, a class such as 4xx, or none, got '40'"):
        journal.failures("crm", status="40")


def test_half_a_surrogate_pair_does_not_stop_the_ledger(journal: Journal) -> None:
    assert journal.write([failure(1, event_name="\ud800", reason="\udfff")]) == ""
    [stored] = journal.failures("crm")
    assert (stored.failure.event_name, stored.failure.reason) == ("\ufffd", "\ufffd")


def test_the_ledger_outlives_the_log_and_goes_by_its_own_age(path: Path, clock: Clock) -> None:
    journal = Journal(path, clock=clock, keep=Keep(days=1, ledger_days=3))
    journal.write([failure(1), failure(2, at=NOW + 86_400), LogLine("crm", NOW, "error", "answered 404")])
    clock.now += 2 * 86_400
    journal.write([])
    assert (offsets(journal), journal.logs("crm")) == ([1, 2], [])
    clock.now += 1.5 * 86_400
    journal.write([])
    assert offsets(journal) == [2]
    journal.close()


@pytest.mark.parametrize("keep", [Keep(failures=500), Keep(failure_bytes=500_000)])
def test_the_ledger_stays_within_its_size_and_keeps_the_newest(path: Path, clock: Clock, keep: Keep) -> None:
    journal = Journal(path, clock=clock, keep=keep)
    for batch in range(5):
        journal.write([failure(batch * 1_000 + n, at=clock.now + n, body=bytes(1_000)) for n in range(1_000)])
        for _ in range(10):
            clock.now += 6
            journal.write([])
    kept = offsets(journal, limit=10_000)
    assert 0 < len(kept) <= 500
    assert kept[-1] == 4_999
    journal.close()


def test_what_cannot_be_written_waits_in_bounds(path: Path, clock: Clock) -> None:
    journal = Journal(path, clock=clock, buffer=JournalBuffer(max_bytes=3_000))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    told = journal.write([failure(n, body=bytes(800)) for n in range(5)])
    assert told.endswith("2 records wait in memory, 3 were given up")
    holder.close()
    clock.now += 60
    assert journal.write([]) == ""
    assert offsets(journal) == [3, 4]
    journal.close()


def test_the_writer_passes_the_ledger_on_and_tells_changes_of_health(journal: Journal) -> None:
    told: list[HealthChange] = []
    change = HealthChange("healthy", "quarantined", 1.0, "20 errors in a row", destination="crm")
    writer = JournalWriter(journal, notify=told.append)
    writer.put([failure(1), failure(2), change, FailuresTaken("crm", "kafka:events", 0, [1])])
    writer.start()
    writer.close()
    assert offsets(journal) == [2]
    assert told == [change]


def test_what_is_owed_grows_older_though_nobody_speaks_of_it(journal: Journal) -> None:
    owing, clear = Status("crm", "CRM", "disabled", NOW, owed=1, lag_s=10.0), Status("ads", "Ads", "live", NOW)
    writer = JournalWriter(journal, [owing, clear])
    writer.start()
    writer.close()
    ads, crm = journal.statuses()
    assert crm.lag_s - 10.0 == pytest.approx(crm.at - NOW)
    assert msgspec.structs.replace(ads, at=NOW) == clear


def old_file(path: Path) -> None:
    """A journal as the version before made it."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.executescript(journal_schema._VERSION_1)
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO logs VALUES (7, 1700000000.0, 'crm', '', 'info', 'from before', x'')")
    connection.close()


def test_a_journal_of_version_1_is_brought_up_to_date_by_the_job(path: Path, clock: Clock) -> None:
    old_file(path)
    with Journal(path, clock=clock) as journal:
        assert [stored.line.message for stored in journal.logs("crm")] == ["from before"]
        assert journal.write([failure(1), LogLine("crm", NOW, "info", "new")]) == ""
        assert offsets(journal) == [1]
        assert [stored.id for stored in journal.logs("crm")] == [7, 8]
    with JournalReader(path) as reader:
        assert offsets(reader) == [1]


def test_who_only_reads_says_what_brings_an_old_journal_up_to_date(path: Path) -> None:
    old_file(path)
    with pytest.raises(JournalError) as raised:
        JournalReader(path)
    assert str(raised.value) == (
        f"journal {path}: made by an older Offramp (schema 1, this one needs 4); start the job with this version once, "
        "it brings the journal up to date"
    )

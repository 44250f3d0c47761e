import contextlib
import random
import resource
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.journal import Journal, JournalError, JournalReader, Keep
from connectors.journal_buffer import JournalBuffer
from records import DeadLetter, LogLine, Metric, Status

MINUTE = 1_700_000_000 // 60 * 60
ROOT = Path(__file__).parent.parent.parent


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(path, clock):
    with Journal(path, clock=clock) as opened:
        yield opened


def line(message: str, *, of: str = "crm", level: str = "info", at: float = 1_700_000_000.0, body: bytes = b""):
    return LogLine(of, at, level, message, "msg_1", body)


def letter(offset: int, value: bytes = b"{", stream: str = "kafka:events") -> DeadLetter:
    return DeadLetter(stream, 0, offset, "expected an object, got the end", value)


def messages(journal: JournalReader, **question) -> list[str]:
    return [stored.line.message for stored in journal.logs("crm", **question)]


def test_what_is_written_can_be_read(journal):
    failed = line("answered 500", level="error", body=b"\x00\xff")
    status = Status("crm", "CRM", "live", 1.0, matched=3, delivered=2, owed=1, p99_ms=12.5, last_error="answered 500")
    assert journal.write([failed, Metric("crm", MINUTE, "success", "succeeded", 2), status, letter(7)]) == ""
    assert [stored.line for stored in journal.logs("crm")] == [failed]
    assert journal.metrics("crm") == [Metric("crm", MINUTE, "success", "succeeded", 2)]
    assert journal.statuses() == [status]
    (found,) = journal.dead_letters()
    assert (found.stream, found.partition, found.offset, found.value, found.size) == ("kafka:events", 0, 7, b"{", 1)
    assert found.reason == "expected an object, got the end"
    assert found.at == 1_700_000_000.0


def test_logs_by_destination_level_and_text(journal):
    journal.write(
        [
            line("Sent"),
            line("slow", level="warn"),
            line("answered 500", level="error"),
            line("elsewhere", of="other"),
        ]
    )
    assert messages(journal) == ["Sent", "slow", "answered 500"]
    assert messages(journal, level="warn") == ["slow", "answered 500"]
    assert messages(journal, text="SENT") == ["Sent"]
    assert messages(journal, text="%") == []
    assert messages(journal, limit=2) == ["slow", "answered 500"]


def test_following_the_log_skips_and_repeats_nothing(journal):
    journal.write([line(str(number)) for number in range(10)])
    last, found = 0, []
    while page := journal.logs("crm", after_id=last, limit=3):
        found += [stored.line.message for stored in page]
        last = page[-1].id
    assert found == [str(number) for number in range(10)]
    journal.write([line("new")])
    assert messages(journal, after_id=last) == ["new"]


def test_metrics_of_a_minute_are_added_up(journal):
    for count in (1, 2, 3):
        journal.write(
            [Metric("crm", MINUTE + 60, "failure", "failed", count), Metric("crm", MINUTE, "success", "succeeded", 1)]
        )
    assert journal.metrics("crm", since=MINUTE + 61) == [Metric("crm", MINUTE + 60, "failure", "failed", 6)]
    assert [one.count for one in journal.metrics("crm")] == [3, 6]


def test_the_latest_status_counts_and_can_be_forgotten(journal):
    journal.write([Status("b", "B", "live", 1.0), Status("a", "A", "live", 1.0), Status("a", "A", "behind", 2.0)])
    assert [(one.id, one.state) for one in journal.statuses()] == [("a", "behind"), ("b", "live")]
    assert journal.forget_status("a") == ""
    assert [one.id for one in journal.statuses()] == ["b"]
    journal.write([Status("a", "A", "live", 3.0)])
    assert [one.id for one in journal.statuses()] == ["a", "b"]


def test_a_dead_letter_that_is_read_again_is_not_doubled(journal):
    journal.write([letter(1), letter(1)])
    journal.write([letter(1), letter(2)])
    assert [one.offset for one in journal.dead_letters()] == [2, 1]
    assert journal.count_dead_letters() == 2


def test_a_huge_dead_letter_is_cut_and_its_size_kept(journal):
    journal.write([letter(1, b"[" * (3 << 20))])
    (found,) = journal.dead_letters()
    assert (found.value, found.size) == (b"[" * (1 << 20), 3 << 20)


def test_half_a_surrogate_pair_does_not_stop_the_journal(journal):
    status = Status("crm", "n\ud800", "live", 1.0, last_error="\udfff")
    assert journal.write([line("a\ud800b"), status, Metric("crm", MINUTE, "other", "\ud800", 1)]) == ""
    assert messages(journal) == ["a\ufffdb"]
    assert journal.statuses()[0].name == "n\ufffd"


def test_a_locked_file_loses_nothing_and_raises_nothing(journal, path, clock):
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    metric = Metric("crm", MINUTE, "success", "succeeded", 1)
    told = journal.write([line("first"), metric])
    assert told == f"journal {path}: database is locked; 2 records wait in memory, 0 were given up"
    assert journal.write([line("second"), metric]).endswith("3 records wait in memory, 0 were given up")
    assert messages(journal) == []
    holder.execute("ROLLBACK")
    holder.close()
    clock.now += 60
    assert journal.write([line("third"), metric]) == ""
    assert messages(journal) == ["first", "second", "third"]
    assert journal.metrics("crm")[0].count == 3


def test_what_waits_is_written_at_the_end(path, clock):
    journal = Journal(path, clock=clock)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert journal.write([line("late")])
    holder.close()
    journal.close()
    journal.close()
    with JournalReader(path) as reader:
        assert messages(reader) == ["late"]
    assert journal.write([line("too late")]).startswith(f"journal {path}: it is closed; 1 records wait")


FULL_DISK = """
import resource, sys
from pathlib import Path
from connectors.journal import Journal
from records import LogLine
clock = [0.0]
journal = Journal(Path(sys.argv[1]), clock=lambda: clock[0])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
told = journal.write([LogLine("crm", 1.0, "info", "x" * 9_000) for _ in range(100)])
assert "100 records wait in memory, 0 were given up" in told, told
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
clock[0] = 60.0
told = journal.write([LogLine("crm", 1.0, "info", "last")])
assert told == "", told
assert len(journal.logs("crm", limit=1000)) == 101
"""


def test_a_full_disk_is_told_and_got_over(path):
    """The limit on a file's size stands in for the disk's."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run([sys.executable, "-c", FULL_DISK, path], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_cannot_wait_is_given_up_oldest_logs_first(path, clock):
    journal = Journal(path, clock=clock, buffer=JournalBuffer(max_logs=2))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    told = journal.write(
        [*(line(str(number)) for number in range(5)), Metric("crm", MINUTE, "success", "succeeded", 5)]
    )
    assert told.endswith("3 records wait in memory, 3 were given up")
    holder.close()
    clock.now += 60
    journal.write([])
    assert messages(journal) == ["3", "4"]
    assert journal.metrics("crm")[0].count == 5
    assert journal.dropped == 3
    journal.close()


WRITER = """
import sys, time
from pathlib import Path
from connectors.journal import Journal
from records import LogLine, Metric, Status
name, minute = sys.argv[2], int(sys.argv[3])
with Journal(Path(sys.argv[1])) as journal:
    for number in range(100):
        journal.write([
            LogLine("crm", time.time(), "info", f"{name}-{number}"),
            Metric("crm", minute, "success", "succeeded", 1),
            Status(name, name, "live", float(number), matched=number, delivered=number),
        ])
"""


def test_two_processes_write_while_a_third_reads(path):
    """Both make the file at the same moment; the reader sees whole transactions only."""
    minute = int(time.time()) // 60 * 60
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, path, name, str(minute)], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        for name in ("one", "two")
    ]
    while any(writer.poll() is None for writer in writers):
        if not path.exists():
            continue
        with contextlib.suppress(JournalError), JournalReader(path) as reader:
            metrics, lines = reader.metrics("crm"), reader.logs("crm", limit=1000)
            assert sum(one.count for one in metrics) <= len(lines)
    assert [(writer.wait(), writer.communicate()[1]) for writer in writers] == [(0, ""), (0, "")]
    with JournalReader(path) as reader:
        expected = {f"{name}-{number}" for name in ("one", "two") for number in range(100)}
        assert {stored.line.message for stored in reader.logs("crm", limit=1000)} == expected
        assert reader.metrics("crm") == [Metric("crm", minute, "success", "succeeded", 200)]
        assert [(one.id, one.matched) for one in reader.statuses()] == [("one", 99), ("two", 99)]


def test_threads_share_one_journal(journal):
    def work(name: str) -> None:
        for number in range(50):
            assert journal.write([line(f"{name}{number}"), Metric("crm", MINUTE, "success", "succeeded", 1)]) == ""
            journal.logs("crm", limit=1)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.metrics("crm")[0].count == 200
    assert len(journal.logs("crm", limit=1000)) == 200


def test_old_history_goes(path, clock):
    journal = Journal(path, clock=clock, keep=Keep(days=1))
    long_ago = clock.now - 2 * 86_400
    journal.write([line("old", at=long_ago), line("new", at=clock.now), letter(1)])
    journal.write([Metric("crm", int(long_ago), "other", "x", 1), Metric("crm", int(clock.now), "other", "x", 1)])
    clock.now += 6
    journal.write([])
    assert messages(journal) == ["new"]
    assert len(journal.metrics("crm")) == 1
    clock.now += 2 * 86_400
    journal.write([])
    assert (messages(journal), journal.metrics("crm"), journal.dead_letters()) == ([], [], [])
    journal.close()


def test_the_file_stays_within_its_size_and_keeps_the_newest(path, clock):
    journal = Journal(path, clock=clock, keep=Keep(file_bytes=2 << 20))
    for batch in range(10):
        journal.write([line(f"{batch}-{number}", body=random.randbytes(500)) for number in range(2_000)])
    kept = messages(journal, limit=100_000)
    assert 0 < len(kept) < 8_000
    assert kept[-1] == "9-1999"
    journal.close()
    assert path.stat().st_size < 4 << 20


def test_dead_letters_stay_within_their_number(path, clock):
    journal = Journal(path, clock=clock, keep=Keep(dead_letters=100))
    for batch in range(3):
        journal.write([letter(batch * 1_000 + number) for number in range(1_000)])
        clock.now += 1
    kept = journal.dead_letters(limit=10_000)
    assert len(kept) == 100
    assert kept[0].offset >= 2_000
    journal.close()


def test_a_newer_file_is_refused(path):
    Journal(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9")
    for kind in (Journal, JournalReader):
        with pytest.raises(JournalError) as raised:
            kind(path)
        assert str(raised.value) == (
            f"journal {path}: made by a newer Offramp (schema 9, this one knows 4); "
            "upgrade Offramp, or name another --state"
        )


def test_what_is_no_journal_is_refused(path, tmp_path):
    path.write_bytes(b"this is no database, only some text" * 100)
    with pytest.raises(JournalError) as raised:
        Journal(path)
    assert str(raised.value) == (
        f"journal {path}: file is not a database; if it is damaged, move it away: the next run makes a new one"
    )
    with pytest.raises(JournalError) as raised:
        Journal(tmp_path / "gone" / "journal.sqlite")
    assert str(raised.value) == (
        f"journal {tmp_path}/gone/journal.sqlite: unable to open database file; "
        "see that the directory exists and can be written to"
    )
    with pytest.raises(JournalError, match="unable to open database file"):
        JournalReader(tmp_path / "gone.sqlite")


def test_a_file_without_tables_yet_is_told(path):
    path.touch()
    with pytest.raises(JournalError) as raised:
        JournalReader(path)
    assert str(raised.value) == f"journal {path}: is empty; the job that makes it has not got that far"


def test_a_path_with_odd_characters(tmp_path):
    odd = tmp_path / "a b?c#d%20é"
    odd.mkdir()
    with Journal(odd / "journal.sqlite") as journal:
        journal.write([line("x")])
    assert (odd / "journal.sqlite").exists()


@given(st.lists(st.sampled_from(["log", "metric", "letter"]), max_size=60), st.integers(0, 10), st.integers(0, 3_000))
def test_what_waits_is_bounded_and_every_record_accounted_for(kinds, max_logs, max_bytes):
    buffer = JournalBuffer(max_logs=max_logs, max_metrics=5, max_bytes=max_bytes)
    for number, kind in enumerate(kinds):
        record = {
            "log": line("x" * 10),
            "metric": Metric("crm", number, "other", "x", 1),
            "letter": letter(number, b"x" * 50),
        }[kind]
        buffer.add([record])
        buffer.shrink()
        assert len(buffer.logs) <= max_logs
        assert len(buffer.metrics) <= 5
        assert 200 * (len(buffer.logs) + len(buffer.dead_letters)) <= max_bytes
    assert len(buffer) + buffer.dropped == len(kinds)

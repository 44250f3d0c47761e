"""Journal records on their way from the flow to the journal, and what of them the process log tells."""

import logging
import threading
import time
from collections.abc import Callable, Iterable

import msgspec
import pytest
from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSource, run_main

from connectors.journal_sink import (
    ANNOUNCE_EVERY_S,
    MAX_QUEUED_BYTES,
    Announcer,
    JournalSink,
    JournalWriter,
    Record,
)
from records import DeadLetter, Failure, LogLine, Metric, Status

LIVE = Status("crm", "CRM", "live", 5.0, matched=3, delivered=2, owed=1)


class Store:
    """Remembers each call."""

    def __init__(self) -> None:
        self.writes: list[list[Record]] = []
        self.complaints: list[str] = []
        self.statuses: dict[str, Status] = {}
        self.written = threading.Event()

    def write(self, records: Iterable[Record]) -> str:
        self.writes.append(list(records))
        self.statuses |= {record.id: record for record in self.writes[-1] if isinstance(record, Status)}
        self.written.set()
        return self.complaints.pop(0) if self.complaints else ""

    def forget_status(self, destination: str) -> str:
        self.statuses.pop(destination, None)
        return ""

    @property
    def records(self) -> list[Record]:
        return [record for write in self.writes for record in write]


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def written(store: Store) -> Callable[..., JournalWriter]:
    """A writer that has been given all this and has ended."""

    def write(*given: Record, shown: Iterable[Status] = (), **more: object) -> JournalWriter:
        writer = JournalWriter(store, **more)  # type: ignore[arg-type]
        writer.put(given)
        for status in shown:
            writer.show(status)
        writer.start()
        writer.close()
        return writer

    return write


def line(message: str = "answered 500", level: str = "error", of: str = "crm") -> LogLine:
    return LogLine(of, 1.0, level, message)


def test_what_comes_together_is_written_together(store: Store) -> None:
    writer = JournalWriter(store)
    for number in range(100):
        writer.put([line(str(number), level="info")])
    writer.start()
    writer.close()
    (batch,) = store.writes
    assert [record.message for record in batch if isinstance(record, LogLine)] == [str(n) for n in range(100)]


def test_it_writes_without_being_closed(store: Store) -> None:
    writer = JournalWriter(store)
    writer.start()
    writer.put([LIVE])
    assert store.written.wait(10)
    writer.close()


def test_nothing_is_written_when_there_is_nothing(store: Store, written: Callable[..., JournalWriter]) -> None:
    written()
    assert store.writes == []


def test_failures_and_dead_letters_are_counted_for_the_summary(written: Callable[..., JournalWriter]) -> None:
    letter = DeadLetter("kafka:t", 0, 1, "not JSON", b"{")
    counts = [("failure", "failed", 2), ("success", "succeeded", 5), ("other", "retried", 3), ("failure", "failed", 1)]
    writer = written(letter, *(Metric("crm", 0, kind, name, count) for kind, name, count in counts))
    assert (writer.failed, writer.dead_letters) == (3, 1)


def test_the_status_of_an_idle_destination_stays_fresh(store: Store, written: Callable[..., JournalWriter]) -> None:
    started = time.time()
    written(statuses=[LIVE])
    fresh = store.statuses["crm"]
    assert fresh.at >= started
    assert msgspec.structs.replace(fresh, at=LIVE.at) == LIVE


def test_what_is_shown_keeps_the_counts_that_are_known(store: Store, written: Callable[..., JournalWriter]) -> None:
    shown = Status("crm", "New name", "disabled", 9.0)
    written(shown=[shown], statuses=[LIVE])
    assert store.records[0] == msgspec.structs.replace(LIVE, name="New name", state="disabled", at=9.0)


def test_counts_that_are_still_on_their_way_are_known_too(store: Store, written: Callable[..., JournalWriter]) -> None:
    written(LIVE, shown=[Status("crm", "CRM", "disabled", 9.0)])
    assert (store.statuses["crm"].state, store.statuses["crm"].matched) == ("disabled", 3)


def test_what_is_shown_of_a_new_destination_is_taken_as_it_is(
    store: Store, written: Callable[..., JournalWriter]
) -> None:
    invalid = Status("new", "new", "invalid", 9.0, problem="new.yaml (1,1): unknown key")
    written(shown=[invalid])
    assert store.records[0] == invalid


def test_a_destination_whose_file_is_wrong_now_is_invalid_whatever_its_operator_says(
    store: Store, written: Callable[..., JournalWriter]
) -> None:
    problems = {"crm": "crm.yaml (1,1): unknown key 'nam'"}
    other = Status("ads", "ads", "live", 5.0)
    written(LIVE, other, problem=lambda id: problems.get(id, ""))
    assert store.records[:2] == [msgspec.structs.replace(LIVE, state="invalid", problem=problems["crm"]), other]


def test_of_one_that_does_not_run_the_counts_are_taken_and_the_rest_stays(store: Store) -> None:
    writer = JournalWriter(store, [msgspec.structs.replace(LIVE, state="disabled")])
    writer.put([Status("crm", "", "live", 9.0, matched=3, delivered=3)])
    writer.start()
    writer.close()
    assert store.records[0] == Status("crm", "CRM", "disabled", 9.0, matched=3, delivered=3)


GONE = Status("crm", "crm", "removed", 9.0)


def test_a_removed_destination_has_no_status_any_more(store: Store, written: Callable[..., JournalWriter]) -> None:
    writer = written(LIVE, Status("ads", "ads", "live", 5.0), shown=[GONE], statuses=[LIVE])
    assert list(store.statuses) == list(writer.statuses) == ["ads"]


def test_a_status_that_was_on_its_way_does_not_bring_a_removed_destination_back(store: Store) -> None:
    writer = JournalWriter(store, [LIVE])
    writer.show(GONE)
    writer.put([LIVE, line("the last of it", level="info")])
    writer.start()
    writer.close()
    assert store.statuses == {}
    assert [record for record in store.records if isinstance(record, LogLine)] != []


def test_a_destination_that_is_added_again_begins_anew(store: Store) -> None:
    writer = JournalWriter(store, [LIVE])
    writer.show(GONE)
    writer.show(Status("crm", "CRM", "live", 10.0))
    writer.put([Status("crm", "CRM", "live", 11.0, matched=1, owed=1)])
    writer.start()
    writer.close()
    assert [record.matched for record in store.records if isinstance(record, Status)][:2] == [0, 1]
    assert store.statuses["crm"].matched == 1


def test_a_journal_that_cannot_be_written_is_said_once_and_its_return_too(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "offramp.journal")
    store.complaints = ["journal j: disk full; 1 records wait in memory, 0 were given up"] * 2
    writer = JournalWriter(store)
    writer.start()
    for _ in range(3):
        store.written.clear()
        writer.put([line(level="info")])
        assert store.written.wait(10)
    writer.close()
    assert [record.getMessage() for record in caplog.records] == [
        "journal j: disk full; 1 records wait in memory, 0 were given up",
        "the journal is written again",
    ]


def test_in_a_flow_every_worker_writes_to_the_one_writer(store: Store) -> None:
    writer = JournalWriter(store)
    writer.start()
    records: list[Record] = [LIVE, line(level="info")]
    flow = Dataflow("flow")
    op.output("journal", op.input("in", flow, TestingSource(records)), JournalSink(writer))
    run_main(flow)
    writer.close()
    assert store.records[:2] == records


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told(clock: Clock, caplog: pytest.LogCaptureFixture) -> Callable[..., list[tuple[str, str]]]:
    """Announce records; answers what was logged because of them."""
    caplog.set_level(logging.DEBUG, "offramp")
    announcer = Announcer(clock)

    def announce(*records: Record) -> list[tuple[str, str]]:
        caplog.clear()
        for record in records:
            announcer.announce(record)
        return [(record.levelname, record.getMessage()) for record in caplog.records]

    return announce


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (line("answered 404"), [("ERROR", "destination 'crm': answered 404")]),
        (line("answered 503", "warn"), [("WARNING", "destination 'crm': answered 503")]),
        (line("started", "info"), []),
        (Metric("crm", 0, "failure", "failed", 1), []),
        (LIVE, []),
        (
            DeadLetter("kafka:t", 2, 7, "JSON is malformed", b"{"),
            [("WARNING", "kafka:t/2:7: not an event, kept as a dead letter: JSON is malformed")],
        ),
    ],
)
def test_what_the_process_log_tells(
    told: Callable[..., list[tuple[str, str]]], record: Record, expected: list[tuple[str, str]]
) -> None:
    assert told(record) == expected


def test_many_of_one_destination_are_one_line_with_a_count(
    told: Callable[..., list[tuple[str, str]]], clock: Clock
) -> None:
    assert len(told(*[line()] * 50)) == 1
    clock.now += ANNOUNCE_EVERY_S - 0.1
    assert told(line()) == []
    clock.now += 0.1
    assert told(line("still")) == [("ERROR", "destination 'crm': still (and 50 more like it since the last line)")]
    clock.now += ANNOUNCE_EVERY_S
    assert told(line("again")) == [("ERROR", "destination 'crm': again")]


def test_one_destination_does_not_silence_another_nor_the_dead_letters(
    told: Callable[..., list[tuple[str, str]]],
) -> None:
    assert len(told(line(), line(of="ads"), DeadLetter("-", 0, 1, "empty", b""), line())) == 3


def test_a_percent_sign_in_a_message_is_only_text(told: Callable[..., list[tuple[str, str]]]) -> None:
    assert told(line("100% %s %d")) == [("ERROR", "destination 'crm': 100% %s %d")]


def test_what_comes_faster_than_the_disk_takes_it_loses_bodies_then_lines_and_says_so(
    written: Callable[..., JournalWriter], store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    page = bytes(MAX_QUEUED_BYTES // 4)
    lines = [LogLine("crm", float(number), "info", "m" * 10_000, body=page) for number in range(9_000)]
    written(*lines, LIVE)
    kept = [record for record in store.records if isinstance(record, LogLine)]
    assert sum(len(line.message) + len(line.body) for line in kept) < 3 * MAX_QUEUED_BYTES
    assert kept[0] == lines[0]
    assert kept[-1].body == b""
    assert LIVE in store.records, "counts and states are never left out"
    assert "the journal cannot keep up: " in caplog.text


def test_a_failure_is_listed_once_it_is_written_and_not_while_it_cannot_be(store: Store) -> None:
    store.complaints = ["the disk is full"]
    writer = JournalWriter(store)
    writer.start()
    assert writer.listed("crm") == 0.0
    writer.put([Failure("crm", "msg_1", 7.0, "kafka:t", 0, 1, "u1", "e", 4, "answered 404", 404)])
    give_up_at = time.monotonic() + 20
    while writer.listed("crm") != 7.0 and time.monotonic() < give_up_at:
        assert store.written.wait(10)
        # Each further write is a new chance.
        writer.put([Metric("crm", 0, "success", "succeeded", 1)])
        time.sleep(0.01)
    writer.close()
    assert writer.listed("crm") == 7.0
    assert writer.listed("other") == 0.0
    assert len(store.writes) > 2

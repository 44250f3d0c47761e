"""Warnings before the log forgets what is owed."""

import threading
from pathlib import Path

import pytest

from connectors.commands import Commands
from connectors.desk import Desk
from connectors.journal import Journal
from connectors.kafka import KafkaLog
from connectors.retention_watch import RetentionWatch
from records import LogLine, Status
from tests.connectors.logs import MemoryLog
from tests.kafka_broker import KafkaBroker

NOW = 1_790_000_000.0
DAY = 86_400.0


class Watched:
    def __init__(self, *logs: MemoryLog) -> None:
        self.now = NOW
        self.statuses: dict[str, Status] = {}
        self.lines: list[LogLine] = []
        self.logs = logs or (log("kafka:events", 7 * DAY),)
        self.watch = RetentionWatch(self.logs, lambda: self.statuses, self.lines.extend, lambda: self.now)

    def owes(self, age_s: float, owed: int = 12, id: str = "crm") -> None:
        oldest = {self.logs[0].stream: self.now - age_s} if owed else {}
        self.statuses[id] = Status(id, id, "disabled", self.now, matched=owed, owed=owed, oldest=oldest, backlog=owed)

    def check(self) -> list[str]:
        self.lines.clear()
        self.watch.check()
        return [line.message for line in self.lines]


def log(stream: str, kept_s: float | None) -> MemoryLog:
    made = MemoryLog(stream, {})
    made.kept_s = kept_s
    return made


def test_what_how_old_and_until_when() -> None:
    watched = Watched()
    watched.owes(6 * DAY)
    assert watched.check() == [
        "12 events are owed, the oldest of kafka:events for 6.0 d (disabled); that log keeps messages for 7.0 d: "
        "what is not sent by 2026-09-22 14:13 UTC may be lost; see that it is sent, or let the topic keep messages for "
        "longer"
    ]
    [line] = watched.lines
    assert (line.log_source_id, line.level, line.timestamp) == ("crm", "warn", NOW)


@pytest.mark.parametrize(("age_d", "warned"), [(1.0, False), (5.59, False), (5.61, True), (8.0, True)])
def test_from_four_fifths_of_the_retention_on(age_d: float, warned: bool) -> None:
    watched = Watched()
    watched.owes(age_d * DAY, owed=1)
    told = watched.check()
    assert bool(told) == warned
    if age_d > 7:
        assert "what is that old may be deleted at any moment" in told[0]


def test_once_an_hour_for_each_destination() -> None:
    watched = Watched()
    watched.owes(6 * DAY)
    watched.owes(6 * DAY, id="ads")
    assert len(watched.check()) == 2
    watched.now += 3_599
    assert watched.check() == []
    watched.now += 1
    assert len(watched.check()) == 2


def test_nobody_is_asked_while_nothing_is_owed() -> None:
    class Asked(MemoryLog):
        questions = 0

        def retention_s(self) -> float | None:
            self.questions += 1
            return 100.0

    asked = Asked("kafka:events", {})
    watched = Watched(asked)
    watched.owes(0.0, owed=0)
    assert (watched.check(), asked.questions) == ([], 0)
    watched.owes(90.0)
    watched.check()
    watched.now += 60
    watched.check()
    assert asked.questions == 1
    watched.now += 600
    watched.check()
    assert asked.questions == 2


def test_of_several_inputs_the_one_that_is_about_to_forget() -> None:
    watched = Watched(log("kafka:long", 30 * DAY), log("kafka:short", DAY), log("file:/x", None))
    watched.owes(2 * DAY)
    assert watched.check() == [], "two days are nothing to the log that they are owed of"
    (status,) = watched.statuses.values()
    status.oldest.update({"kafka:short": NOW - 0.9 * DAY, "file:/x": 0.0, "kafka:gone": 0.0})
    (line,) = watched.check()
    assert "the oldest of kafka:short for 21.6 h (disabled); that log keeps messages for 24.0 h" in line


def test_a_log_that_forgets_nothing_is_no_reason() -> None:
    watched = Watched(log("kafka:events", None))
    watched.owes(1000 * DAY)
    assert watched.check() == []


def test_on_a_real_topic_by_the_desk_s_thread(kafka: KafkaBroker, tmp_path: Path) -> None:
    topic = kafka.create_topic(retention_ms="100000")
    Journal(tmp_path / "journal.sqlite").close()
    told = threading.Event()
    lines: list[LogLine] = []

    def tell(some: list[LogLine]) -> None:
        lines.extend(some)
        told.set()

    owing = Status("crm", "CRM", "live", NOW, matched=1, owed=1, oldest={f"kafka:{topic}": NOW - 95})
    logs = {f"kafka:{topic}": KafkaLog(kafka.servers, topic)}
    watch = RetentionWatch(logs.values(), lambda: {"crm": owing}, tell, lambda: NOW)
    desk = Desk(Commands(tmp_path / "journal.sqlite"), logs, lambda _: "", watch=watch.check)
    desk.start()
    assert told.wait(30)
    desk.close()
    assert lines[0].message.startswith(
        f"1 event is owed, the oldest of kafka:{topic} for 95 s (live); that log keeps messages"
    )

import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, run_main

from connectors.events_source import BATCH, LEAVE_AFTER_S, EventsPartition, EventsSource, Read
from connectors.jsonl import FileLog
from connectors.lane import Pace
from connectors.log import END, Log, LogError
from connectors.parts import Parts
from records import EndOfInput, Message
from tests.connectors.logs import MemoryLog, OpenGate


@pytest.fixture
def gate() -> OpenGate:
    return OpenGate()


def build(source: EventsSource, part: str, resume_state: int | None = None) -> EventsPartition:
    built = source.build_part("events", part, resume_state)
    assert isinstance(built, EventsPartition)
    return built


def offsets(batch: list[Read]) -> list[int]:
    return [item.offset for item in batch if isinstance(item, Message)]


def test_batches_are_bounded_and_the_snapshot_is_the_next_position(gate: OpenGate) -> None:
    log = MemoryLog("kafka:t", dict.fromkeys(range(BATCH + 5), b"{}"))
    part = build(EventsSource([log], gate), "kafka:t/0")
    assert part.snapshot() == 0
    assert len(part.next_batch()) == BATCH
    assert part.snapshot() == BATCH
    assert offsets(part.next_batch()) == list(range(BATCH, BATCH + 5))
    assert part.next_batch() == []
    log.append(b"{}")
    assert offsets(part.next_batch()) == [BATCH + 5]


def test_a_snapshot_is_where_reading_goes_on(gate: OpenGate) -> None:
    source = EventsSource([MemoryLog("kafka:t", dict.fromkeys(range(10), b"{}"))], gate)
    assert offsets(build(source, "kafka:t/0", 7).next_batch()) == [7, 8, 9]


def test_latest_passes_over_what_is_there(gate: OpenGate) -> None:
    log = MemoryLog("kafka:t", {0: b"{}"})
    part = build(EventsSource([log], gate, "latest"), "kafka:t/0")
    assert part.next_batch() == []
    log.append(b"{}")
    assert offsets(part.next_batch()) == [1]


def test_nothing_is_read_before_the_gate_opens(gate: OpenGate) -> None:
    part = build(EventsSource([MemoryLog("kafka:t", {0: b"{}"})], gate), "kafka:t/0")
    gate.reading = False
    assert part.next_batch() == []
    gate.reading = True
    assert offsets(part.next_batch()) == [0]


def test_the_end_is_marked_once_and_reached_when_all_is_settled(gate: OpenGate) -> None:
    part = build(EventsSource([MemoryLog("kafka:t", {0: b"{}"})], gate, until_end=True), "kafka:t/0")
    assert offsets(part.next_batch()) == [0]
    assert part.next_batch() == [EndOfInput("kafka:t/0")]
    assert part.next_batch() == []
    gate.settled = True
    with pytest.raises(StopIteration):
        part.next_batch()


def test_settled_before_the_end_is_not_the_end(gate: OpenGate) -> None:
    part = build(EventsSource([MemoryLog("kafka:t", {0: b"{}"})], gate, until_end=True), "kafka:t/0")
    gate.settled = True
    assert offsets(part.next_batch()) == [0]


def test_stopping_ends_at_once(gate: OpenGate) -> None:
    part = build(EventsSource([MemoryLog("kafka:t", {0: b"{}"})], gate), "kafka:t/0")
    gate.ending = True
    with pytest.raises(StopIteration):
        part.next_batch()
    assert part.snapshot() == 0


def test_an_unexpected_failure_is_told_once_and_reading_goes_on(
    gate: OpenGate, caplog: pytest.LogCaptureFixture
) -> None:
    now = [100.0]
    log = MemoryLog("kafka:t", {0: b"{}", 1: b"{}"})
    part = EventsPartition("kafka:t/0", log, 0, 1, gate, False, clock=lambda: now[0])
    log.failures = [OSError("disk on fire"), OSError("disk on fire")]
    assert part.next_batch() == []
    assert log.readers[0].closed
    assert part.next_batch() == []
    assert len(log.failures) == 1, "no second try within the pause"
    now[0] += 1.1
    assert part.next_batch() == []
    now[0] += 1.1
    assert offsets(part.next_batch()) == [1]
    text = "kafka:t/0: cannot be read at 1: OSError: disk on fire; trying again every second"
    assert caplog.messages == [text]


def test_counts_what_it_has_read(gate: OpenGate) -> None:
    source = EventsSource([MemoryLog("kafka:a", {0: b"{}"}), MemoryLog("kafka:b", {0: b"{}", 1: b"{}"})], gate)
    assert source.present == ["kafka:a/0", "kafka:b/0"]
    for part in source.list_parts():
        build(source, part).next_batch()
    assert source.messages_read() == 3


def test_a_log_that_is_not_there_is_told_at_the_start(gate: OpenGate, tmp_path: Path) -> None:
    with pytest.raises(LogError, match="No such file or directory"):
        EventsSource([FileLog(tmp_path / "nothing.jsonl")], gate)


def test_a_partition_begun_at_the_end_is_begun_there_again_after_a_crash(gate: OpenGate, tmp_path: Path) -> None:
    log = MemoryLog("kafka:t", {0: b"{}"})
    memory = tmp_path / "parts.json"
    EventsSource([log], gate, "latest", memory=memory)
    log.append(b"{}")
    again = EventsSource([log], gate, "latest", memory=memory)
    assert offsets(build(again, "kafka:t/0").next_batch()) == [1]


def test_a_memory_that_cannot_be_read_is_told(gate: OpenGate, tmp_path: Path) -> None:
    memory = tmp_path / "parts.json"
    memory.write_text("{")
    with pytest.raises(LogError) as told:
        EventsSource([MemoryLog("kafka:t", {})], gate, memory=memory)
    assert str(told.value) == (
        f"{memory}: cannot be read: Input data was truncated; restore it, or give another --state"
    )


class Demand:
    """Whether somebody wants the stream `kafka:t`, as a test says."""

    def __init__(self, wanted: bool = True) -> None:
        self.wanted = wanted

    def source(self, log: Log, gate: OpenGate, memory: Path | None = None, until_end: bool = False) -> EventsSource:
        return EventsSource([log], gate, until_end=until_end, memory=memory, on_demand={"kafka:t": lambda: self.wanted})


def test_a_log_that_nobody_wants_is_not_read_and_later_begins_at_its_end(gate: OpenGate) -> None:
    log, demand = MemoryLog("kafka:t", {0: b"{}"}), Demand(wanted=False)
    part = build(demand.source(log, gate), "kafka:t/0")
    assert (part.next_batch(), part.snapshot(), log.readers) == ([], END, [])
    log.append(b"{}")
    demand.wanted = True
    assert (part.next_batch(), part.snapshot()) == ([], 2)
    log.append(b"{}")
    assert (offsets(part.next_batch()), part.snapshot()) == ([2], 3)


def test_who_is_gone_for_a_moment_finds_its_place_and_later_the_end(gate: OpenGate) -> None:
    now, wanted, begun = [100.0], [True], [0]
    log = MemoryLog("kafka:t", {0: b"{}"})
    part = EventsPartition(
        "kafka:t/0",
        log,
        0,
        1,
        gate,
        False,
        clock=lambda: now[0],
        wanted=lambda: wanted[0],
        begin=lambda offset: begun.append(offset),
    )
    assert part.next_batch() == []
    wanted[0] = False
    log.append(b"{}")
    assert (part.next_batch(), part.snapshot()) == ([], 1)
    now[0] += LEAVE_AFTER_S - 1
    assert (part.next_batch(), part.snapshot()) == ([], 1)
    wanted[0] = True
    assert offsets(part.next_batch()) == [1]

    wanted[0] = False
    log.append(b"{}")
    assert part.next_batch() == []
    now[0] += LEAVE_AFTER_S
    assert (part.next_batch(), part.snapshot(), log.readers[0].closed) == ([], END, True)
    wanted[0] = True
    assert part.next_batch() == []
    log.append(b"{}")
    assert offsets(part.next_batch()) == [3]
    assert begun == [0, END, 3]


def test_what_is_wanted_at_the_start_begins_at_the_end_of_that_moment(gate: OpenGate) -> None:
    log = MemoryLog("kafka:t", {0: b"{}"})
    source = Demand().source(log, gate)
    source.begin()
    log.append(b"{}")
    assert offsets(build(source, "kafka:t/0").next_batch()) == [1]


def test_a_log_on_demand_goes_on_at_its_snapshot(gate: OpenGate, tmp_path: Path) -> None:
    log = MemoryLog("kafka:t", dict.fromkeys(range(10), b"{}"))
    source = Demand().source(log, gate, tmp_path / "parts.json")
    source.begin()
    assert offsets(build(source, "kafka:t/0", 7).next_batch()) == [7, 8, 9]


def test_a_crash_before_the_first_snapshot_of_its_reading_loses_nothing(gate: OpenGate, tmp_path: Path) -> None:
    log, demand, memory = MemoryLog("kafka:t", {0: b"{}"}), Demand(), tmp_path / "parts.json"
    part = build(demand.source(log, gate, memory), "kafka:t/0")
    assert part.next_batch() == []
    log.append(b"{}")
    assert offsets(part.next_batch()) == [1]

    # Killed: the last snapshot is of before it was wanted, or there is none.
    for snapshot in (END, None):
        again = demand.source(log, gate, memory)
        again.begin()
        assert offsets(build(again, "kafka:t/0", snapshot).next_batch()) == [1]


def test_a_partition_that_was_added_is_read_from_its_start_where_the_others_are_read(
    gate: OpenGate, tmp_path: Path
) -> None:
    class TwoPartitions(MemoryLog):
        def partitions(self) -> list[int]:
            return [0, 1]

    log, demand, memory = MemoryLog("kafka:t", {0: b"{}"}), Demand(), tmp_path / "parts.json"
    demand.source(log, gate, memory).begin()
    source = demand.source(TwoPartitions("kafka:t", {0: b"{}"}), gate, memory)
    assert offsets(build(source, "kafka:t/1").next_batch()) == [0]
    anew = demand.source(TwoPartitions("kafka:t", {0: b"{}"}), gate, tmp_path / "others.json")
    assert build(anew, "kafka:t/1").next_batch() == []


def test_where_it_begins_is_remembered_before_anything_of_it_goes_on(gate: OpenGate, tmp_path: Path) -> None:
    log, demand, memory = MemoryLog("kafka:t", {}), Demand(), tmp_path / "gone" / "parts.json"
    memory.parent.mkdir()
    part = build(demand.source(log, gate, memory), "kafka:t/0")
    memory.unlink()
    memory.parent.rmdir()
    assert (part.next_batch(), part.snapshot()) == ([], END)


def test_what_could_not_be_remembered_is_remembered_when_it_is_tried_again(gate: OpenGate, tmp_path: Path) -> None:
    now = [100.0]
    log, memory = MemoryLog("kafka:t", {0: b"{}"}), tmp_path / "parts.json"
    parts = Parts({"kafka:t/0": (log, 0)}, "earliest", memory, ["kafka:t"])
    begin = partial(parts.begin, "kafka:t/0")
    part = EventsPartition(
        "kafka:t/0", log, 0, END, gate, False, clock=lambda: now[0], wanted=lambda: True, begin=begin
    )
    in_the_way = memory.with_suffix(".new")
    in_the_way.mkdir()
    assert (part.next_batch(), part.snapshot(), parts.first_offset("kafka:t/0")) == ([], END, END)
    in_the_way.rmdir()
    now[0] += 1.1
    assert (part.next_batch(), part.snapshot()) == ([], 1)

    log.append(b"{}")
    again = Demand().source(log, gate, memory)
    again.begin()
    assert offsets(build(again, "kafka:t/0", END).next_batch()) == [1], "it had begun before this message came"


def test_with_an_end_a_log_that_nobody_wants_is_at_it(gate: OpenGate) -> None:
    log = MemoryLog("kafka:t", {0: b"{}"})
    part = build(Demand(wanted=False).source(log, gate, until_end=True), "kafka:t/0")
    assert part.next_batch() == [EndOfInput("kafka:t/0")]
    wanted = build(Demand().source(log, gate, until_end=True), "kafka:t/0")
    assert wanted.next_batch() == [EndOfInput("kafka:t/0")]


def test_a_log_on_demand_that_is_not_there_is_no_reason_not_to_start(
    gate: OpenGate, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = FileLog(tmp_path / "nothing.jsonl")
    other = MemoryLog("kafka:other", {0: b"{}"})
    source = EventsSource([other, log], gate, on_demand={log.stream: lambda: True})
    source.begin()
    assert source.list_parts() == ["kafka:other/0"]
    assert [message.rpartition("; ")[2] for message in caplog.messages] == [
        "whoever wants its messages gets them only after the next start"
    ]


def run(logs: list[MemoryLog], state: Path) -> list[int]:
    """One run of the engine until the end of these logs; which positions it read."""
    gate = OpenGate()
    gate.settled = True
    read: list[Read] = []
    flow = Dataflow("flow")
    source = EventsSource(logs, gate, until_end=True, memory=state / "parts.json")
    op.output("read", op.input("events", flow, source), TestingSink(read))
    run_main(flow, epoch_interval=timedelta(0), recovery_config=RecoveryConfig(state))
    return offsets(read)


def test_the_engine_resumes_also_when_inputs_come_and_go(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    init_db_dir(tmp_path, 1)
    one, two = MemoryLog("kafka:one", {0: b"{}"}), MemoryLog("kafka:two", {0: b"{}", 1: b"{}"})
    assert sorted(run([one, two], tmp_path)) == [0, 0, 1]
    one.append(b"{}")
    two.append(b"{}")
    with caplog.at_level(logging.WARNING):
        assert run([one], tmp_path) == [1]
    assert caplog.messages == ["kafka:two/0: no longer among the inputs; its position, 2, is kept in case it returns"]
    three = MemoryLog("kafka:three", {0: b"{}"})
    assert sorted(run([two, three], tmp_path)) == [0, 2]


def test_an_idle_source_is_asked_soon_and_later_less_often() -> None:
    now = [datetime(2026, 11, 16, tzinfo=UTC)]
    pace = Pace(clock=lambda: now[0])
    assert pace.next_awake is None
    pace.idle()
    assert pace.next_awake == now[0] + timedelta(milliseconds=2)
    now[0] += timedelta(seconds=3)
    pace.idle()
    assert pace.next_awake == now[0] + timedelta(milliseconds=8)
    pace.busy()
    assert pace.next_awake is None
    pace.idle()
    assert pace.next_awake == now[0] + timedelta(milliseconds=2)

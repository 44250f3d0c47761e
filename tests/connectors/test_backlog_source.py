from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from hypothesis import given
from hypothesis import strategies as st

from connectors.backlog_source import BacklogPartition, BacklogSource, Read
from connectors.giving_way import SMALL_BATCH, GivingWay
from connectors.jsonl import FileLog, StdinLog
from connectors.kafka import KafkaLog
from connectors.log import Log
from connectors.reread import ASK_AFTER_S, GONE_GRACE_S, MAX_READERS, Readers, Rereading
from delivery import Handoff
from delivery.ranges import Reread
from records import Message, RangeRead
from tests.connectors.logs import MemoryLog, MemoryReader, OpenGate
from tests.integration.stand import until
from tests.kafka_broker import KafkaBroker

STREAM = "kafka:t"


def wish(
    first: int,
    last: int,
    limit: int = 1000,
    only: set[int] | None = None,
    destination: str = "crm",
    stream: str = STREAM,
) -> Reread:
    return Reread(destination, stream, 0, first, last, limit, None if only is None else frozenset(only))


class Lane:
    """A backlog lane over some logs, with everything that a test moves."""

    def __init__(self, *logs: Log) -> None:
        self.gate = OpenGate()
        self.wishes = Handoff()
        self.now = 100.0
        self.live = 0
        readers = Readers({log.stream: log for log in logs})
        way = GivingWay(lambda: self.live, lambda: self.now)
        self.partition = BacklogPartition(readers, self.wishes, self.gate, False, way=way, clock=lambda: self.now)

    def ask(self, *wishes: Reread, calls: int = 1) -> list[Read]:
        for one in wishes:
            self.wishes.put(one)
        return [item for _ in range(calls) for item in self.partition.next_batch()]


def told(items: list[Read]) -> list[int | RangeRead]:
    return [item.offset if isinstance(item, Message) else item for item in items]


def full_log(count: int = 100) -> MemoryLog:
    return MemoryLog(STREAM, {offset: b"%d" % offset for offset in range(count)})


def test_a_range_is_read_to_its_last_position_for_one_destination_only() -> None:
    items = Lane(full_log()).ask(wish(10, 13))
    assert items == [Message(STREAM, 0, at, b"%d" % at, 0, "crm") for at in range(10, 14)] + [
        RangeRead("crm", STREAM, 0, 14)
    ]


def test_the_limit_cuts_a_range_and_the_next_wish_goes_on_without_a_seek() -> None:
    log = full_log()
    lane = Lane(log)
    assert told(lane.ask(wish(10, 20, limit=3))) == [10, 11, 12, RangeRead("crm", STREAM, 0, 13)]
    assert told(lane.ask(wish(13, 20, limit=3))) == [13, 14, 15, RangeRead("crm", STREAM, 0, 16)]
    assert [reader.seeks for reader in log.readers] == [[10]]


def test_a_partition_that_does_not_answer_holds_up_nobody_however_many_wait_for_it() -> None:
    class Silent(MemoryLog):
        def reader(self, partition: int, until_end: bool = False) -> MemoryReader:
            reader = super().reader(partition, until_end)
            reader.read = lambda limit: []  # type: ignore[method-assign]
            reader.at_end = lambda: False  # type: ignore[method-assign]
            return reader

    lane = Lane(Silent("kafka:silent", {}), full_log())
    for number in range(MAX_READERS + 3):
        lane.ask(wish(0, 9, destination=f"d{number}", stream="kafka:silent"))
    read = lane.ask(wish(0, 3))
    for _ in range(20):
        lane.now += 1
        read += lane.ask()
    assert told(read) == [0, 1, 2, 3, RangeRead("crm", STREAM, 0, 4)]


def test_beside_live_events_it_reads_little_and_rests() -> None:
    lane = Lane(full_log(1200))
    lane.live += 1
    assert told(lane.ask(wish(0, 1199, limit=5000))) == [*range(SMALL_BATCH)]
    lane.now += 0.002
    assert lane.ask() == [], "it rests"
    lane.now += 0.1
    assert told(lane.ask()) == [*range(SMALL_BATCH, 2 * SMALL_BATCH)]


def test_a_long_range_is_spread_over_calls() -> None:
    lane = Lane(full_log(1200))
    first = lane.ask(wish(0, 1199, limit=5000))
    assert len(first) == 500
    rest = lane.ask(calls=3)
    assert told(first + rest) == [*range(1200), RangeRead("crm", STREAM, 0, 1200)]


def test_single_positions_are_read_and_their_neighbours_are_not() -> None:
    items = Lane(full_log()).ask(wish(10, 30, only={10, 17, 29}))
    assert told(items) == [10, 17, 29, RangeRead("crm", STREAM, 0, 31)]


def test_single_positions_far_apart_are_sought() -> None:
    log = full_log(20_001)
    items = Lane(log).ask(wish(0, 20_000, only={0, 20_000}), calls=3)
    assert told(items) == [0, 20_000, RangeRead("crm", STREAM, 0, 20_001)]
    assert log.readers[0].seeks == [0, 20_000]


def test_the_limit_counts_wanted_positions_only() -> None:
    items = Lane(full_log()).ask(wish(0, 99, limit=2, only={5, 40, 80}), calls=50)
    assert [item for item in told(items) if isinstance(item, int)] == [5, 40]
    mark = items[-1]
    assert isinstance(mark, RangeRead)
    assert 40 < mark.next_offset <= 80
    assert mark.missing == 0


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (wish(10, 60), [*range(50, 61), RangeRead("crm", STREAM, 0, 61, missing=40)]),
        (wish(10, 20), [RangeRead("crm", STREAM, 0, 21, missing=11)]),
        (wish(10, 60, only={11, 12, 55}), [55, RangeRead("crm", STREAM, 0, 61, missing=2)]),
        (wish(10, 60, only={11, 12}), [RangeRead("crm", STREAM, 0, 61, missing=2)]),
    ],
    ids=["half gone", "all gone", "some single ones gone", "all single ones gone"],
)
def test_positions_that_retention_deleted_are_counted(asked: Reread, answer: list[int | RangeRead]) -> None:
    log = full_log()
    log.forget_before(50)
    assert told(Lane(log).ask(asked, calls=2)) == answer


def test_holes_of_compaction_are_missing_only_where_they_were_wanted() -> None:
    log = full_log()
    del log.values[12]
    lane = Lane(log)
    assert told(lane.ask(wish(11, 13))) == [11, 13, RangeRead("crm", STREAM, 0, 14)]
    assert told(lane.ask(wish(11, 13, only={12, 13}))) == [13, RangeRead("crm", STREAM, 0, 14, missing=1)]


def test_what_compaction_replaced_is_not_missing_from_a_log_of_versions() -> None:
    log = full_log()
    log.compacted = True
    del log.values[12]
    log.forget_before(11)
    lane = Lane(log)
    assert told(lane.ask(wish(11, 13, only={12, 13}))) == [13, RangeRead("crm", STREAM, 0, 14)]
    assert told(lane.ask(wish(9, 13, only={9, 12, 13}), calls=2)) == [13, RangeRead("crm", STREAM, 0, 14, missing=1)]
    assert told(lane.ask(wish(9, 13), calls=2)) == [11, 13, RangeRead("crm", STREAM, 0, 14, missing=2)]


def test_a_log_made_anew_is_not_taken_for_the_old_one() -> None:
    log = full_log(5)
    assert told(Lane(log).ask(wish(50, 60))) == [RangeRead("crm", STREAM, 0, 61, missing=11)]


def test_a_log_that_ends_too_soon_is_given_a_moment_first() -> None:
    lane = Lane(full_log(15))
    assert told(lane.ask(wish(10, 19))) == [10, 11, 12, 13, 14]
    assert lane.ask(calls=2) == []
    lane.now += 11
    assert told(lane.ask(calls=2)) == [RangeRead("crm", STREAM, 0, 20, missing=5)]


def test_a_stream_that_is_no_longer_an_input_or_cannot_be_read_twice() -> None:
    lane = Lane(full_log(), StdinLog())
    items = lane.ask(wish(3, 9, stream="kafka:gone"), wish(3, 9, only={4, 5}, stream="-"))
    assert items == [RangeRead("crm", "kafka:gone", 0, 10, missing=7), RangeRead("crm", "-", 0, 10, missing=2)]


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    log = FileLog(tmp_path / "events.jsonl")
    items = Lane(log).ask(wish(0, 9, stream=log.stream))
    assert items == [RangeRead("crm", log.stream, 0, 10, missing=10)]


def test_a_partition_that_is_gone_is_given_up_once_that_is_sure(caplog: pytest.LogCaptureFixture) -> None:
    log, well = full_log(), MemoryLog("kafka:well", {0: b"0"})
    log.silent = True
    lane = Lane(log, well)
    log.gone_for_s = GONE_GRACE_S
    assert lane.ask(wish(3, 9), wish(0, 0, stream=well.stream)) == [
        Message(well.stream, 0, 0, b"0", 0, "crm"),
        RangeRead("crm", well.stream, 0, 1),
    ], "it is asked after only when nothing comes"
    lane.now += ASK_AFTER_S + 1
    log.gone_for_s = GONE_GRACE_S - 1
    assert lane.ask(calls=3) == []
    log.gone_for_s = 0.0
    lane.now += 10_000
    assert lane.ask(calls=3) == [], "brokers that do not answer are waited for"
    log.gone_for_s = GONE_GRACE_S
    assert lane.ask() == [RangeRead("crm", STREAM, 0, 10, missing=7)]
    assert caplog.messages == [f"{STREAM}/0: is not there any more, the brokers say; what crm missed of it is given up"]
    assert log.readers[0].closed


@pytest.mark.parametrize("anew", [True, False], ids=["made anew with fewer partitions", "deleted"])
def test_a_partition_of_a_real_topic_that_is_gone(kafka: KafkaBroker, anew: bool) -> None:
    topic = kafka.create_topic(3)
    kafka.produce(topic, [b"{}"] * 5, 2)
    admin = AdminClient({"bootstrap.servers": kafka.servers})
    admin.delete_topics([topic])[topic].result(30)
    until("it is gone", lambda: topic not in admin.list_topics(timeout=10).topics)
    if anew:
        admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    log = KafkaLog(kafka.servers, topic, clock=lambda: lane.now)
    lane = Lane(log)
    lost = Reread("crm", log.stream, 2, 0, 4, 1000, None)
    items = lane.ask(lost)
    began = lane.now
    while not items:
        until("an answer", lambda: not log._absence.asking)
        lane.now += 5
        items += lane.ask()
        assert lane.now < began + 200
    assert items == [RangeRead("crm", log.stream, 2, 5, missing=5)]
    assert lane.now - began > GONE_GRACE_S
    lane.partition.close()


def test_brokers_that_cannot_be_reached_take_nothing_away() -> None:
    log = KafkaLog("127.0.0.1:1", "t", wait_s=0.05, clock=lambda: lane.now)
    lane = Lane(log)
    assert lane.ask(wish(0, 4)) == []
    for _ in range(20):
        until("the question to end", lambda: not log._absence.asking)
        lane.now += 20
        assert lane.ask() == []
    lane.partition.close()


def test_lines_of_a_file_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"a":1}\n\n{"b":2}\n{"c":3}\n')
    log = FileLog(path)
    items = Lane(log).ask(wish(9, 17, stream=log.stream))
    assert told(items) == [9, 17, RangeRead("crm", log.stream, 0, 18)]


def test_destinations_are_served_in_turn() -> None:
    lane = Lane(full_log(2000))
    items = lane.ask(wish(0, 1999, 5000), wish(500, 1999, 5000, destination="mail"))
    assert {item.only_for for item in items} == {"crm", "mail"}


def test_two_wishes_of_one_destination_are_served_one_after_the_other() -> None:
    items = Lane(full_log()).ask(wish(10, 11), wish(20, 21), calls=2)
    assert told(items) == [10, 11, RangeRead("crm", STREAM, 0, 12), 20, 21, RangeRead("crm", STREAM, 0, 22)]


def test_readers_are_kept_up_to_a_bound() -> None:
    log = full_log()
    lane = Lane(log)
    for number in range(MAX_READERS + 3):
        lane.ask(wish(0, 1, destination=f"d{number}"))
    assert [reader.closed for reader in log.readers] == [True] * 3 + [False] * MAX_READERS
    lane.partition.close()
    assert all(reader.closed for reader in log.readers)


def test_more_wishes_than_readers_are_all_served() -> None:
    lane = Lane(full_log())
    items = lane.ask(*[wish(0, 1, destination=f"d{number}") for number in range(40)], calls=4)
    assert {item.only_for for item in items if isinstance(item, RangeRead)} == {f"d{number}" for number in range(40)}


def test_why_nothing_can_be_read_again_is_told(caplog: pytest.LogCaptureFixture) -> None:
    lane = Lane(full_log(), StdinLog())
    lane.ask(wish(3, 5, stream=StdinLog.stream), wish(3, 5, stream="kafka:gone"))
    assert caplog.messages == [
        "-: standard input cannot be read again; what crm missed of it is given up",
        "kafka:gone: no longer among the inputs; what crm missed of it is given up",
    ]


def test_a_failure_is_told_once_and_the_range_goes_on_where_it_was(caplog: pytest.LogCaptureFixture) -> None:
    log = full_log(1200)
    lane = Lane(log)
    assert len(lane.ask(wish(0, 1199, 5000))) == 500
    log.failures = [OSError("disk on fire"), OSError("disk on fire")]
    assert lane.ask(calls=2) == []
    lane.now += 1.1
    assert lane.ask() == []
    lane.now += 1.1
    assert told(lane.ask(calls=3)) == [*range(500, 1200), RangeRead("crm", STREAM, 0, 1200)]
    assert caplog.messages == [
        "kafka:t/0: cannot be read again for crm: OSError: disk on fire; trying again every second"
    ]


def test_nothing_is_read_before_the_gate_opens() -> None:
    lane = Lane(full_log())
    lane.gate.reading = False
    assert lane.ask(wish(10, 10)) == []
    lane.gate.reading = True
    assert told(lane.ask()) == [10, RangeRead("crm", STREAM, 0, 11)]


def test_it_ends_when_stopping_and_when_all_is_settled() -> None:
    gate = OpenGate()
    partition = BacklogSource({}, Handoff(), gate, until_end=True).build("backlog", 0, 1)
    assert partition.next_batch() == []
    gate.settled = True
    with pytest.raises(StopIteration):
        partition.next_batch()
    endless = BacklogSource({}, Handoff(), gate).build("backlog", 0, 1)
    assert endless.next_batch() == []
    gate.ending = True
    with pytest.raises(StopIteration):
        endless.next_batch()


@given(
    there=st.sets(st.integers(0, 60)),
    earliest=st.integers(0, 60),
    first=st.integers(0, 60),
    length=st.integers(0, 30),
    limit=st.integers(1, 20),
    step=st.integers(1, 20),
    only=st.none() | st.sets(st.integers(0, 90)),
    compacted=st.booleans(),
)
def test_every_wanted_position_comes_or_is_missing(
    there: set[int],
    earliest: int,
    first: int,
    length: int,
    limit: int,
    step: int,
    only: set[int] | None,
    compacted: bool,
) -> None:
    log = MemoryLog(STREAM, dict.fromkeys(there | {100}, b"{}"))
    log.forget_before(earliest)
    last = first + length
    wanted = set(range(first, last + 1)) if only is None else {at for at in only if first <= at <= last}
    reader = log.reader(0)
    came: list[int] = []
    missing, start = 0, first
    while start <= last:
        rereading = Rereading(wish(start, last, limit, only), compacted=compacted)
        before = len(came)
        while rereading.done is None:
            came += [message.offset for message in rereading.read(reader, step)]
        assert len(came) - before <= limit
        assert rereading.done.next_offset > start
        missing += rereading.done.missing
        start = rereading.done.next_offset
    assert came == sorted(wanted & set(log.values))
    gone = wanted - set(log.values)
    deleted = {at for at in gone if at < earliest}
    assert missing == len(deleted if only is None or compacted else gone)

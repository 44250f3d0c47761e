"""What is replayed when somebody names positions or times, and what is told when that cannot be."""

from pathlib import Path

import pytest

from connectors.commands import Position, Wish
from connectors.jsonl import FileLog, StdinLog
from connectors.log import Log, LogError
from connectors.replay_spans import positions_in, spans_of
from records import CommandKind, Span
from tests.connectors.logs import MemoryLog


def events() -> MemoryLog:
    """Positions 5 to 9, one a second from 1005 on: retention has deleted what came before."""
    log = MemoryLog("kafka:events", dict.fromkeys(range(10), b"{}"))
    log.times = {at: 1000.0 + at for at in range(10)}
    log.forget_before(5)
    return log


def spans(wish: Wish, *logs: Log) -> list[Span]:
    return spans_of(wish, {log.stream: log for log in logs or (events(),)})


def between(first: int, last: int | None = None, stream: str = "events", partition: int = 0) -> Wish:
    to = None if last is None else Position(stream, partition, last)
    return Wish(CommandKind.REPLAY, first=Position(stream, partition, first), last=to)


@pytest.mark.parametrize(
    ("wish", "first", "last"),
    [
        (between(5), 5, 9),
        (between(6, 7), 6, 7),
        (between(6, 6), 6, 6),
        (between(6, 100), 6, 9),
        (between(6, stream="kafka:events"), 6, 9),
        (Wish(CommandKind.REPLAY, since=0.0), 5, 9),
        (Wish(CommandKind.REPLAY, since=1006.5), 7, 9),
        (Wish(CommandKind.REPLAY, since=1006.0, until=1008.0), 6, 7),
        (Wish(CommandKind.REPLAY, since=1006.0, until=5000.0), 6, 9),
    ],
)
def test_what_is_meant(wish: Wish, first: int, last: int) -> None:
    assert spans(wish) == [Span("kafka:events", 0, first, last)]
    assert positions_in(spans(wish)) == last - first + 1


REFUSED = [
    (
        between(3),
        "kafka:events/0 begins at 5 now: 3 to 4 are gone, retention has deleted them; give --from kafka:events/0:5",
    ),
    (between(10), "nothing to replay: kafka:events/0 ends at 10"),
    (between(8, 7), "nothing to replay: --to 7 lies before --from 8"),
    (between(5, stream="evnts"), "the job does not read 'evnts'; its inputs are kafka:events"),
    (between(5, partition=3), "kafka:events has no partition 3; it has only 0"),
    (Wish(CommandKind.REPLAY, since=2000.0), "nothing to replay: no input has a message of that time"),
    (Wish(CommandKind.REPLAY, since=1007.0, until=1007.0), "nothing to replay: no input has a message of that time"),
    (
        Wish(CommandKind.REPLAY, first=Position("events", 0, 5), last=Position("events", 1, 6)),
        "--from and --to are in different partitions; give one replay for each",
    ),
]


@pytest.mark.parametrize(("wish", "told"), REFUSED)
def test_what_cannot_be_replayed_is_told(wish: Wish, told: str) -> None:
    with pytest.raises(LogError) as refused:
        spans(wish)
    assert str(refused.value) == told


def test_a_time_is_one_of_all_inputs_that_can_be_read_again() -> None:
    other = MemoryLog("kafka:other", {0: b"{}"})
    other.times = {0: 1007.0}
    assert spans(Wish(CommandKind.REPLAY, since=1007.0), events(), StdinLog(), other) == [
        Span("kafka:events", 0, 7, 9),
        Span("kafka:other", 0, 0, 0),
    ]


@pytest.mark.parametrize("wish", [Wish(CommandKind.REPLAY, since=1.0), between(0, stream="-")])
def test_standard_input_cannot_be_read_again(wish: Wish) -> None:
    with pytest.raises(LogError, match="standard input cannot be read again"):
        spans(wish, StdinLog())


def test_in_a_file_a_replay_begins_at_a_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"a":1}\n{"a":2}\n{"a":3}\n{"a"')
    log = FileLog(path)
    for name in ("events.jsonl", str(path), f"file:{path}"):
        assert spans(between(3, stream=name), log) == [Span(log.stream, 0, 8, 23)]
    assert spans(between(0, 7, stream="events.jsonl"), log) == [Span(log.stream, 0, 0, 7)]
    with pytest.raises(LogError, match=r"nothing to replay: file:.*events\.jsonl/0 ends at 24"):
        spans(between(20, stream="events.jsonl"), log)

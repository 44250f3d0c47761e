import logging
import os
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from connectors.jsonl import FileLog, StdinLog, StdinReader
from connectors.log import END, LogError, LogReader
from records import Message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def positions(messages: list[Message]) -> list[tuple[int, bytes | None]]:
    return [(message.offset, message.value) for message in messages]


def test_the_position_is_the_byte_offset_of_the_line(path: Path) -> None:
    path.write_bytes('{"a":"é"}\n{"b":1}\r\n\n   \r\n{"c":1}\n'.encode())
    reader = FileLog(path, clock=lambda: 12.5).reader(0)
    messages = reader.read(10)
    assert messages == [
        Message(f"file:{path}", 0, 0, '{"a":"é"}'.encode(), 12_500),
        Message(f"file:{path}", 0, 11, b'{"b":1}', 12_500),
        Message(f"file:{path}", 0, 26, b'{"c":1}', 12_500),
    ]
    assert reader.next_offset == path.stat().st_size
    reader.seek(11)
    assert positions(reader.read(1)) == [(11, b'{"b":1}')]
    assert reader.next_offset == 20


def test_reading_stops_at_the_limit_and_goes_on_behind_it(path: Path) -> None:
    path.write_bytes(b"".join(b"%d\n" % number for number in range(100_000)))
    reader = FileLog(path).reader(0)
    read: list[bytes | None] = []
    while not reader.at_end():
        messages = reader.read(777)
        assert len(messages) <= 777
        read += [message.value for message in messages]
    assert read == [b"%d" % number for number in range(100_000)]


def test_a_growing_file_is_followed_and_half_a_line_is_waited_for(path: Path) -> None:
    path.write_bytes(b'{"a":1}\n{"b"')
    reader = FileLog(path).reader(0)
    assert positions(reader.read(10)) == [(0, b'{"a":1}')]
    assert reader.read(10) == []
    assert (reader.at_end(), reader.next_offset) == (True, 8)
    with path.open("ab") as file:
        file.write(b":2}\n")
    assert positions(reader.read(10)) == [(8, b'{"b":2}')]


def test_a_last_line_that_is_a_whole_object_does_not_wait_for_its_newline(path: Path) -> None:
    path.write_bytes(b'{"a":1}\n{"b":{}')
    log = FileLog(path)
    reader = log.reader(0)
    assert positions(reader.read(10)) == [(0, b'{"a":1}')]
    assert log.end_offset(0) == 8
    with path.open("ab") as file:
        file.write(b"}")
    assert positions(reader.read(10)) == [(8, b'{"b":{}}')]
    assert (reader.next_offset, reader.at_end(), log.end_offset(0)) == (16, True, 16)
    again = log.reader(0)
    again.seek(16)
    with path.open("ab") as file:
        file.write(b'\r\n{"c":1}\n')
    for one in (reader, again):
        assert positions(one.read(10)) == [(18, b'{"c":1}')]


def test_the_end_is_no_place_inside_a_long_line(path: Path) -> None:
    path.write_bytes(b'{"a":1}\n{"b":"' + b"x" * 600_000)
    assert FileLog(path).end_offset(0) == 8
    with path.open("ab") as file:
        file.write(b'"}')
    assert FileLog(path).end_offset(0) == path.stat().st_size


def test_a_last_line_without_a_newline_counts_when_the_file_is_the_whole_input(path: Path) -> None:
    path.write_bytes(b'{"a":1}\n{"b":2}')
    reader = FileLog(path).reader(0, until_end=True)
    assert positions(reader.read(10)) == [(0, b'{"a":1}'), (8, b'{"b":2}')]
    assert reader.read(10) == []
    assert (reader.at_end(), reader.next_offset) == (True, 15)


def test_one_behind_the_beginning_of_a_line_is_the_next_line(path: Path) -> None:
    path.write_bytes(b"first\nsecond\n\nthird\n")
    for sought, expected in [(1, (6, b"second")), (7, (14, b"third")), (14, (14, b"third")), (6, (6, b"second"))]:
        reader = FileLog(path).reader(0)
        reader.seek(sought)

        [message] = reader.read(1)

        assert (message.offset, message.value) == expected


def test_one_behind_the_beginning_of_a_line_that_is_being_written(path: Path) -> None:
    path.write_bytes(b"first\nsec")
    reader = FileLog(path).reader(0)
    reader.seek(7)
    assert reader.read(9) == []

    with path.open("ab") as file:
        file.write(b"ond\nthird\n")

    assert [(message.offset, message.value) for message in reader.read(9)] == [(13, b"third")]


def test_reading_on_from_the_end_wherever_it_is(path: Path) -> None:
    path.write_bytes(b'{"a":1}\n{"b"')
    reader = FileLog(path).reader(0)
    reader.seek(END)
    assert (reader.read(10), reader.next_offset, reader.at_end()) == ([], 8, True)
    with path.open("ab") as file:
        file.write(b":2}\n")
    assert positions(reader.read(10)) == [(8, b'{"b":2}')]


def test_an_empty_file_is_at_its_end(path: Path) -> None:
    path.touch()
    reader = FileLog(path).reader(0, until_end=True)
    assert reader.read(10) == []
    assert reader.at_end()


def test_a_byte_order_mark_is_no_part_of_the_first_line(path: Path) -> None:
    path.write_bytes(b'\xef\xbb\xbf{"a":1}\n')
    assert positions(FileLog(path).reader(0).read(10)) == [(0, b'{"a":1}')]


def test_a_huge_line_is_read_in_bounded_steps_and_arrives_cut(path: Path) -> None:
    path.write_bytes(b'{"a":"' + b"x" * (65 * 1024 * 1024) + b'"}\n{"b":1}\n')
    reader = FileLog(path).reader(0)
    steps, messages = 0, []
    while not reader.at_end():
        messages += reader.read(10)
        steps += 1
    assert steps > 4
    assert [len(message.value or b"") for message in messages] == [1024 * 1024, 7]


@pytest.mark.parametrize("replace", [False, True], ids=["cut back", "replaced"])
def test_a_file_that_is_not_what_it_was_is_read_from_its_beginning(
    path: Path, replace: bool, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(b'{"a":1}\n{"b":2}\n')
    reader = FileLog(path).reader(0)
    assert len(reader.read(10)) == 2
    if replace:
        path.rename(path.with_suffix(".old"))
        path.write_bytes(b'{"c":3, "more": "than before"}\n')
    else:
        path.write_bytes(b'{"c":3}\n')
    with caplog.at_level(logging.WARNING):
        assert reader.read(10) == []
        assert [message.offset for message in reader.read(10)] == [0]
    what = "was replaced" if replace else "is shorter than before"
    assert caplog.messages == [f"{path}: the file {what}; continuing at its beginning, not at byte 16"]


def test_a_position_behind_the_end_means_the_file_was_cut_back(path: Path) -> None:
    path.write_bytes(b'{"a":1}\n')
    reader = FileLog(path).reader(0)
    reader.seek(100)
    assert reader.read(10) == []
    assert positions(reader.read(10)) == [(0, b'{"a":1}')]


def test_the_ends_of_a_file_and_the_lag_in_bytes(path: Path) -> None:
    path.write_bytes(b'{"a":1}\n{"b"')
    log = FileLog(path)
    assert (log.partitions(), log.start_offset(0), log.end_offset(0), log.lag(0, 2)) == ([0], 0, 8, 10)


def test_a_file_that_cannot_be_read_is_told_at_the_start(path: Path) -> None:
    with pytest.raises(LogError) as told:
        FileLog(path).partitions()
    assert str(told.value) == f"{path}: cannot be read: No such file or directory; correct the path or its rights"
    assert FileLog(path).lag(0, 0) is None


@pytest.fixture
def pipe() -> Iterator[tuple[int, StdinReader]]:
    readable, writable = os.pipe()
    with open(readable, "rb") as file:
        yield writable, StdinLog(file, clock=lambda: 1.0).reader(0)


def read_until_end(reader: LogReader) -> list[Message]:
    messages: list[Message] = []
    give_up = threading.Event()
    while not reader.at_end():
        messages += reader.read(500)
        give_up.wait(0.001)
    return messages


def test_standard_input_counts_lines(pipe: tuple[int, StdinReader]) -> None:
    writable, reader = pipe
    assert reader.read(10) == []
    assert not reader.at_end()
    os.write(writable, b'{"a":1}\r\n\n{"b":2}\n{"c"')
    os.write(writable, b":3}")
    os.close(writable)
    assert read_until_end(reader) == [
        Message("-", 0, 0, b'{"a":1}', 1000),
        Message("-", 0, 2, b'{"b":2}', 1000),
        Message("-", 0, 3, b'{"c":3}', 1000),
    ]


def test_standard_input_counts_on_from_an_earlier_run(pipe: tuple[int, StdinReader]) -> None:
    writable, reader = pipe
    reader.seek(50)
    os.write(writable, b"{}\n{}\n")
    os.close(writable)
    assert [message.offset for message in read_until_end(reader)] == [50, 51]


def test_a_writer_is_held_while_nobody_reads(pipe: tuple[int, StdinReader]) -> None:
    writable, reader = pipe
    line = b"x" * 1023 + b"\n"
    written = []

    def write() -> None:
        with open(writable, "wb") as file:
            for _ in range(16 * 1024):
                file.write(line)
                written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    writer.join(0.5)
    assert writer.is_alive()
    assert len(written) * 1024 < 6 * 1024 * 1024
    assert len(read_until_end(reader)) == 16 * 1024
    writer.join()


TIMED = b"".join(
    [
        b'\xef\xbb\xbf{"timestamp": "2026-11-20T10:00:00Z"}\n',
        b'{"timestamp": "2026-11-20 11:00:00.000"}\n',
        b"no JSON\n",
        b'{"timestamp": "yesterday"}\n{"event": "x"}\n',
        b'{"timestamp": "2026-11-20T14:00:00.5+02:00"}\n',
        b'{"timestamp": "2026-11-20T09:00:00Z"}\n',
        b'{"timestamp": "2026-11-20T23:00:00Z"',
    ]
)
STARTS = [0, *(at + 1 for at, byte in enumerate(TIMED) if byte == 10)]


@pytest.mark.parametrize(
    ("moment", "line"),
    [("09:00:00", 0), ("10:00:00", 0), ("10:00:01", 1), ("11:00:00", 1), ("12:00:00", 5), ("12:00:01", 7)],
)
def test_a_place_is_found_by_the_time_of_the_events(path: Path, moment: str, line: int) -> None:
    path.write_bytes(TIMED)
    time_s = datetime.fromisoformat(f"2026-11-20T{moment}Z").timestamp()
    assert FileLog(path).offset_at(0, time_s) == STARTS[line]


def test_where_no_line_has_a_time_no_place_is_found_by_one(path: Path) -> None:
    path.write_bytes(b'{"id": "p1", "team_id": 1}\n{"id": "p2", "team_id": 1}')
    with pytest.raises(LogError) as told:
        FileLog(path).offset_at(0, 1.0)
    assert str(told.value) == (
        f"{path}: no line has a `timestamp`, so no place is found by a time; "
        f"give a place, such as --from file:{path}/0:0"
    )
    path.write_bytes(b"\n")
    assert FileLog(path).offset_at(0, 1.0) == 1


def test_the_place_behind_all_events_is_the_end(path: Path) -> None:
    path.write_bytes(TIMED)
    assert FileLog(path).offset_at(0, 4e9) == FileLog(path).end_offset(0)


@pytest.mark.parametrize(("asked", "answer"), [(-1, 0), (0, 0), (1, 3), (2, 3), (3, 3), (4, 6), (6, 6)])
def test_a_message_begins_where_a_line_does(path: Path, asked: int, answer: int) -> None:
    path.write_bytes(b"{}\n{}\n{}")
    assert FileLog(path).align(0, asked) == answer


def test_a_file_that_is_gone_is_told_by_every_question(path: Path) -> None:
    for ask in (lambda: FileLog(path).offset_at(0, 1.0), lambda: FileLog(path).align(0, 1)):
        with pytest.raises(LogError, match="cannot be read: No such file or directory; correct the path or its rights"):
            ask()
    assert FileLog(path).retention_s() is None


def test_standard_input_has_no_place_to_go_back_to() -> None:
    with pytest.raises(LogError, match="standard input cannot be read again"):
        StdinLog().offset_at(0, 1.0)

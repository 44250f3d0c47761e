"""Events are found among the newest messages of the inputs, the newest first, within bounds."""

import json
from pathlib import Path

import pytest

from connectors.jsonl import FileLog, StdinLog
from connectors.log import LogError
from connectors.recent_events import Bounds, Recent, Wish, find_event, recent_events
from operators.envelope import decode_message
from records import Event, Message
from tests.connectors.logs import MemoryLog


def decode(message: Message) -> Event | None:
    found = decode_message(message, 1)
    return found if isinstance(found, Event) else None


def line(uuid: str | None, n: int) -> bytes:
    event = {"event": "paid", "distinct_id": "anna", "properties": {"n": n}} | ({"uuid": uuid} if uuid else {})
    return json.dumps(event).encode() + b"\n"


def test_in_a_file_the_newest_of_that_uuid(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(line("u1", 1) + b"no event\n" + line("u2", 2) + line("u1", 3) + line("u3", 4))
    found = find_event([StdinLog(), FileLog(path)], "u1", decode)
    assert found is not None
    assert json.loads(found.properties) == {"n": 3}
    assert (found.stream, found.only_for) == (f"file:{path}", None)
    assert find_event([FileLog(path)], "u9", decode) is None


def test_the_last_line_is_looked_at_without_its_newline_too(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(line("u1", 1) + line("u2", 2)[:-1])
    assert find_event([FileLog(path)], "u2", decode) is not None


def test_a_uuid_may_be_written_in_capitals(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(line("0193e3b4-000a", 1) + line("0193E3B4-000B", 2))
    for uuid in ("0193E3B4-000A", "0193e3b4-000b"):
        assert find_event([FileLog(path)], uuid, decode) is not None


def test_one_without_a_uuid_is_found_by_the_one_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(line(None, 1) + line(None, 2))
    second = decode_message(Message(f"file:{path}", 0, len(line(None, 1)), line(None, 2)[:-1], 0), 1)
    assert isinstance(second, Event)
    found = find_event([FileLog(path)], second.uuid, decode)
    assert found is not None
    assert found.offset == second.offset


def test_what_lies_too_far_back_is_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(line("u1", 1) + line("u2", 2) + line("u3", 3))
    few = Bounds(bytes=len(line("u3", 3)) + 10)
    assert find_event([FileLog(path)], "u3", decode, few) is not None
    assert find_event([FileLog(path)], "u2", decode, few) is None


def test_a_log_that_says_nothing_is_an_error() -> None:
    log = MemoryLog("kafka:events", {0: line("u1", 1)})
    log.silent = True
    with pytest.raises(LogError, match="kafka:events/0 has not answered"):
        find_event([log], "u1", decode, Bounds(silence_s=0.05))


def test_a_log_that_breaks_while_it_is_read_is_an_error() -> None:
    log = MemoryLog("file:/events.jsonl", {0: line("u1", 1)})
    log.failures = [OSError(5, "Input/output error")]
    with pytest.raises(LogError, match="cannot be read: Input/output error"):
        find_event([log], "u1", decode)
    assert log.readers[0].closed


def event(n: int, name: str = "paid", person: str = "anna", pad: int = 0) -> bytes:
    return json.dumps(
        {"event": name, "distinct_id": person, "uuid": f"u{n}", "properties": {"pad": "x" * pad}}
    ).encode()


def lines(path: Path, *values: bytes) -> FileLog:
    path.write_bytes(b"".join(value + b"\n" for value in values))
    return FileLog(path)


def uuids(found: Recent) -> list[str]:
    return [one.uuid for one in found.events]


def test_of_a_file_the_last_lines_come_first(tmp_path: Path) -> None:
    log = lines(tmp_path / "events.jsonl", *(event(n, pad=4000) for n in range(300)))
    found = recent_events([StdinLog(), log], Wish(), decode, 200)
    # Over a megabyte: in several pieces.
    assert uuids(found) == [f"u{n}" for n in range(299, 99, -1)]
    assert uuids(recent_events([log], Wish(), decode)) == ["u299"]


def test_by_name_by_person_and_by_what_else_is_wanted(tmp_path: Path) -> None:
    values = [event(n, "paid" if n % 2 else "seen", "anna" if n % 3 else "bob") for n in range(40)]
    log = lines(tmp_path / "events.jsonl", *values, b"no event", b"")
    assert uuids(recent_events([log], Wish("seen"), decode, 2)) == ["u38", "u36"]
    assert uuids(recent_events([log], Wish("seen", "bob"), decode, 2)) == ["u36", "u30"]
    assert uuids(recent_events([log], Wish(uuid="U7"), decode, 5)) == ["u7"]
    late = recent_events([log], Wish(wanted=lambda one: int(one.uuid[1:]) < 5), decode, 9)
    assert uuids(late) == ["u4", "u3", "u2", "u1", "u0"]
    assert (late.looked_at, late.unfinished) == (41, 0)
    assert uuids(recent_events([log], Wish("nothing"), decode)) == []


def test_a_line_that_is_longer_than_a_piece_is_read(tmp_path: Path) -> None:
    log = lines(tmp_path / "events.jsonl", event(1), event(2, pad=3_000_000))
    assert uuids(recent_events([log], Wish(), decode, 5)) == ["u2", "u1"]
    assert uuids(recent_events([log], Wish(), decode, 5, Bounds(bytes=1_000_000))) == []
    assert uuids(recent_events([lines(tmp_path / "none.jsonl")], Wish(), decode)) == []


def memory(stream: str, *times_and_numbers: tuple[int, int]) -> MemoryLog:
    log = MemoryLog(stream, {at: event(number) for at, (_, number) in enumerate(times_and_numbers)})
    log.times = {at: float(time) for at, (time, _) in enumerate(times_and_numbers)}
    return log


def test_of_several_logs_the_newest_by_the_times_of_their_messages() -> None:
    one = memory("kafka:a", (10, 1), (20, 2), (50, 5))
    other = memory("kafka:b", (30, 3), (40, 4))
    assert uuids(recent_events([one, other], Wish(), decode, 4)) == ["u5", "u4", "u3", "u2"]
    assert uuids(recent_events([other, one], Wish(), decode, 1)) == ["u5"]


def test_a_log_whose_messages_are_older_is_read_no_further() -> None:
    new = memory("kafka:new", *((5000 + n, n) for n in range(10)))
    old = memory("kafka:old", *((n, 100 + n) for n in range(2000)))
    found = recent_events([new, old], Wish("paid", wanted=lambda one: int(one.uuid[1:]) < 10), decode)
    assert uuids(found) == ["u9"]
    # The first piece of it was enough to know.
    assert found.looked_at == 10 + 250


def test_no_more_messages_than_the_bounds_have() -> None:
    log = memory("kafka:events", *((n, n) for n in range(3000)))
    found = recent_events([log], Wish(wanted=lambda _: False), decode, 1, Bounds(messages=1100))
    assert (found.events, found.looked_at, found.unfinished) == ([], 1100, 0)
    few = recent_events([log], Wish(), decode, 3000, Bounds(bytes=10 * len(event(2999))))
    assert uuids(few) == [f"u{n}" for n in range(2999, 2989, -1)]


def test_no_longer_than_the_bounds_have() -> None:
    log = memory("kafka:events", *((n, n) for n in range(3000)))
    seconds = iter(range(100))
    found = recent_events([log], Wish("no such"), decode, 1, Bounds(seconds=4), lambda: float(next(seconds)))
    assert found.unfinished == 1
    assert 0 < found.looked_at < 3000
    assert log.readers[0].closed


def test_messages_that_retention_takes_meanwhile_are_passed_over() -> None:
    log = memory("kafka:events", *((n, n) for n in range(100)))
    log.earliest, log.values = 60, {at: value for at, value in log.values.items() if at >= 97}
    assert uuids(recent_events([log], Wish(), decode, 50)) == ["u99", "u98", "u97"]


def test_an_interrupt_ends_the_search_and_lets_go_of_the_logs() -> None:
    log = memory("kafka:events", *((n, n) for n in range(3)))

    def interrupted(_: Event) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recent_events([log], Wish(wanted=interrupted), decode)
    assert log.readers[0].closed

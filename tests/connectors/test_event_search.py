"""An event is found by its uuid among the newest messages of the inputs."""

import json
from pathlib import Path

import pytest

from connectors import event_search
from connectors.event_search import find_event
from connectors.jsonl import FileLog, StdinLog
from connectors.log import LogError
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


def test_what_lies_too_far_back_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(line("u1", 1) + line("u2", 2) + line("u3", 3))
    monkeypatch.setattr(event_search, "MOST_BYTES", len(line("u3", 3)) + 10)
    assert find_event([FileLog(path)], "u3", decode) is not None
    assert find_event([FileLog(path)], "u2", decode) is None


def test_a_log_that_says_nothing_is_an_error() -> None:
    log = MemoryLog("kafka:events", {0: line("u1", 1)})
    log.silent = True
    with pytest.raises(LogError, match="kafka:events/0 has not answered"):
        find_event([log], "u1", decode, silence_s=0.05)


def test_a_log_that_breaks_while_it_is_read_is_an_error() -> None:
    log = MemoryLog("file:/events.jsonl", {0: line("u1", 1)})
    log.failures = [OSError(5, "Input/output error")]
    with pytest.raises(LogError, match="cannot be read: Input/output error"):
        find_event([log], "u1", decode)
    assert log.readers[0].closed

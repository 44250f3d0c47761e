"""The worker as the bottleneck slows the source and puts nobody behind: no event of a backlog is read twice.

Nothing that a job tells says how much it has read: what its two lanes hand on is counted in its own process, which is
this module, started in place of `offramp`. The endpoint is a process of its own, too, and does next to nothing for a
request: else it would be the bottleneck, and go behind with good reason.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import uvloop

from connectors.backlog_source import BacklogPartition
from connectors.events_source import EventsPartition
from tests.integration import topics
from tests.integration.events import capture
from tests.integration.stand import Stand
from tests.kafka_broker import KafkaBroker

ROOT = Path(__file__).parents[2]
EVENTS = 12_000
PARTITIONS = 4
DESTINATIONS = 3
MOST = 1.05
COUNTS = "COUNTS_OF_READS"
"""The variable that names the file for the counts."""
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Quick(asyncio.Protocol):
    """Answers at once, one connection."""

    answered = 0

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._buffer, 0, end)
            assert length is not None
            if len(self._buffer) < end + 4 + int(length[1]):
                return
            self._buffer = self._buffer[end + 4 + int(length[1]) :]
            Quick.answered += 1
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def answer() -> None:
    """Says the port, answers until standard input ends, says how often."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Quick, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await loop.run_in_executor(None, sys.stdin.read)
    print(Quick.answered, flush=True)  # noqa: T201


@pytest.fixture
def endpoint() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-P", "-m", "tests.integration.test_reread_ratio"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_healthy_destinations_at_full_speed_are_not_put_behind(
    kafka: KafkaBroker, stand: Stand, endpoint: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    ids = [f"healthy-{number}" for number in range(DESTINATIONS)]
    assert endpoint.stdout is not None
    port = int(endpoint.stdout.readline())
    for id in ids:
        stand.destination(id, more={}, url=f"http://127.0.0.1:{port}/{id}")
    topic = topics.events(kafka, (capture(number) for number in range(EVENTS)), PARTITIONS)
    counts = tmp_path / "counts.json"
    folders = ("--destinations", stand.destinations, "--state", stand.state, "--allow", "127.0.0.0/8")
    job = stand.start_module(
        *("tests.integration.test_reread_ratio", "run", *folders, "--events", topics.url(kafka, topic), "--until-end"),
        env={"PYTHONPATH": str(ROOT), COUNTS: str(counts)},
    )
    assert job.wait(150) == 0, job.log
    answered, _ = endpoint.communicate()
    assert int(answered) == EVENTS * DESTINATIONS
    for status in (stand.status()[id] for id in ids):
        assert (status["matched"], status["delivered"]) == (EVENTS, EVENTS)
    read: dict[str, int] = json.loads(counts.read_text())
    ratio = sum(read.values()) / EVENTS
    print(f"\n{read}: {ratio:.3f} events read for each in the topic")  # noqa: T201 - pytest shows it with -s
    assert read["live"] == EVENTS
    assert ratio <= MOST, read


def counted(kind: type[Any], read: dict[str, int], lane: str) -> None:
    """Add up what these sources hand on: messages, not marks."""
    next_batch: Callable[[Any], list[Any]] = kind.next_batch

    def counting(self: Any) -> list[Any]:
        batch = next_batch(self)
        read[lane] += sum(type(item).__name__ == "Message" for item in batch)
        return batch

    kind.next_batch = counting


def main() -> None:
    """`offramp`, and its lanes are counted."""
    from cli.main import main as offramp

    read = {"live": 0, "missed": 0}
    counted(EventsPartition, read, "live")
    counted(BacklogPartition, read, "missed")
    try:
        offramp()
    finally:
        Path(os.environ.pop(COUNTS)).write_text(json.dumps(read))


if __name__ == "__main__":
    main() if sys.argv[1:] else uvloop.run(answer())

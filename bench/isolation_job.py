"""What the two measurements of `bench.isolation` run: a job, its destinations, its receiver, and events for it.

The job has one core for itself and the receiver another, where there are two.
"""

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from bench.cores import pin
from connectors.journal import JournalError, JournalReader
from records import Status

WAIT_S: Final = 60.0
INPUTS: Final = {"url": "{sick}", "body": {"id": "{event.uuid}", "sent": "{event.properties.sent}"}}
"""Of a sick destination. `{sick}` is the address of the sick endpoint."""
_LOOK_EVERY_S: Final = 0.1
_PADDING: Final = "x" * 700


@dataclass(frozen=True)
class Scenario:
    """`destinations` counts the sick one."""

    name: str
    destinations: int
    fault: str
    """What the receiver does: 500, slow, hang, dead; "none" where it is not asked."""
    sick: dict[str, Any]
    """What the sick one's file says."""

    @property
    def healthy(self) -> int:
        """How many destinations are well."""
        return self.destinations - 1


class Receiver:
    """The process of `bench.isolation_receiver`, to be asked."""

    def __init__(self, port: int, sick_port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.sick_url = f"http://127.0.0.1:{sick_port}/sick"

    def ask(self, what: str) -> dict[str, Any]:
        """What it says to `GET /what`."""
        with urllib.request.urlopen(f"{self.url}/{what}", timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def wait_for(self, name: str, count: int) -> None:
        """Until so many have come; raises TimeoutError."""
        until(
            lambda: self.ask("stats")[name] >= count,
            lambda: f"of {count} deliveries ({name}) {self.ask('stats')[name]} came",
        )


class Run:
    """A topic, a receiver and a folder with destinations; `job` runs one on them."""

    def __init__(self, servers: str, folder: Path, receiver: Receiver) -> None:
        self.receiver = receiver
        self._servers = servers
        self._folder = folder
        self._topic = f"isolation-{uuid4().hex[:12]}"
        admin = AdminClient({"bootstrap.servers": servers})
        admin.create_topics([NewTopic(self._topic, 1, 1)])[self._topic].result(30)

    def produce(self, events: int, per_s: float = math.inf, ended: threading.Event | None = None) -> int:
        """Write so many events, or as many as it can until `ended`; returns how many that were."""
        ended = ended or threading.Event()
        producer = Producer({"bootstrap.servers": self._servers, "linger.ms": 0 if per_s < math.inf else 5})
        began, number = time.monotonic(), 0
        while number < events and not ended.wait(max(0.0, began + number / per_s - time.monotonic())):
            producer.produce(self._topic, _event())
            producer.poll(0)
            number += 1
        producer.flush(30)
        return number

    @contextmanager
    def job(self) -> Iterator[None]:
        """A job as people run it, until the end of the block. With a TimeoutError in it the program ends."""
        flags = ["--destinations", str(self._folder / "destinations"), "--state", str(self._folder / "state")]
        events = f"kafka://{self._servers}/{self._topic}"
        command = [sys.executable, "-P", "-m", "cli.main", "run", "--events", events, "--allow", "127.0.0.0/8", *flags]
        with (self._folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=partial(pin, 0), cwd=self._folder)
        try:
            yield
        except TimeoutError as error:
            sys.exit(f"{error}; the job's log:\n{(self._folder / 'log').read_text()}")
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def status_of_the_sick(self) -> Status | None:
        """What the job says of it, about once a second; None before it has said anything."""
        try:
            with JournalReader(self._folder / "state" / "journal.sqlite") as journal:
                return next((status for status in journal.statuses() if status.id == "sick"), None)
        except JournalError:
            return None


@contextmanager
def prepared(servers: str, scenario: Scenario, sick: bool) -> Iterator[Run]:
    """Everything but the events and the job; `sick` false is without the sick destination."""
    with tempfile.TemporaryDirectory() as name, _receiver(scenario.fault) as receiver:
        folder = Path(name)
        _write_destinations(folder / "destinations", scenario, receiver, sick)
        yield Run(servers, folder, receiver)


def until(look: Callable[[], bool], what: Callable[[], str], timeout_s: float = WAIT_S) -> None:
    """Until `look` says true; raises TimeoutError with `what` has become of it."""
    give_up_at = time.monotonic() + timeout_s
    while not look():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"{what()} in {timeout_s:g} s")
        time.sleep(_LOOK_EVERY_S)


def _write_destinations(target: Path, scenario: Scenario, receiver: Receiver, sick: bool) -> None:
    target.mkdir()
    for number in range(scenario.healthy):
        inputs = {
            "url": f"{receiver.url}/ok/{number}",
            "body": {"event": "{event.event}", "sent": "{event.properties.sent}"},
        }
        (target / f"d{number}.yaml").write_text(json.dumps({"id": f"d{number}", "inputs": inputs}))
    if sick:
        text = json.dumps({"id": "sick", **scenario.sick})
        (target / "sick.yaml").write_text(text.replace("{sick}", receiver.sick_url))


def _event() -> bytes:
    now_ms = time.time() * 1000
    properties = {"padding": _PADDING, "sent": round(now_ms, 1)}
    return json.dumps({
        "uuid": os.urandom(16).hex(),
        "event": "order placed",
        "distinct_id": "d1",
        "team_id": 1,
        "timestamp": "2026-11-16 18:10:20.000000",
        "properties": json.dumps(properties),
    }).encode()  # fmt: skip


@contextmanager
def _receiver(fault: str) -> Iterator[Receiver]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.isolation_receiver", fault], stdout=subprocess.PIPE, preexec_fn=partial(pin, 1)
    )
    assert process.stdout is not None
    try:
        port, sick_port = map(int, process.stdout.readline().split())
        yield Receiver(port, sick_port)
    finally:
        process.kill()
        process.wait()

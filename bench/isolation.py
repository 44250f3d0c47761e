"""What do healthy destinations notice of a sick one beside them? Ratios with and without it, on a real Kafka.

Of each scenario two jobs run in turns, one with the healthy destinations alone and one with the sick one too. First a
backlog of events is drained at full speed (healthy deliveries per second), then events come at a steady pace and their
age on arrival is measured, from producing to the receiver.

    python -m bench.isolation                       all scenarios, about 12 minutes
    python -m bench.isolation --short               one short round of each
    python -m bench.isolation --scenario hang --rounds 5

Aims: throughput with / without >= 0.95, p99 with / without <= 1.10; beside an endless program p99 + 10 ms at most.
"""

import argparse
import json
import math
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from bench.cores import pin
from tests.kafka_broker import KafkaBroker, MissingComponentError

_WAIT_S: Final = 60.0
_PADDING: Final = "x" * 700


@dataclass(frozen=True)
class Scenario:
    """`destinations` counts the sick one."""

    name: str
    destinations: int
    fault: str
    """What the receiver does: 500, slow, hang; "none" where it is not asked."""
    sick: dict[str, Any]
    """What its file says; `{sick}` is an address of the receiver, `{closed}` one where nobody listens."""


SCENARIOS: Final = (
    Scenario("1 dead of 10", 10, "none", {"inputs": {"url": "{closed}"}}),
    Scenario("1 hangs of 100", 100, "hang", {"inputs": {"url": "{sick}"}}),
    Scenario("1 at 500 of 10", 10, "500", {"inputs": {"url": "{sick}"}}),
    Scenario("1 slow (3 s) of 10", 10, "slow", {"inputs": {"url": "{sick}"}}),
    Scenario("1 endless code of 10", 10, "none", {"code": "while (true) {}"}),
)


@dataclass(frozen=True)
class Size:
    """How much work one job gets, in deliveries to healthy destinations."""

    backlog: int
    rate: int
    """Deliveries a second while the age is measured."""
    seconds: float


FULL: Final = Size(backlog=60_000, rate=1000, seconds=15)
SHORT: Final = Size(backlog=9_000, rate=500, seconds=4)


@dataclass(frozen=True)
class Result:
    """What one job did for the healthy destinations."""

    per_s: float
    p50_ms: float
    p99_ms: float


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--short", action="store_true", help="one short round")
    options.add_argument("--servers", default="", help="a Kafka to use instead of one of its own")
    options.add_argument("--scenario", default="", help="only those whose name has this in it")
    asked = options.parse_args()
    rounds, size = (1, SHORT) if asked.short else (asked.rounds, FULL)
    scenarios = [scenario for scenario in SCENARIOS if asked.scenario in scenario.name]
    if not scenarios:
        sys.exit(f"no scenario has {asked.scenario!r} in its name: {', '.join(s.name for s in SCENARIOS)}")
    try:
        if asked.servers:
            measure(asked.servers, scenarios, rounds, size)
        else:
            with _broker() as servers:
                measure(servers, scenarios, rounds, size)
    except MissingComponentError as error:
        sys.exit(str(error))


def measure(servers: str, scenarios: list[Scenario], rounds: int, size: Size) -> None:
    """Print a line for each scenario: medians of the rounds."""
    print(
        f"{'':<22} {'healthy/s without':>18} {'with':>8} {'ratio':>6} {'p99 ms without':>16} {'with':>7} {'ratio':>6}"
    )
    for scenario in scenarios:
        results: dict[bool, list[Result]] = {False: [], True: []}
        for _ in range(rounds):
            for sick in results:
                results[sick].append(_run(servers, scenario, size, sick))
        without, beside = (_median(results[sick]) for sick in results)
        rates = f"{without.per_s:>18,.0f} {beside.per_s:>8,.0f} {beside.per_s / without.per_s:>6.2f}"
        ages = f"{without.p99_ms:>16.1f} {beside.p99_ms:>7.1f} {beside.p99_ms / without.p99_ms:>6.2f}"
        print(f"{scenario.name:<22} {rates} {ages}", flush=True)


@contextmanager
def _broker() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        broker = KafkaBroker(Path(folder))
        broker.start()
        try:
            yield broker.servers
        finally:
            broker.kill()


def _median(results: list[Result]) -> Result:
    return Result(*(statistics.median(getattr(r, name) for r in results) for name in Result.__dataclass_fields__))


def _run(servers: str, scenario: Scenario, size: Size, sick: bool) -> Result:
    topic = f"isolation-{uuid4().hex[:12]}"
    admin = AdminClient({"bootstrap.servers": servers})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    healthy = scenario.destinations - 1
    with tempfile.TemporaryDirectory() as folder, _receiver(scenario.fault) as receiver:
        _write_destinations(Path(folder), scenario, receiver, sick)
        events = size.backlog // healthy
        _produce(servers, topic, events)
        with _job(Path(folder), servers, topic):
            drained = _until(receiver, events * healthy)
            _ask(receiver, "reset")
            paced = round(size.rate * size.seconds / healthy)
            _produce(servers, topic, paced, size.rate / healthy)
            aged = _until(receiver, paced * healthy)
    return Result(events * healthy / drained["seconds"], aged["p50_ms"], aged["p99_ms"])


def _write_destinations(folder: Path, scenario: Scenario, receiver: str, sick: bool) -> None:
    target = folder / "destinations"
    target.mkdir()
    for number in range(scenario.destinations - 1):
        inputs = {
            "url": f"{receiver}/ok/{number}",
            "body": {"event": "{event.event}", "sent": "{event.properties.sent}"},
        }
        (target / f"d{number}.yaml").write_text(json.dumps({"id": f"d{number}", "inputs": inputs}))
    if sick:
        text = json.dumps({"id": "sick", **scenario.sick})
        text = text.replace("{sick}", f"{receiver}/sick").replace("{closed}", f"http://127.0.0.1:{_closed_port()}")
        (target / "sick.yaml").write_text(text)


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


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


def _produce(servers: str, topic: str, events: int, per_s: float = math.inf) -> None:
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 0 if per_s < math.inf else 5})
    began = time.monotonic()
    for number in range(events):
        time.sleep(max(0.0, began + number / per_s - time.monotonic()))
        producer.produce(topic, _event())
        producer.poll(0)
    producer.flush(30)


@contextmanager
def _receiver(fault: str) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.isolation_receiver", fault], stdout=subprocess.PIPE, preexec_fn=partial(pin, 1)
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def _job(folder: Path, servers: str, topic: str) -> Iterator[None]:
    flags = ["--destinations", str(folder / "destinations"), "--state", str(folder / "state"), "--allow", "127.0.0.0/8"]
    command = [sys.executable, "-P", "-m", "cli.main", "run", "--events", f"kafka://{servers}/{topic}", *flags]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=partial(pin, 0), cwd=folder)
    try:
        yield
    except TimeoutError as error:
        sys.exit(f"{error}; the job's log:\n{(folder / 'log').read_text()}")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _until(receiver: str, wanted: int) -> dict[str, float]:
    give_up_at = time.monotonic() + _WAIT_S
    while (stats := _ask(receiver, "stats"))["healthy"] < wanted:
        if time.monotonic() > give_up_at:
            raise TimeoutError(
                f"of {wanted} deliveries to healthy destinations {stats['healthy']} came in {_WAIT_S:g} s"
            )
        time.sleep(0.1)
    return stats


def _ask(receiver: str, what: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{receiver}/{what}", timeout=10) as answer:
        found: dict[str, float] = json.load(answer)
    return found


if __name__ == "__main__":
    main()

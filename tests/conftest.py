"""Fixtures that need more than Python, and a run's last lines: what was measured, what was skipped, and why."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.integration.stand import Stand
from tests.kafka_broker import KafkaBroker
from tests.receiver import Receiver
from tests.servers.components import present

# How long an example takes says something of the machine, and no test asserts a time.
settings.register_profile("offramp", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("offramp")


SHOWN = "shown"
"""A property of a test: what it has measured, for the end of the run."""


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A running Apache Kafka. Skips where it cannot be had; fails there when `CI=true`."""
    broker = present(lambda: KafkaBroker(tmp_path_factory.mktemp("kafka")))
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()  # Its data goes with it: nothing that a clean end would save.


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A scripted endpoint on loopback."""
    with Receiver() as listening:
        yield listening


@pytest.fixture
def stand(tmp_path: Path, receiver: Receiver) -> Iterator[Stand]:
    """Where jobs run in processes of their own."""
    stand = Stand(tmp_path, receiver)
    try:
        yield stand
    finally:
        stand.close()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests were skipped and why, where nobody overlooks it."""
    skipped: Counter[tuple[str, str]] = Counter()
    for report in terminalreporter.getreports("skipped"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        skipped[report.nodeid.partition("::")[0], reason.removeprefix("Skipped: ")] += 1
    for report in terminalreporter.getreports("passed"):
        for name, shown in report.user_properties:
            if name == SHOWN:
                terminalreporter.write_line(f"{report.nodeid.partition('::')[0]}, beside other tests:\n{shown}")
    for (file, reason), count in sorted(skipped.items()):
        terminalreporter.write_line(f"SKIPPED {file} ({count}): {reason}", yellow=True)

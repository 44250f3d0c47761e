"""The benchmark of isolation in its short form: it comes to its end and prints its table. No figure is asserted."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.isolation import SCENARIOS
from tests.kafka_broker import KafkaBroker

ROOT = Path(__file__).parents[2]


def test_healthy_destinations_get_everything_beside_each_sick_one(
    kafka: KafkaBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "bench.isolation", "--short", "--servers", kafka.servers]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stderr
    with capsys.disabled():
        sys.stdout.write(f"\n{done.stdout}")
    assert [line[:22].strip() for line in done.stdout.splitlines()[1:]] == [scenario.name for scenario in SCENARIOS]

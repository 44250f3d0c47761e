"""The benchmark of isolation in its short form: it comes to its end and prints its tables. No time is asserted."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench import isolation, isolation_recovery
from tests.conftest import SHOWN
from tests.kafka_broker import KafkaBroker

ROOT = Path(__file__).parents[2]


def test_healthy_destinations_get_everything_beside_each_sick_one_and_so_does_that_one_when_it_is_well(
    kafka: KafkaBroker, record_property: Callable[[str, object], None]
) -> None:
    command = [sys.executable, "-m", "bench.isolation", "--short", "--servers", kafka.servers]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stderr
    record_property(SHOWN, done.stdout)
    beside, recovered = (table.splitlines()[1:] for table in done.stdout.split("\n\n"))
    assert [line[:22].strip() for line in beside] == [scenario.name for scenario in isolation.SCENARIOS]
    assert [line[:26].strip() for line in recovered] == [scenario.name for scenario in isolation_recovery.SCENARIOS]
    for line in recovered:
        missed, missing, twice = (int(line[26:].split()[column].replace(",", "")) for column in (1, 3, 4))
        assert missed > 0, line
        assert (missing, twice) == (0, 0), line

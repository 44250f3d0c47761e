"""The benchmark of restarts in its smallest form, beside `tests/chaos`: no time is asserted."""

from bench.restart import DESTINATIONS, measure, terminate
from tests.integration.stand import Job
from tests.kafka_broker import KafkaBroker


def test_one_kill_loses_nothing(kafka: KafkaBroker) -> None:
    line = measure(kafka, Job.kill, [2.0], quiet_s=1.0, per_s=200)
    assert (line.ends, line.lost, line.ids, line.verdict.problems) == (1, 0, 1, [])
    assert line.verdict.duplicates <= line.verdict.bound
    assert line.verdict.good > line.events > len(DESTINATIONS)


def test_one_restart_repeats_nothing(kafka: KafkaBroker) -> None:
    line = measure(kafka, terminate, [2.0], quiet_s=1.0, per_s=200)
    assert (line.ends, line.lost, line.ids, line.verdict.problems) == (1, 0, 1, [])
    assert line.verdict.duplicates == 0

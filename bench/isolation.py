"""What do healthy destinations notice of a sick one beside them, and what when it recovers? On a real Kafka.

First table, ratios with and without it: of each scenario two jobs run in turns, one with the healthy destinations alone
and one with the sick one too. First a backlog of events is drained at full speed (healthy deliveries per second), then
events come at a steady pace and their age on arrival is measured, from producing to the receiver.

Second table, `bench.isolation_recovery`: under a steady load the sick one is made well.

    python -m bench.isolation                       everything, about 35 minutes
    python -m bench.isolation --short               one short round of each, with short quarantines
    python -m bench.isolation --scenario hang --rounds 5
    python -m bench.isolation --scenario healed     the second table only

Aims: throughput with / without >= 0.95, p99 with / without <= 1.10; beside an endless program p99 + 10 ms at most.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import isolation_recovery as recovery
from bench.ages import quantile
from bench.isolation_job import INPUTS, Scenario, prepared
from tests.kafka_broker import KafkaBroker, MissingComponentError

SCENARIOS: Final = (
    Scenario("1 dead of 10", 10, "dead", {"inputs": INPUTS}),
    Scenario("1 hangs of 100", 100, "hang", {"inputs": INPUTS}),
    Scenario("1 at 500 of 10", 10, "500", {"inputs": INPUTS}),
    Scenario("1 slow (3 s) of 10", 10, "slow", {"inputs": INPUTS}),
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
SHORT: Final = Size(backlog=9_000, rate=500, seconds=3)


@dataclass(frozen=True)
class Result:
    """What one job did for the healthy destinations."""

    per_s: float
    p50_ms: float
    p99_ms: float


def main() -> None:
    """Measure, and print the tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--short", action="store_true", help="one short round")
    options.add_argument("--servers", default="", help="a Kafka to use instead of one of its own")
    options.add_argument("--scenario", default="", help="only those whose name has this in it")
    asked = options.parse_args()
    rounds = 1 if asked.short else asked.rounds
    scenarios, recoveries = (
        [scenario for scenario in all_ if asked.scenario in scenario.name] for all_ in (SCENARIOS, recovery.SCENARIOS)
    )
    if not scenarios and not recoveries:
        names = ", ".join(scenario.name for scenario in (*SCENARIOS, *recovery.SCENARIOS))
        sys.exit(f"no scenario has {asked.scenario!r} in its name: {names}")
    try:
        with _kafka(asked.servers) as servers:
            if scenarios:
                measure(servers, scenarios, rounds, SHORT if asked.short else FULL)
            if recoveries:
                print()
                recovery.measure(servers, recoveries, rounds, recovery.SHORT if asked.short else recovery.FULL)
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
def _kafka(servers: str) -> Iterator[str]:
    if servers:
        yield servers
        return
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
    events = size.backlog // scenario.healthy
    paced = round(size.rate * size.seconds / scenario.healthy)
    with prepared(servers, scenario, sick) as run:
        receiver = run.receiver
        run.produce(events)
        with run.job():
            receiver.wait_for("healthy", events * scenario.healthy)
            drained = [at for at, _ in receiver.ask("record")["healthy"]]
            receiver.ask("reset")
            run.produce(paced, size.rate / scenario.healthy)
            receiver.wait_for("healthy", paced * scenario.healthy)
            ages_ms = [age * 1000 for _, age in receiver.ask("record")["healthy"]]
    return Result(len(drained) / (drained[-1] - drained[0]), quantile(ages_ms, 0.5), quantile(ages_ms, 0.99))


if __name__ == "__main__":
    main()

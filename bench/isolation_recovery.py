"""The second table of `bench.isolation`: a sick destination is made well under a steady load.

One job with healthy destinations and a sick one gets events at a steady pace from the start to the end. When the sick
one is in quarantine and has missed something, its endpoint is healed. By what arrives there:

* back after: from the healing until everything comes young (under a second) and goes on to, which is its full rate;
* missed: events that came late, which is the backlog; drained in: from the first answer after the healing to the last
  late event;
* missing, twice: events that never got a good answer, or more than one;
* p99: the age of what the healthy ones get while that backlog is drained, and in a job that never had a sick one.

An endpoint is not asked before its quarantine ends, so that the seconds until it is back are mostly what was left of
it: the full form has the periods of everybody, where the first is 60 s, and heals within that one. Who is ill for
longer than a few minutes waits for 10 minutes at most. The short form has quarantines of half a second.

Aims: back after <= 120 s; missing 0; p99 during / without <= 1.10.
"""

import dataclasses
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from bench.ages import YOUNG_S, back_at, quantile
from bench.isolation_job import INPUTS, Run, Scenario, prepared, until

SCENARIOS: Final = (
    Scenario("1 dead of 10, healed", 10, "dead", {"inputs": INPUTS}),
    Scenario("1 hangs of 10, healed", 10, "hang", {"inputs": INPUTS}),
    Scenario("1 at 500 of 10, healed", 10, "500", {"inputs": INPUTS}),
    Scenario("1 slow (3 s) of 10, healed", 10, "slow", {"inputs": INPUTS}),
)
_BEFORE: Final = Scenario("none sick", 10, "none", {})
_ENDLESS: Final = 1_000_000_000


@dataclass(frozen=True)
class Size:
    """How long each part takes."""

    rate: int
    """Deliveries to healthy destinations a second."""
    ill_s: float
    """From the first delivery to the healing, or more where the quarantine begins later."""
    reference_s: float
    """The time whose p99 is that without a sick one."""
    after_s: float
    """From the recovery to the end of the load: so long it has to last."""
    patience_s: float
    """Within which it has to recover."""
    more: Mapping[str, Any]
    """What the sick one's file says beside its inputs."""


FULL: Final = Size(rate=1000, ill_s=20, reference_s=60, after_s=10, patience_s=180, more={})
SHORT: Final = Size(
    rate=500,
    ill_s=1.5,
    reference_s=2,
    after_s=1,
    patience_s=60,
    more={"delivery": {"timeout_s": 1}, "quarantine": {"periods_s": [0.5], "disable_after": 1000}},
)


@dataclass(frozen=True)
class Recovery:
    """What one job showed."""

    back_s: float
    missed: int
    drain_s: float
    missing: int
    twice: int
    p99_ms: float


def measure(servers: str, scenarios: Sequence[Scenario], rounds: int, size: Size) -> None:
    """Print a line for each scenario: medians of the rounds, but of what is missing or came twice the most."""
    results: dict[str, list[Recovery]] = {scenario.name: [] for scenario in scenarios}
    references: list[float] = []
    for _ in range(rounds):
        references.append(_reference_p99_ms(servers, size))
        for scenario in scenarios:
            results[scenario.name].append(_recovery(servers, scenario, size))
    print(
        f"{'':<26} {'back after s':>12} {'missed':>8} {'drained in s':>13} {'missing':>8} {'twice':>6}"
        f" {'p99 ms without':>15} {'during':>7} {'ratio':>6}"
    )
    without = statistics.median(references)
    for name, found in results.items():
        back_s, missed, drain_s, during = (
            statistics.median(getattr(one, what) for one in found) for what in ("back_s", "missed", "drain_s", "p99_ms")
        )
        missing, twice = (max(getattr(one, what) for one in found) for what in ("missing", "twice"))
        print(
            f"{name:<26} {back_s:>12.1f} {missed:>8,.0f} {drain_s:>13.1f} {missing:>8} {twice:>6}"
            f" {without:>15.1f} {during:>7.1f} {during / without:>6.2f}"
        )


def recovery_of(record: Mapping[str, Any], events: int) -> Recovery:
    """What the receiver's record says of so many events; raises ValueError when the sick one has not recovered."""
    healed_at = record["healed_at"]
    well = [(at, age) for at, age, _ in record["sick_ok"] if at >= healed_at]
    back = back_at(well, healed_at)
    if back is None:
        raise ValueError("what the sick endpoint got last was late")
    first = min(at for at, _ in well)
    ages_ms = [age * 1000 for at, age in record["healthy"] if first <= at <= back]
    distinct = {event for _, _, event in record["sick_ok"]}
    return Recovery(
        back_s=back - healed_at,
        missed=sum(age > YOUNG_S for _, age in well),
        drain_s=back - first,
        missing=events - len(distinct),
        twice=len(record["sick_ok"]) - len(distinct),
        p99_ms=quantile(ages_ms, 0.99),
    )


def _reference_p99_ms(servers: str, size: Size) -> float:
    with prepared(servers, _BEFORE, sick=False) as run, run.job(), _Load(run, _BEFORE, size):
        run.receiver.wait_for("healthy", 1)
        time.sleep(size.ill_s)
        run.receiver.ask("reset")
        time.sleep(size.reference_s)
        return quantile((age * 1000 for _, age in run.receiver.ask("record")["healthy"]), 0.99)


def _recovery(servers: str, scenario: Scenario, size: Size) -> Recovery:
    scenario = dataclasses.replace(scenario, sick={**scenario.sick, **size.more})
    with prepared(servers, scenario, sick=True) as run, run.job():
        receiver = run.receiver
        with _Load(run, scenario, size) as load:
            receiver.wait_for("healthy", 1)
            time.sleep(size.ill_s)
            _until_sick(run, "quarantined", size)
            receiver.ask("heal")
            _until_sick(run, "live", size)
            time.sleep(size.after_s)
        receiver.wait_for("healthy", load.events * scenario.healthy)
        _until_nothing_is_owed(run, load.events, size)
        return recovery_of(receiver.ask("record"), load.events)


class _Load:
    """Events at a steady pace, as long as the block lasts."""

    def __init__(self, run: Run, scenario: Scenario, size: Size) -> None:
        self.events = 0
        self._run = run
        self._per_s = size.rate / scenario.healthy
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> "_Load":
        self._produced = self._pool.submit(self._run.produce, _ENDLESS, self._per_s, self._ended)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._pool.shutdown()
        self.events = self._produced.result()


def _until_sick(run: Run, state: str, size: Size) -> None:
    def reached() -> bool:
        status = run.status_of_the_sick()
        return status is not None and status.state == state and (state != "live" or not status.backlog)

    until(reached, lambda: f"it was to become {state}, and the job says {run.status_of_the_sick()}", size.patience_s)


def _until_nothing_is_owed(run: Run, events: int, size: Size) -> None:
    """Not until everything has come: what is missing is to be seen in the table."""

    def settled() -> bool:
        status = run.status_of_the_sick()
        return status is not None and status.matched >= events and not status.owed

    until(settled, lambda: f"the job says {run.status_of_the_sick()}", size.patience_s)

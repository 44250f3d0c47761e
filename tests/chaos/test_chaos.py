"""Ten endpoints, each ill in its own way by turns, two kills, a broker that goes: nothing is lost.

`CHAOS_SEED` chooses everything that is left to chance, `CHAOS_SECONDS` is how long the load lasts (14), `CHAOS_PER_S`
how many events a second (300). The figures of a run are printed: `pytest -s tests/chaos`.
"""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.arena import Arena, Destination, moments, play, setting
from tests.chaos.endpoint import FAULTS, Endpoints
from tests.connectors.certificates import authority, needs_openssl, signed
from tests.integration.stand import Stand
from tests.kafka_broker import KafkaBroker

SEED = setting("CHAOS_SEED", 1)
SECONDS = setting("CHAOS_SECONDS", 14)
PER_S = setting("CHAOS_PER_S", 300)
SICK = 10
COMMON = {
    "delivery": {"timeout_s": 5, "connect_timeout_s": 2, "retries": 4, "backoff_s": 0.3, "backoff_cap_s": 2},
    "quarantine": {"window_s": 10, "slow_s": 2, "periods_s": [1, 2, 3], "disable_after": 100},
}
WAYS: list[dict[str, Any]] = [
    *({}, {}, {}, {}, {"concurrency": 5}, {"rate": "100/s"}, {"compress": "gzip"}),
    *({"order": "person"}, {"order": "person", "concurrency": 10}, {"batch": {"max": 20, "wait_ms": 100}}),
]
"""Of delivery: each of the sick ones has another one."""


def bounce(kafka: KafkaBroker) -> None:
    """It is away for as long as it takes to start."""
    try:
        kafka.kill()
    finally:
        kafka.restart()


@needs_openssl
@pytest.mark.timeout(SECONDS * 2 + 240)
@pytest.mark.parametrize("broker_goes", [False, True], ids=["kills", "kills-and-broker"])
def test_nothing_is_lost(broker_goes: bool, kafka: KafkaBroker, stand: Stand, tmp_path: Path) -> None:
    seed = SEED * 2 + broker_goes
    chance = random.Random(seed)
    faults = chance.sample(FAULTS, SICK)
    ways = chance.sample(WAYS, SICK)
    sick = [
        Destination(f"{fault}-{number}", 5, chance.randrange(5), way)
        for number, (fault, way) in enumerate(zip(faults, ways, strict=True))
    ]
    healthy = [Destination("healthy-half", 2, 0, healthy=True), Destination("healthy-some", 7, 3, healthy=True)]
    issuer = authority(tmp_path)
    pairs = (signed(tmp_path, "server", issuer), authority(tmp_path, "self-signed"))
    tls = {one.name: pairs for one in sick if one.name.startswith("tls-")}
    for one in sick:
        if one.name in tls:
            one.delivery = {**one.delivery, "ca": str(issuer.cert)}

    with Endpoints(tmp_path, [one.name for one in (*sick, *healthy)], tls) as endpoints:
        timeline: list[tuple[float, Callable[[], object]]] = []
        said = [f"seed {seed} (CHAOS_SEED={SEED})"]
        for fault, one in zip(faults, sick, strict=True):
            at = chance.uniform(0.5, 4.0)
            while at < SECONDS - 1:
                until = at + chance.uniform(2.0, 5.0)
                timeline += [
                    (at, partial(endpoints.become, one.name, fault)),
                    (until, partial(endpoints.become, one.name)),
                ]
                at = until + chance.uniform(1.5, 4.0)
            said.append(f"{one.name} {one.when} {dict(one.delivery)}")
        arena = Arena(kafka, stand, endpoints, [*healthy, *sick], PER_S, COMMON)
        for at in moments(chance, 2, 3.0, SECONDS - 1.0):
            timeline.append((at, arena.kill))
            said.append(f"kill at {at:.2f} s")
        if broker_goes:
            at = chance.uniform(2.0, SECONDS / 2)
            timeline.append((at, partial(bounce, kafka)))
            said.append(f"broker goes at {at:.2f} s")
        print("\n" + "\n".join(said))  # noqa: T201 - to repeat a run that failed
        play(timeline)
        verdict = arena.finish()
        assert not verdict.problems, "\n".join(verdict.problems)

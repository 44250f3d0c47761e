"""`kill -9` at any moment, also while the job starts, again and again: nothing is lost and the account holds.

`CHAOS_SEED` chooses the moments, `CHAOS_KILLS` is how many there are (8).
"""

import random
from pathlib import Path

import pytest

from tests.chaos.arena import Arena, Destination, play, setting
from tests.chaos.endpoint import LATE, Endpoints
from tests.integration.stand import Stand
from tests.kafka_broker import KafkaBroker

SEED = setting("CHAOS_SEED", 1)
KILLS = setting("CHAOS_KILLS", 8)
PER_S = setting("CHAOS_PER_S", 300)
LONGEST_S = 3.0
"""A run begins to send after about a second, on a machine that does nothing else."""
COMMON = {
    "delivery": {"timeout_s": 4, "retries": 2, "backoff_s": 0.2, "backoff_cap_s": 1},
    "quarantine": {"window_s": 5, "periods_s": [0.5], "disable_after": 1000},
}


@pytest.mark.timeout(KILLS * 10 + 180)
def test_killed_again_and_again(kafka: KafkaBroker, stand: Stand, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    destinations = [
        Destination("quick", 1, 0, healthy=True),
        # Less than its share: it falls behind.
        Destination("late", 2, 0, {"concurrency": 20}),
        Destination("flap", 4, 1),
        Destination("404", 4, 2),
        Destination("500", 4, 3),
        Destination("ordered", 3, 0, {"order": "person"}),
    ]
    waits = [chance.uniform(0.05, LONGEST_S) for _ in range(KILLS)]
    print(f"\nCHAOS_SEED={SEED}: kills after {', '.join(f'{wait:.2f}' for wait in waits)} s")  # noqa: T201
    with Endpoints(tmp_path, [one.name for one in destinations]) as endpoints:
        for name in ("flap", "404", "500"):
            endpoints.become(name, name)
        endpoints.become("late", LATE)
        arena = Arena(kafka, stand, endpoints, destinations, PER_S, COMMON)
        for number, wait in enumerate(waits):
            if number % 2:
                # Every other one while it is at work, also on a machine that needs long to start it.
                arena.wait_until_it_sends()
            play([(wait, arena.kill)])
        verdict = arena.finish()
        assert not verdict.problems, "\n".join(verdict.problems)
        assert verdict.failed > 0

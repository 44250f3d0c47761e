"""SIGTERM under load with retries pending and a backlog, again and again: nothing is lost, and nothing comes twice."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.arena import Arena, Destination
from tests.chaos.endpoint import LATE, Endpoints
from tests.integration.stand import Stand, until
from tests.kafka_broker import KafkaBroker

PER_S = 300
RESTARTS = 2
# Without quarantines, which would take the retries back into the backlog.
COMMON: dict[str, Any] = {
    "delivery": {"timeout_s": 4, "retries": 20, "backoff_s": 1.5, "backoff_cap_s": 3},
    "quarantine": {"min_samples": 10_000, "errors_in_a_row": 10_000},
}


@pytest.mark.timeout(180)
def test_restarts_repeat_nothing(kafka: KafkaBroker, stand: Stand, tmp_path: Path) -> None:
    destinations = [
        Destination("quick", 1, 0, healthy=True),
        Destination("late", 2, 0, {"concurrency": 20}),
        Destination("flap", 3, 1),
        Destination("ordered", 3, 0, {"order": "person"}),
    ]

    def matched() -> int:
        return int(stand.status().get("flap", {"matched": 0})["matched"])

    def retries_are_pending(before: int) -> bool:
        """A job that has just started finds much at once, and is not to end before the first answers are there."""
        status = stand.status()
        flap, ordered = status.get("flap"), status.get("ordered")
        if flap is None or ordered is None:
            return False
        return flap["matched"] > before and flap["waiting_retry"] > 0 and ordered["waiting_retry"] > 0

    with Endpoints(tmp_path, [one.name for one in destinations]) as endpoints:
        endpoints.become("late", LATE)
        arena = Arena(kafka, stand, endpoints, destinations, PER_S, COMMON)
        for _ in range(RESTARTS):
            endpoints.become("flap", "500")
            endpoints.become("ordered", "500")
            until("retries are pending", partial(retries_are_pending, matched() + 100))
            status = arena.end()
            assert all(status[name]["owed"] > 0 for name in ("flap", "ordered", "late"))
            endpoints.become("flap", "flap")
            endpoints.become("ordered")
            arena.start()
        verdict = arena.finish()
        assert not verdict.problems, "\n".join(verdict.problems)
        assert (verdict.duplicates, verdict.failed) == (0, 0)

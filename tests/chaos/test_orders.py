"""People at work under load: files that change while requests are on the wire, pauses, replays, with kills between.

`CHAOS_SEED` chooses the moments, `CHAOS_ROUNDS` is how often it is all done (1).
"""

import json
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.arena import Arena, Destination, play, setting
from tests.chaos.endpoint import LATE, Endpoints
from tests.chaos.verdict import AFTER_DEATH_S, Kill, read_record
from tests.integration.stand import Stand, until
from tests.kafka_broker import KafkaBroker

SEED = setting("CHAOS_SEED", 1)
ROUNDS = setting("CHAOS_ROUNDS", 1)
PER_S = setting("CHAOS_PER_S", 200)
LAST = 40
"""So many positions and one are replayed."""
COMMON: dict[str, Any] = {
    "delivery": {"timeout_s": 4, "retries": 20, "backoff_s": 0.3, "backoff_cap_s": 1},
    "quarantine": {"min_samples": 10_000, "errors_in_a_row": 10_000},
}


@pytest.mark.timeout(ROUNDS * 60 + 180)
def test_what_people_do_loses_nothing(kafka: KafkaBroker, stand: Stand, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    quick = Destination("quick", 1, 0, healthy=True)
    plain = Destination("plain", 2, 0, {"concurrency": 20})
    ordered = Destination("ordered", 2, 1, {"order": "person"})
    batched = Destination("batched", 2, 0, {"batch": {"max": 10, "wait_ms": 50}, "concurrency": 4})
    flapping = Destination("flapping", 3, 0, {"order": "person"})
    packed = Destination("packed", 3, 1, {"compress": "gzip", "concurrency": 20})
    again = Destination("again", 2, 1)
    changed = (plain, ordered, batched, flapping, packed)
    version = 0
    # A job that was started after such a kill knows no older file than this version.
    renewed: list[tuple[Kill, int]] = []

    with Endpoints(tmp_path, [one.name for one in (quick, *changed, again)]) as endpoints:
        # Something is on the wire at every moment.
        for one in (plain, ordered, batched, packed, again):
            endpoints.become(one.name, LATE)
        endpoints.become("flapping", "flap")
        arena = Arena(kafka, stand, endpoints, [quick, *changed, again], PER_S, COMMON)

        def seen(version: int) -> bool:
            lines = endpoints.record.read_text("utf-8").splitlines(keepends=True)
            names = {json.loads(line)["name"] for line in lines if line.endswith(f'"version": {version}}}\n')}
            return names >= {one.name for one in changed}

        def change() -> int:
            for one in changed:
                arena.write(one, headers={"X-Version": str(version + 1)})
            return version + 1

        def on_the_wire() -> bool:
            status = stand.status()
            return all(one.name in status and status[one.name]["in_flight"] for one in (plain, ordered, batched))

        def kill() -> None:
            play([(chance.uniform(0.0, 1.0), arena.kill)])

        for turn in range(ROUNDS):
            until("requests are on the wire", on_the_wire)
            version = change()
            until("the new files are sent with", partial(seen, version))
            arena.tell("pause", plain, ordered, batched)
            if not turn:
                arena.replay(again, chance.choice((1, 3)), LAST)
            kill()
            version = change()
            arena.tell("enable", plain, ordered, batched, options=["--send-missed"])
            kill()
            renewed.append((arena.kills[-1], version))
            until("the new files are sent with", partial(seen, version))
            arena.tell("pause", flapping)
            arena.tell("enable", flapping, options=["--send-missed"])
        verdict = arena.finish()
        assert not verdict.problems, "\n".join(verdict.problems)
        record = read_record(endpoints.record)
    for one in changed:
        for ended, newest in renewed:
            late = [receipt for receipt in record[one.name] if receipt.at > ended.after + AFTER_DEATH_S]
            assert all(receipt.version >= newest for receipt in late), one.name

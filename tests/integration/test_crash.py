"""`kill -9` under load, at moments that a seed chooses; what the endpoints saw is compared with the topic."""

import random
import time

import pytest

from tests.integration import topics
from tests.integration.events import capture, uuids_of
from tests.integration.stand import Job, Stand, uuids, webhook_ids
from tests.kafka_broker import KafkaBroker
from tests.receiver import Answer, Received, Receiver

EVENTS = 6000
KILLS = 4
SNAPSHOT_S = 0.2
SETTLED_S = 2.0
"""What arrived so long before a kill was answered and stands in a snapshot, also on a busy machine."""
QUICK, SLOW, FLAKY = "/quick", "/slow", "/flaky"


def wait_for(job: Job, receiver: Receiver, count: int) -> None:
    # Bodies are counted, not parsed: this look must not take the receiver's time.
    job.until(f"{count} events", lambda: len({request.body for request in receiver.of(QUICK)}) >= count)


def sent_again(requests: list[Received], killed_at: float, started_at: float) -> tuple[set[str], set[str]]:
    """What one run was answered long before it was killed, and which of it came again after that.

    Only arrivals of that very run count: what an earlier run had on the wire when it was killed is still owed.
    """
    settled = uuids([one for one in requests if started_at < one.at < killed_at - SETTLED_S])
    after = uuids([one for one in requests if one.at > killed_at])
    return set(settled), set(settled) & set(after)


@pytest.mark.parametrize("seed", [7])
def test_killed_at_random_moments(seed: int, kafka: KafkaBroker, stand: Stand, receiver: Receiver) -> None:
    chance = random.Random(seed)
    stand.destination("quick")
    stand.destination("slow", "properties.n % 10 == 0")
    stand.destination("flaky", "properties.n % 20 == 0")
    # At most 500 a second and 100 a second with the 50 slots of a destination: the second one falls behind.
    receiver.on(QUICK, Answer(delay_s=0.1))
    receiver.on(SLOW, Answer(delay_s=0.5))
    receiver.on(FLAKY, *[Answer(chance.choice([200, 200, 503])) for _ in range(400)], Answer())
    events = topics.events(kafka, [capture(n, n=n) for n in range(EVENTS)], 2)
    command = ["--events", topics.url(kafka, events), "--snapshot-interval-s", SNAPSHOT_S]

    runs = []
    for count in sorted(chance.sample(range(200, EVENTS - 500), KILLS)):
        started_at = time.monotonic()
        job = stand.start(*command)
        wait_for(job, receiver, count)
        job.kill()
        runs.append((time.monotonic(), started_at))
    code, out, log = stand.run(*command, "--until-end")
    assert code == 0, log

    for path, every in ((QUICK, 1), (SLOW, 10), (FLAKY, 20)):
        requests = receiver.of(path)
        assert sorted(set(uuids(requests))) == uuids_of(range(0, EVENTS, every))
        assert {len(ids) for ids in webhook_ids(requests).values()} == {1}
    found = [sent_again(receiver.of(path), *run) for path in (QUICK, SLOW) for run in runs]
    assert [again for _, again in found if again] == []
    assert sum(len(settled) for settled, _ in found) > EVENTS // 20
    assert out.splitlines()[:3] == [
        f"{id}: matched {count}, delivered {count}, failed 0, owed 0"
        for id, count in (("flaky", EVENTS // 20), ("quick", EVENTS), ("slow", EVENTS // 10))
    ]

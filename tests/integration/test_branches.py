"""Mappings and frequency caps on the whole road: on Kafka, behind and read again, killed in the middle, replayed."""

import json

from tests.integration import topics
from tests.integration.events import capture, uuids_of
from tests.integration.stand import QUICK, Stand, until, uuids, webhook_ids
from tests.kafka_broker import KafkaBroker
from tests.receiver import Answer, Receiver

EVENTS = 3000
SNAPSHOT_S = 0.2


def test_each_mapping_is_delivered_fails_and_is_replayed_on_its_own(
    kafka: KafkaBroker, stand: Stand, receiver: Receiver
) -> None:
    mappings = [
        {"name": name, "filters": {"when": when}, "inputs": {"url": f"{receiver.url}/{name}"}}
        for name, when in (("all", "true"), ("even", "properties.n % 2 == 0"), ("third", "properties.n % 3 == 0"))
    ]
    # At most 400 a second of 5,500 requests: it falls behind, and most of it is read again.
    delivery = {"concurrency": 20, "retries": 0}
    stand.destination("crm", more={**QUICK, "mappings": mappings, "delivery": delivery})
    receiver.on("/all", Answer(delay_s=0.05))
    receiver.on("/even", *[Answer(404, delay_s=0.05)] * 40, Answer(delay_s=0.05))
    receiver.on("/third", Answer(delay_s=0.05))
    topic = topics.events(kafka, [capture(n, n=n) for n in range(EVENTS)])
    command = ["--events", topics.url(kafka, topic), "--snapshot-interval-s", SNAPSHOT_S]

    for count in (600, 1500):
        job = stand.start(*command)
        job.until(f"{count} requests", lambda count=count: len(receiver.of("/all")) >= count)
        job.kill()
    job = stand.start(*command)
    wanted = {"all": range(EVENTS), "even": range(0, EVENTS, 2), "third": range(0, EVENTS, 3)}
    matched = sum(map(len, wanted.values()))

    def drained() -> bool:
        crm = stand.status().get("crm", {})
        return crm.get("matched") == matched and not crm["owed"]

    job.until("all of it is settled", drained)
    failed = json.loads(stand.offramp("failed", "crm", "-n", 1000, "--json")[1])
    assert {one["mapping"] for one in failed} == {"even"}
    before = {name: len(receiver.of(f"/{name}")) for name in wanted}
    assert stand.offramp("replay", "crm", "--failed")[0] == 0
    job.until("what had failed is sent", lambda: stand.status()["crm"]["delivered"] == matched)
    assert job.terminate() == 0
    sent_again = {name: len(receiver.of(f"/{name}")) - before[name] for name in wanted}
    assert sent_again == {"all": 0, "even": len(failed), "third": 0}
    ids: set[str | None] = set()
    for name, numbers in wanted.items():
        requests = receiver.of(f"/{name}")
        assert sorted(set(uuids(requests))) == uuids_of(numbers)
        of_mapping = webhook_ids(requests)
        assert {len(found) for found in of_mapping.values()} == {1}
        ids |= {id for found in of_mapping.values() for id in found}
    assert len(ids) == matched, "no two mappings of one event share theirs"


def test_what_a_cap_holds_back_stays_so_when_it_is_read_again(
    kafka: KafkaBroker, stand: Stand, receiver: Receiver
) -> None:
    masking = {"hash": "k{event.properties.n % 10}", "ttl_s": 86_400, "threshold": 2}
    # At most 200 a second of 1,500 requests: it falls behind.
    stand.destination("crm", more={**QUICK, "masking": masking, "delivery": {"concurrency": 10}})
    receiver.on("/crm", Answer(delay_s=0.05))
    topic = topics.events(kafka, [capture(n, n=n) for n in range(EVENTS)])
    command = ["--events", topics.url(kafka, topic), "--snapshot-interval-s", SNAPSHOT_S]
    passing = [n for n in range(EVENTS) if n // 10 % 2 == 0]

    for count in (300, 700):
        job = stand.start(*command)
        job.until(f"{count} requests", lambda count=count: len(receiver.of("/crm")) >= count)
        job.kill()
    job = stand.start(*command)
    until("all of it is delivered", lambda: stand.status().get("crm", {}).get("delivered") == len(passing))
    code, out, _ = stand.offramp("metrics", "crm", "--json")
    assert code == 0
    masked = sum(one["count"] for one in json.loads(out) if one["metric_name"] == "masked")
    assert masked >= EVENTS - len(passing), "what a crash has undone is counted again"
    assert job.terminate() == 0
    assert sorted(set(uuids(receiver.of("/crm")))) == uuids_of(passing)

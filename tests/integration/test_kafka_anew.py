"""A topic that was deleted and made anew under a job's feet."""

from confluent_kafka.admin import AdminClient, NewTopic

from tests.integration import topics
from tests.integration.events import capture, uuids_of
from tests.integration.stand import Stand, until, uuids
from tests.kafka_broker import KafkaBroker
from tests.receiver import Receiver


def make_anew(kafka: KafkaBroker, topic: str, partitions: int = 1) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.servers})
    admin.delete_topics([topic])[topic].result(30)
    until("it is gone", lambda: topic not in admin.list_topics(timeout=10).topics)
    admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(30)


def test_a_topic_made_anew_between_two_runs_is_read_from_its_start(
    kafka: KafkaBroker, stand: Stand, receiver: Receiver
) -> None:
    stand.destination("crm")
    topic = topics.events(kafka, [capture(n) for n in range(5)])
    command = ["--events", topics.url(kafka, topic), "--until-end"]
    assert stand.run(*command)[0] == 0
    make_anew(kafka, topic)
    topics.append(kafka, topic, [capture(n) for n in range(5, 8)])
    code, _, log = stand.run(*command)
    assert code == 0
    [told] = [line for line in log.splitlines() if " ERROR " in line]
    assert f"kafka:{topic}/0: the saved position 5 lies behind the end, 3: the topic was cut back" in told
    assert sorted(uuids(receiver.requests)) == uuids_of(range(8))

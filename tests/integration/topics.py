"""Topics as they are in production: tables are compacted and keyed, events are neither."""

from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from tests.integration.stand import dumps
from tests.kafka_broker import KafkaBroker

_FLUSH_S = 30


def table(kafka: KafkaBroker, rows: Iterable[dict[str, Any]]) -> str:
    """A compacted topic of these rows."""
    topic = kafka.create_topic(1, cleanup_policy="compact")
    extend(kafka, topic, rows)
    return topic


def extend(kafka: KafkaBroker, topic: str, rows: Iterable[dict[str, Any]]) -> None:
    """Add rows to a table."""
    refused: list[KafkaError] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        refused.extend([error] if error is not None else [])

    producer = Producer({"bootstrap.servers": kafka.servers, "linger.ms": 5, "queue.buffering.max.messages": 500_000})
    for row in rows:
        producer.produce(topic, dumps(row), _key(row), on_delivery=delivered)
    assert producer.flush(_FLUSH_S) == 0
    assert refused == []


def events(kafka: KafkaBroker, values: Iterable[dict[str, Any]], partitions: int = 1) -> str:
    """A topic of these events, dealt to its partitions in turn."""
    topic = kafka.create_topic(partitions)
    append(kafka, topic, values, partitions)
    return topic


def append(kafka: KafkaBroker, topic: str, values: Iterable[dict[str, Any]], partitions: int = 1) -> None:
    """Add events to a topic."""
    messages: list[bytes | None] = [dumps(value) for value in values]
    for partition in range(partitions):
        kafka.produce(topic, messages[partition::partitions], partition)


def url(kafka: KafkaBroker, *topics: str) -> str:
    """As `offramp run` takes it."""
    return f"kafka://{kafka.servers}/{','.join(topics)}"


def _key(row: dict[str, Any]) -> str:
    names = ("id", "distinct_id", "group_type_index", "group_key")
    return "/".join(str(row[name]) for name in names if name in row)

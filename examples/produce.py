"""Puts every line of a file into a Kafka topic, as one message each.

    python examples/produce.py FILE.jsonl kafka://HOST:PORT/TOPIC

The key is what a topic of this content is compacted by, so that the lines about one person stay in order.
"""

import argparse
import json
import sys
from pathlib import Path

from confluent_kafka import KafkaError, Message, Producer

KEYS = (("group_type_index", "group_key"), ("distinct_id",), ("id",))
"""Fields that name what a line is about: a group, an event or a distinct id, a person."""
TIMEOUT_S = 30.0


def main() -> None:
    """Exit with 1 when a message was not taken."""
    parser = argparse.ArgumentParser(description="Put every line of a file into a Kafka topic.")
    parser.add_argument("file", type=Path, metavar="FILE.jsonl")
    parser.add_argument("topic", metavar="kafka://HOST:PORT/TOPIC")
    arguments = parser.parse_args()
    scheme, _, rest = arguments.topic.partition("://")
    servers, _, topic = rest.partition("/")
    if scheme != "kafka" or not servers or not topic:
        parser.error(f"expected kafka://HOST:PORT/TOPIC, got {arguments.topic!r}")
    lines = [line for line in arguments.file.read_bytes().splitlines() if line]
    refused = produce(servers, topic, lines)
    if refused:
        sys.exit(f"{len(refused)} of {len(lines)} messages were not taken: {refused[0]}")
    sys.stdout.write(f"{len(lines)} messages in {topic}\n")


def produce(servers: str, topic: str, lines: list[bytes]) -> list[str]:
    """Send the lines and wait for all of them. Returns why messages were refused, one reason each."""
    reasons: list[str] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            reasons.append(error.str())

    producer = Producer({"bootstrap.servers": servers, "message.timeout.ms": int(TIMEOUT_S * 1000)})
    for line in lines:
        producer.produce(topic, line, key_of(line), on_delivery=delivered)
        producer.poll(0)
    producer.flush(TIMEOUT_S + 1)
    return reasons


def key_of(line: bytes) -> str | None:
    """The key of one line."""
    message = json.loads(line)
    fields = next((fields for fields in KEYS if message.keys() >= set(fields)), ())
    return ":".join(str(message[field]) for field in fields) or None


if __name__ == "__main__":
    main()

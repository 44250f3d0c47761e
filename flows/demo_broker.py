"""A Kafka broker for the demo: the one inside librdkafka, in this process.

It keeps about 5 MB a partition, compacts nothing and forgets everything with the process: never for real work.
"""

import logging
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaException, Producer

from flows.demo_shop import Message

START_TIMEOUT_S = 10.0
FLUSH_TIMEOUT_S = 5.0


class Broker:
    """A running broker and a producer for it. `send` does not block."""

    def __init__(self, topics: Iterable[str]) -> None:
        """Start it and make the topics."""
        # librdkafka announces on standard error that this is a broker for tests: nobody who watches needs that.
        quiet: dict[str, Any] = {"logger": _silent(), "log_level": 0}
        self._producer = Producer(
            {"bootstrap.servers": "", "test.mock.num.brokers": 1, "linger.ms": 1, "partitioner": "murmur2", **quiet}
        )
        brokers = self._producer.list_topics(timeout=START_TIMEOUT_S).brokers.values()
        self.servers = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        # This broker makes a topic when somebody asks for it; it does not answer an admin client's request to do so.
        for topic in topics:
            self._producer.list_topics(topic, timeout=START_TIMEOUT_S)

    def __enter__(self) -> Self:
        """The broker."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """The broker itself ends with the last reference to the producer."""
        self._producer.purge()
        self._producer.flush(FLUSH_TIMEOUT_S)

    def send(self, messages: Iterable[Message]) -> int:
        """Hand messages to the producer. Returns how many."""
        sent = 0
        for message in messages:
            try:
                self._producer.produce(message.topic, message.value, message.key)
            except (BufferError, KafkaException):
                # The demo's broker is in this process: a full queue means that it stands still, and more will not help.
                break
            sent += 1
        self._producer.poll(0)
        return sent

    def flush(self) -> None:
        """Wait until everything sent is in the broker."""
        self._producer.flush(FLUSH_TIMEOUT_S)


def _silent() -> logging.Logger:
    logger = logging.getLogger("offramp.demo.broker")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger

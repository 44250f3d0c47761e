"""A Kafka topic of persons, distinct ids or groups, read to the end that it had at the start and then followed.

Its position is the caller's: partitions are assigned by hand, nothing is committed, no consumer group is joined. It
refuses to create topics and to give up: a broker that is away or a topic that does not exist yet is waited for.

Units: positions are offsets. Limits: 64 MiB of messages fetched ahead.
Blocking: waits up to 0.1 s for messages while restoring, and up to 2 s for each answer about the topic: until it is
found, and once a minute to notice new partitions.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.person_inputs import KafkaTopic
from connectors.person_reader import BATCH, NOTHING, Batch, RareLog, RawMessage
from connectors.person_table import Position

_CALL_TIMEOUT_S: Final = 2.0
_RESTORE_WAIT_S: Final = 0.1
_RETRY_S: Final = 0.5
_PARTITION_CHECK_S: Final = 60.0
_log = logging.getLogger(__name__)

_DEFAULTS: Final[dict[str, Any]] = {
    "group.id": "offramp-persons",
    "queued.max.messages.kbytes": 65_536,
    "socket.keepalive.enable": True,
    # librdkafka would write to standard error by itself; what matters comes through the error callback.
    "log_level": 0,
}
# What the reading of positions rests on; a user's setting does not change it.
_FIXED: Final[dict[str, Any]] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    # Where to go on when retention or compaction has overtaken the position.
    "auto.offset.reset": "earliest",
    "allow.auto.create.topics": False,
}


class TopicReader:
    """A Reader of one topic, all partitions. Raises ValueError when the client refuses its settings."""

    def __init__(
        self, source: KafkaTopic, stored: Mapping[str, Position], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.stream = source.stream
        self.restored = False
        self._topic = source.topic
        self._servers = source.servers
        self._stored = dict(stored)
        self._clock = clock
        self._cluster = ""
        self._next: dict[int, int] = {}
        self._targets: dict[int, int] = {}
        self._connected = False
        self._look_at = 0.0
        self._last_error = ""
        self._lost = RareLog(_log, clock=clock)
        settings = _DEFAULTS | source.config | _FIXED
        try:
            self._consumer = Consumer(
                settings | {"bootstrap.servers": source.servers, "error_cb": self._on_client_error}
            )
        except KafkaException as error:
            raise ValueError(f"{self.stream}: the Kafka client refuses a setting: {_text(error)}") from None

    def read(self) -> Batch:
        """See Reader."""
        try:
            self._look()
            if not self._connected:
                # Serves the error callback, which knows why.
                self._consumer.poll(0)
                return NOTHING
            return self._sort(self._consumer.consume(BATCH, 0.0 if self.restored else _RESTORE_WAIT_S))
        except KafkaException as error:
            self._warn(_text(error))
            return NOTHING

    def remaining(self) -> int:
        """See Reader; compaction may have left fewer than this."""
        # A copy: `progress` is asked from other threads.
        return sum(max(0, target - self._next[partition]) for partition, target in self._targets.copy().items())

    def close(self) -> None:
        """See Reader."""
        self._consumer.close()

    def _look(self) -> None:
        """Find the topic's partitions: often until it is there, then now and then because partitions can be added."""
        if self._clock() < self._look_at:
            return
        self._look_at = self._clock() + _RETRY_S
        metadata = self._consumer.list_topics(self._topic, timeout=_CALL_TIMEOUT_S)
        found = metadata.topics[self._topic]
        if found.error is not None or not found.partitions:
            reason = found.error.str() if found.error is not None else "it has no partitions yet"
            self._warn(f"the topic cannot be read: {reason}; create it or correct its name")
            return
        if set(found.partitions) != set(self._next):
            self._cluster = metadata.cluster_id or ""
            self._assign(sorted(found.partitions))
        if set(found.partitions) == set(self._next):
            self._look_at = self._clock() + _PARTITION_CHECK_S

    def _assign(self, partitions: list[int]) -> None:
        starts, targets = {}, {}
        for partition in partitions:
            watermarks = self._consumer.get_watermark_offsets(
                TopicPartition(self._topic, partition), timeout=_CALL_TIMEOUT_S
            )
            if watermarks is None:
                self._warn(f"no answer about partition {partition}")
                return
            low, high = watermarks
            starts[partition] = self._start(partition, low, high)
            targets[partition] = high
        self._consumer.assign([TopicPartition(self._topic, partition, at) for partition, at in starts.items()])
        self._next = starts
        if not self._connected:
            self._targets = targets
            self._connected = True
        self._forget_reached()

    def _start(self, partition: int, low: int, high: int) -> int:
        """Where to read on: behind what the table has, if this is still the log that it was read from."""
        if partition in self._next:
            return self._next[partition]
        name = f"{self.stream}/{partition}"
        stored = self._stored.get(name)
        if stored is None:
            return low
        # Not every broker tells its cluster's id; an unknown one proves nothing.
        if stored.fingerprint and self._cluster and stored.fingerprint != self._cluster:
            _log.warning("%s: is on another Kafka cluster than before; reading it from its beginning", name)
            return low
        if stored.next > high:
            _log.warning(
                "%s: ends at offset %d, before the stored %d: the topic was made anew; reading it from its beginning",
                name,
                high,
                stored.next,
            )
            return low
        return max(stored.next, low)

    def _sort(self, received: list[Message]) -> Batch:
        messages = []
        moved = set()
        for message in received:
            error, partition, offset = message.error(), message.partition(), message.offset()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                self._warn(error.str())
                continue
            if partition is None or offset is None:
                continue
            if error is None:
                messages.append(RawMessage(message.value(), partition, offset))
                self._last_error = ""
                offset += 1
            else:
                # The end may lie behind offsets that hold no message any more.
                self._targets.pop(partition, None)
            if self._next[partition] != offset:
                self._next[partition] = offset
                moved.add(partition)
        self._forget_reached()
        return Batch(messages, {f"{self.stream}/{p}": Position(self._next[p], self._cluster) for p in moved})

    def _forget_reached(self) -> None:
        self._targets = {p: target for p, target in self._targets.items() if self._next[p] < target}
        self.restored = self.restored or not self._targets

    def _on_client_error(self, error: KafkaError) -> None:
        self._last_error = error.str()
        self._warn(self._last_error)

    def _warn(self, reason: str) -> None:
        known = f" ({self._last_error})" if self._last_error and self._last_error != reason else ""
        self._lost.warning("%s at %s: %s%s; trying again until it answers", self.stream, self._servers, reason, known)


def _text(error: KafkaException) -> str:
    cause = error.args[0] if error.args else error
    return cause.str() if isinstance(cause, KafkaError) else str(cause)

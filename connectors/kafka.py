"""A Kafka topic as a log: positions are offsets, kept by the caller. Nothing is committed, no consumer group is joined.

A broker that is away, for whatever reason, is waited for. Offsets that retention has deleted are skipped, counted and
told in the log; a topic that ends before the position that was saved is read from its start, which is told as an error.
It refuses to create topics.

Units: positions are offsets, times milliseconds. Limits: 8 MiB of messages fetched ahead per reader
(`queued.max.messages.kbytes`).
Blocking: only what `Log` says may wait, up to `wait_s`; a reader never.
"""

import difflib
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from connectors.absence import Absence
from connectors.kafka_topic import retention_s
from connectors.kafka_watch import TopicWatch, with_hint
from connectors.log import END, LogError
from records import Message

_log = logging.getLogger(__name__)

_DEFAULTS: Final[dict[str, Any]] = {
    "group.id": "offramp",
    "client.id": "offramp",
    # A broker answers as soon as it has something. This is how long it may hold a fetch when it has nothing, and so how
    # long a seek may have to wait for the fetch before it.
    "fetch.wait.max.ms": 100,
    # How long librdkafka pauses when its queue is full; its own default, 1 s, would empty the queue meanwhile.
    "fetch.queue.backoff.ms": 5,
    "queued.max.messages.kbytes": 8192,
    "socket.keepalive.enable": True,
    "reconnect.backoff.max.ms": 2000,
    # How soon the end of an outage, new partitions and the lag are noticed where no message tells.
    "statistics.interval.ms": 5000,
    # librdkafka would write to standard error by itself; what matters comes through the callbacks.
    "log_level": 0,
}
# What the reading of positions rests on; a user's setting does not change it.
_FIXED: Final[dict[str, Any]] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    # Told, not followed silently: the offsets that are gone must be counted.
    "auto.offset.reset": "error",
    "allow.auto.create.topics": False,
}
_ASK_AGAIN_S: Final = 0.5


class KafkaLog:
    """One topic. `config` is for librdkafka (SASL, TLS, …); `wait_s` is how long a broker or topic is waited for.

    `clock` is for `gone_s`; for `compacted` see Log.
    """

    replayable = True

    def __init__(
        self,
        servers: str,
        topic: str,
        config: Mapping[str, Any] | None = None,
        wait_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        compacted: bool = False,
    ) -> None:
        self.stream = f"kafka:{topic}"
        self.compacted = compacted
        self._servers = servers
        self._topic = topic
        self._wait_s = wait_s
        self._settings = _DEFAULTS | dict(config or {}) | _FIXED | {"bootstrap.servers": servers}
        self._watch = TopicWatch(self.stream, servers, topic)
        self._absence = Absence(self._there, clock)

    def partitions(self) -> list[int]:
        """See Log."""
        give_up_at = time.monotonic() + self._wait_s
        with self._asking() as asker:
            while True:
                topics = asker.list_topics(timeout=self._wait_s).topics
                found = topics.get(self._topic)
                if found is not None and found.partitions:
                    partitions = sorted(found.partitions)
                    self._watch.started_with(partitions)
                    return partitions
                if time.monotonic() > give_up_at:
                    raise LogError(self._no_such_topic(list(topics)))
                time.sleep(_ASK_AGAIN_S)

    def reader(self, partition: int, until_end: bool = False) -> "KafkaReader":
        """See Log. Raises LogError when librdkafka refuses a setting."""
        try:
            return KafkaReader(self._topic, partition, self._settings, self._watch)
        except KafkaException as error:
            raise LogError(f"{self.stream}: the Kafka client refuses a setting: {_text(error)}") from None

    def start_offset(self, partition: int) -> int:
        """See Log."""
        return self._watermarks(partition)[0]

    def end_offset(self, partition: int) -> int:
        """See Log."""
        return self._watermarks(partition)[1]

    def offset_at(self, partition: int, time_s: float) -> int:
        """See Log: by the time that the topic keeps with each message, of the producer or of the broker."""
        with self._asking() as asker:
            question = TopicPartition(self._topic, partition, int(time_s * 1000))
            [answer] = asker.offsets_for_times([question], timeout=self._wait_s)
        if answer.error is not None:
            raise LogError(f"{self.stream}: partition {partition}: {with_hint(answer.error)}")
        # A negative one is a name for the end.
        return answer.offset if answer.offset >= 0 else self.end_offset(partition)

    def align(self, partition: int, offset: int) -> int:
        """See Log: every offset is one."""
        return offset

    def retention_s(self) -> float | None:
        """See Log: `retention.ms`, where the topic deletes. By size it may delete sooner."""
        return retention_s(self._settings, self._topic, self._wait_s)

    def lag(self, partition: int, offset: int) -> int | None:
        """See Log: as some reader of this log heard it, some seconds ago at most."""
        end = self._watch.end_of(partition)
        return None if end is None else max(0, end - offset)

    def gone_s(self, partition: int) -> float:
        """See Log: by what the brokers say of the topic. A reader does not learn it: librdkafka keeps on trying."""
        return self._absence.gone_s(partition)

    def _there(self) -> Collection[int] | None:
        try:
            with self._asking() as asker:
                # By its name: a topic that this user may not see is refused then, and not just left out.
                found = asker.list_topics(self._topic, timeout=self._wait_s).topics[self._topic]
        except LogError:
            return None
        if found.error is None:
            return list(found.partitions)
        return [] if found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART else None

    def _watermarks(self, partition: int) -> tuple[int, int]:
        with self._asking() as asker:
            watermarks = asker.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=self._wait_s)
        if watermarks is None:
            raise LogError(f"{self.stream}: no broker at {self._servers} tells the offsets of partition {partition}")
        return watermarks

    @contextmanager
    def _asking(self) -> Iterator[Consumer]:
        """A client for questions at the start; what fails comes out as a LogError that says why."""
        causes: list[KafkaError] = []
        try:
            asker = Consumer(self._settings | {"error_cb": causes.append})
        except KafkaException as error:
            raise LogError(f"{self.stream}: the Kafka client refuses a setting: {_text(error)}") from None
        try:
            yield asker
        except KafkaException as error:
            asker.poll(0)  # Brings the reasons, which the error itself does not have.
            telling = [cause for cause in causes if cause.code() != KafkaError._ALL_BROKERS_DOWN]
            why = with_hint(telling[-1]) if telling else f"{_text(error)}; check the address and security.protocol"
            raise LogError(f"{self.stream}: no answer from {self._servers} within {self._wait_s:g} s: {why}") from None
        finally:
            asker.close()

    def _no_such_topic(self, topics: list[str]) -> str:
        close = difflib.get_close_matches(self._topic, topics, n=3)
        hint = (
            f"did you mean {' or '.join(repr(name) for name in close)}?" if close else "create it or correct its name"
        )
        return f"{self.stream}: there is no topic {self._topic!r} at {self._servers}; {hint}"


class KafkaReader:
    """A LogReader of one partition, with a consumer of its own. Raises KafkaException when a setting is refused."""

    def __init__(self, topic: str, partition: int, settings: Mapping[str, Any], watch: TopicWatch) -> None:
        self.next_offset = 0
        self.missing = 0
        self._topic = topic
        self._partition = partition
        self._stream = f"kafka:{topic}"
        self._watch = watch
        self._ended = False
        self._finding_start = False
        self._told: set[int] = set()
        callbacks: dict[str, Callable[[Any], None]] = {
            "error_cb": lambda error: watch.on_error(self, error),
            "stats_cb": lambda text: watch.on_statistics(self, text),
        }
        self._consumer = Consumer(dict(settings) | callbacks)

    def seek(self, offset: int) -> None:
        """See LogReader."""
        self.next_offset = offset
        self._ended = self._finding_start = False
        where = OFFSET_END if offset == END else offset
        self._consumer.assign([TopicPartition(self._topic, self._partition, where)])

    def read(self, limit: int) -> list[Message]:
        """See LogReader."""
        messages: list[Message] = []
        stream, partition = self._stream, self._partition
        for received in self._consumer.consume(limit, 0):
            error, offset = received.error(), received.offset()
            if error is not None:
                self._on_error(error, offset)
            elif offset is not None:
                if self._finding_start:
                    self._start_found(offset)
                messages.append(Message(stream, partition, offset, received.value(), received.timestamp()[1]))
                self.next_offset = offset + 1
                self._ended = False
        if messages:
            self._told.clear()
            self._watch.up(self)
        return messages

    def at_end(self) -> bool:
        """See LogReader."""
        return self._ended

    def close(self) -> None:
        """See LogReader."""
        self._watch.forget(self)
        self._consumer.close()

    def _on_error(self, error: KafkaError, offset: int | None) -> None:
        if error.code() == KafkaError._PARTITION_EOF and offset is not None:
            if self._finding_start:
                self._start_found(offset)
            # The end may lie behind offsets that hold no message: compacted away, or marks of a transaction.
            self.next_offset = offset
            self._ended = True
            self._watch.ends_at(self._partition, offset)
            self._watch.up(self)
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            self._finding_start = True
            self._consumer.assign([TopicPartition(self._topic, self._partition, OFFSET_BEGINNING)])
        elif error.code() not in self._told:
            self._told.add(error.code())
            _log.warning("%s/%d: %s; trying again", self._stream, self._partition, with_hint(error))

    def _start_found(self, earliest: int) -> None:
        """The first position that there is, after the one that was asked for turned out not to be."""
        self._finding_start = False
        where = f"{self._stream}/{self._partition}"
        if earliest > self.next_offset:
            gone = earliest - self.next_offset
            self.missing += gone
            _log.warning(
                "%s: offsets %d to %d (%d) are gone, retention has deleted them; continuing at %d",
                where,
                self.next_offset,
                earliest - 1,
                gone,
                earliest,
            )
        else:
            _log.error(
                "%s: the saved position %d lies behind the end, %d: the topic was cut back, or deleted and made anew; "
                "continuing at its start, %d, so that nothing that is in it is lost: what of it was sent before is "
                "sent again, with the same webhook-id",
                where,
                self.next_offset,
                self._end(earliest),
                earliest,
            )
        self.next_offset = earliest

    def _end(self, earliest: int) -> int:
        """Where the partition ends, as the answer that brought its earliest message has told. Asks nobody."""
        where = TopicPartition(self._topic, self._partition)
        _, end = self._consumer.get_watermark_offsets(where, cached=True) or (0, 0)
        # Nothing was heard of it where there was no message.
        return max(end, earliest)


def _text(error: KafkaException) -> str:
    cause = error.args[0] if error.args else error
    return cause.str() if isinstance(cause, KafkaError) else str(cause)

"""What the readers of one topic know together: whether the brokers answer, where partitions end, how many there are.

One line in the log when the brokers are gone and one when they are back, however many partitions there are. Thread-
safe.
"""

import logging
import threading
from collections.abc import Iterable

import msgspec
from confluent_kafka import KafkaError

_log = logging.getLogger(__name__)

_HINTS = {
    KafkaError._AUTHENTICATION: "check sasl.mechanism, sasl.username and sasl.password",
    KafkaError._SSL: "check security.protocol and the ssl.* settings",
    KafkaError._RESOLVE: "check the host's name",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "let this user read the topic",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "let this user use the group, or set group.id to one it may use",
    KafkaError.UNKNOWN_TOPIC_OR_PART: "it was deleted, or its name is wrong",
    KafkaError._UNKNOWN_TOPIC: "it was deleted, or its name is wrong",
    KafkaError._UNKNOWN_PARTITION: "the topic was made anew with fewer partitions; restart to read the new one",
}

_GONE = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)


class _Broker(msgspec.Struct):
    state: str = ""


class _Partition(msgspec.Struct):
    hi_offset: int = -1
    unknown: bool = False


class _Topic(msgspec.Struct):
    partitions: dict[str, _Partition] = {}


class _Statistics(msgspec.Struct):
    brokers: dict[str, _Broker] = {}
    topics: dict[str, _Topic] = {}


_STATISTICS = msgspec.json.Decoder(_Statistics)


def with_hint(error: KafkaError) -> str:
    """The error's text and, where there is something to be done, what."""
    hint = _HINTS.get(error.code())
    return f"{error.str()}; {hint}" if hint else error.str()


class TopicWatch:
    """Shared by the readers of one topic; a reader is named by its partition or any other key of its own."""

    def __init__(self, stream: str, servers: str, topic: str) -> None:
        """Start with nothing known."""
        self._stream = stream
        self._servers = servers
        self._topic = topic
        self._lock = threading.Lock()
        self._cut_off: set[object] = set()
        self._causes: dict[object, str] = {}
        self._ends: dict[int, int] = {}
        self._partitions: set[int] = set()
        self._told_gone = False

    def on_error(self, reader: object, error: KafkaError) -> None:
        """What librdkafka says about the connections of a reader."""
        if error.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL):
            self._down(reader, with_hint(error))
        elif error.code() in _GONE:
            self._gone(error)
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:
            with self._lock:
                cause = self._causes.get(reader, error.str())
            self._down(reader, cause)
        else:
            # One broker of several, or the reason that comes before "all are down": no outage by itself.
            with self._lock:
                self._causes[reader] = with_hint(error)

    def on_statistics(self, reader: object, text: str) -> None:
        """What librdkafka's statistics say: brokers up, ends of partitions, partitions that were added."""
        try:
            statistics = _STATISTICS.decode(text)
        except msgspec.DecodeError:
            return
        if any(broker.state == "UP" for broker in statistics.brokers.values()):
            self.up(reader)
        topic = statistics.topics.get(self._topic, _Topic())
        known = {int(key): partition for key, partition in topic.partitions.items() if not partition.unknown}
        for partition, told in known.items():
            if partition >= 0 and told.hi_offset >= 0:
                self.ends_at(partition, told.hi_offset)
        self._look_for_new(partition for partition in known if partition >= 0)

    def up(self, reader: object) -> None:
        """The brokers answer this reader."""
        if not self._cut_off:
            return
        with self._lock:
            if reader not in self._cut_off:
                return
            self._cut_off.discard(reader)
            back = not self._cut_off
        if back:
            _log.info("%s: the brokers at %s answer again; reading continues", self._stream, self._servers)

    def forget(self, reader: object) -> None:
        """The reader is closed."""
        with self._lock:
            self._cut_off.discard(reader)
            self._causes.pop(reader, None)

    def started_with(self, partitions: Iterable[int]) -> None:
        """The partitions that are read."""
        self._partitions = set(partitions)

    def ends_at(self, partition: int, offset: int) -> None:
        """Where a partition ended just now."""
        self._ends[partition] = offset

    def end_of(self, partition: int) -> int | None:
        """Where a partition ended when last heard of."""
        return self._ends.get(partition)

    def _down(self, reader: object, reason: str) -> None:
        with self._lock:
            first = not self._cut_off
            self._cut_off.add(reader)
        if first:
            _log.warning(
                "%s: no broker at %s answers: %s; reading continues by itself when one does",
                self._stream,
                self._servers,
                reason,
            )

    def _gone(self, error: KafkaError) -> None:
        with self._lock:
            first, self._told_gone = not self._told_gone, True
        if first:
            text = "%s: the brokers at %s say: %s; nothing is read of it until it is there again"
            _log.error(text, self._stream, self._servers, with_hint(error))

    def _look_for_new(self, partitions: Iterable[int]) -> None:
        with self._lock:
            new = sorted(set(partitions) - self._partitions) if self._partitions else []
            self._partitions.update(new)
        if new:
            _log.warning(
                "%s: partitions were added (%s); restart to read them too", self._stream, ", ".join(map(str, new))
            )

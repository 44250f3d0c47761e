import logging
import socket
import threading
import time
import uuid
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient, NewPartitions

from connectors.kafka import KafkaLog, KafkaReader
from connectors.kafka_watch import TopicWatch
from connectors.log import END, LogError
from records import Message
from tests.integration.stand import until
from tests.kafka_broker import KafkaBroker

PATIENCE_S = 60


@pytest.fixture(scope="module")
def mock() -> Producer:
    """A producer that carries librdkafka's own broker; that makes a topic of four partitions when asked about one."""
    return Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 0})


@pytest.fixture(scope="module")
def servers(mock: Producer) -> str:
    return ",".join(f"{broker.host}:{broker.port}" for broker in mock.list_topics(timeout=10).brokers.values())


@pytest.fixture
def topic(mock: Producer) -> str:
    name = uuid.uuid4().hex
    mock.list_topics(name, timeout=10)
    return name


def produce(mock: Producer, topic: str, *values: bytes | None, partition: int = 0) -> None:
    for value in values:
        mock.produce(topic, value, partition=partition, timestamp=1_700_000_000_123)
    assert mock.flush(10) == 0


def wait_for(reader: KafkaReader, enough: Callable[[list[Message]], bool]) -> list[Message]:
    """Read until what came is enough."""
    messages: list[Message] = []
    pause = threading.Event()
    give_up_at = time.monotonic() + PATIENCE_S
    while not enough(messages):
        messages += reader.read(100)
        pause.wait(0.002)
        assert time.monotonic() < give_up_at, f"only {len(messages)} messages came"
    return messages


def read_count(reader: KafkaReader, count: int) -> list[Message]:
    return wait_for(reader, lambda messages: len(messages) >= count)


def read_to_end(reader: KafkaReader) -> list[Message]:
    return wait_for(reader, lambda _: reader.at_end())


def test_messages_with_their_positions_times_and_null_values(mock: Producer, servers: str, topic: str) -> None:
    produce(mock, topic, b"a", None, b"")
    reader = KafkaLog(servers, topic).reader(0)
    reader.seek(0)
    values = (b"a", None, b"")
    assert read_to_end(reader) == [
        Message(f"kafka:{topic}", 0, offset, value, 1_700_000_000_123) for offset, value in enumerate(values)
    ]
    assert (reader.next_offset, reader.missing) == (3, 0)
    reader.close()


def test_the_end_is_only_the_end_until_something_comes(mock: Producer, servers: str, topic: str) -> None:
    log = KafkaLog(servers, topic)
    reader = log.reader(1)
    reader.seek(0)
    assert read_to_end(reader) == []
    produce(mock, topic, b"a", partition=1)
    assert [message.offset for message in read_count(reader, 1)] == [0]
    read_to_end(reader)
    assert log.lag(1, 0) == 1
    reader.close()


def test_seeks_forth_and_back(mock: Producer, servers: str, topic: str) -> None:
    produce(mock, topic, *[b"%d" % number for number in range(300)])
    reader = KafkaLog(servers, topic).reader(0)
    for offset in (250, 10, 299, 0):
        reader.seek(offset)
        assert not reader.at_end()
        assert read_count(reader, 1)[0].offset == offset
    reader.close()


def test_reading_on_from_the_end_wherever_it_is(mock: Producer, servers: str, topic: str) -> None:
    produce(mock, topic, b"a", b"b")
    reader = KafkaLog(servers, topic).reader(0)
    reader.seek(END)
    assert reader.next_offset == END
    assert read_to_end(reader) == []
    assert (reader.next_offset, reader.missing) == (2, 0)
    produce(mock, topic, b"c")
    assert [message.offset for message in read_count(reader, 1)] == [2]
    reader.close()


def test_partitions_and_ends(mock: Producer, servers: str, topic: str) -> None:
    produce(mock, topic, b"a", b"b")
    log = KafkaLog(servers, topic)
    assert log.partitions() == [0, 1, 2, 3]
    assert (log.start_offset(0), log.end_offset(0), log.end_offset(1)) == (0, 2, 0)
    assert log.lag(0, 0) is None, "nobody has read yet"


def test_the_limit_of_a_read(mock: Producer, servers: str, topic: str) -> None:
    produce(mock, topic, *[b"x"] * 50)
    reader = KafkaLog(servers, topic).reader(0)
    reader.seek(0)
    sizes = set()
    while not reader.at_end():
        sizes.add(len(reader.read(7)))
    assert max(sizes) == 7
    reader.close()


def test_settings_of_the_user_win_except_where_positions_rest_on_them(mock: Producer, servers: str, topic: str) -> None:
    produce(mock, topic, b"a")
    log = KafkaLog(
        servers, topic, {"client.id": "mine", "enable.partition.eof": "false", "auto.offset.reset": "latest"}
    )
    reader = log.reader(0)
    reader.seek(0)
    assert len(read_to_end(reader)) == 1
    reader.close()


def test_what_is_wrong_at_the_start_is_told(servers: str, topic: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"127.0.0.1:{closed.getsockname()[1]}"
    refused = f"{nobody}/bootstrap: Connect to ipv4#{nobody} failed: Connection refused"
    cases = [
        (
            KafkaLog(servers, topic[:-1], wait_s=0.6),
            f"kafka:{topic[:-1]}: there is no topic '{topic[:-1]}' at {servers}; did you mean '{topic}'?",
        ),
        (
            KafkaLog(servers, "quite-another", wait_s=0.6),
            f"kafka:quite-another: there is no topic 'quite-another' at {servers}; create it or correct its name",
        ),
        (KafkaLog(nobody, "t", wait_s=0.6), f"kafka:t: no answer from {nobody} within 0.6 s: {refused}"),
        (
            KafkaLog(servers, "t", {"nonsense": "1"}),
            'kafka:t: the Kafka client refuses a setting: No such configuration property: "nonsense"',
        ),
    ]
    for log, text in cases:
        with pytest.raises(LogError) as told:
            log.partitions()
        assert str(told.value).startswith(text)


def test_a_topic_that_comes_a_little_later_is_waited_for(mock: Producer, servers: str) -> None:
    name = f"late-{uuid.uuid4().hex[:8]}"
    creation = threading.Timer(0.2, lambda: mock.list_topics(name, timeout=10))
    creation.start()
    assert KafkaLog(servers, name).partitions() == [0, 1, 2, 3]
    creation.join()


@pytest.fixture
def watch(caplog: pytest.LogCaptureFixture) -> TopicWatch:
    caplog.set_level(logging.INFO)
    return TopicWatch("kafka:t", "broker:9092", "t")


def test_one_line_for_an_outage_and_one_for_its_end(watch: TopicWatch, caplog: pytest.LogCaptureFixture) -> None:
    for reader in ("first", "second"):
        watch.on_error(reader, KafkaError(KafkaError._TRANSPORT, "Connection refused"))
        watch.on_error(reader, KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))
    watch.up("first")
    watch.on_statistics("second", '{"brokers":{"b:1/1":{"state":"CONNECT"}}}')
    assert len(caplog.messages) == 1
    watch.on_statistics("second", '{"brokers":{"b:1/1":{"state":"UP"}}}')
    watch.up("second")
    assert caplog.messages == [
        "kafka:t: no broker at broker:9092 answers: Connection refused; reading continues by itself when one does",
        "kafka:t: the brokers at broker:9092 answer again; reading continues",
    ]


def test_one_broker_of_several_is_no_outage(watch: TopicWatch, caplog: pytest.LogCaptureFixture) -> None:
    watch.on_error("first", KafkaError(KafkaError._TRANSPORT, "Disconnected"))
    assert caplog.messages == []


def test_a_closed_reader_does_not_prolong_an_outage(watch: TopicWatch, caplog: pytest.LogCaptureFixture) -> None:
    for reader in ("first", "second"):
        watch.on_error(reader, KafkaError(KafkaError._ALL_BROKERS_DOWN, "all down"))
    watch.forget("first")
    watch.up("second")
    assert len(caplog.messages) == 2


def test_a_refused_login_says_what_to_look_at(watch: TopicWatch, caplog: pytest.LogCaptureFixture) -> None:
    watch.on_error("first", KafkaError(KafkaError._AUTHENTICATION, "SASL authentication error"))
    assert caplog.messages == [
        "kafka:t: no broker at broker:9092 answers: SASL authentication error; check sasl.mechanism, sasl.username and "
        "sasl.password; reading continues by itself when one does"
    ]


def test_a_topic_that_is_deleted_while_it_is_read_is_said_once(
    kafka: KafkaBroker, caplog: pytest.LogCaptureFixture
) -> None:
    topic = kafka.create_topic()
    kafka.produce(topic, [b"x"])
    reader = KafkaLog(kafka.servers, topic).reader(0)
    reader.seek(0)
    assert len(read_to_end(reader)) == 1
    admin = AdminClient({"bootstrap.servers": kafka.servers})
    admin.delete_topics([topic])[topic].result(30)

    def said() -> bool:
        reader.read(10)
        return bool(caplog.messages)

    until("somebody says so", said)
    reader.close()
    assert [message for message in caplog.messages if "nothing is read of it until it is there again" in message]


def test_partitions_that_were_added_are_told_once(watch: TopicWatch, caplog: pytest.LogCaptureFixture) -> None:
    watch.started_with([0])
    statistics = '{"topics":{"t":{"partitions":{"0":{"hi_offset":9},"1":{},"2":{"unknown":true},"-1":{}}}}}'
    watch.on_statistics("first", statistics)
    watch.on_statistics("second", statistics)
    assert caplog.messages == ["kafka:t: partitions were added (1); restart to read them too"]
    assert (watch.end_of(0), watch.end_of(1)) == (9, None)


def test_a_broker_that_is_killed_and_restarted_in_the_middle(
    kafka: KafkaBroker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    topic = kafka.create_topic()
    kafka.produce(topic, [b"%d" % number for number in range(1000)])
    reader = KafkaLog(kafka.servers, topic).reader(0)
    reader.seek(0)
    messages = read_count(reader, 200)
    kafka.kill()
    messages += wait_for(reader, lambda _: bool(caplog.messages))
    kafka.restart()
    kafka.produce(topic, [b"after"])
    messages += read_count(reader, 1001 - len(messages))
    reader.close()
    assert [message.value for message in messages] == [b"%d" % number for number in range(1000)] + [b"after"]
    assert [message.partition(" answer")[0].rpartition(":")[0] for message in caplog.messages] == [
        f"kafka:{topic}: no broker at 127.0.0.1",
        f"kafka:{topic}: the brokers at 127.0.0.1",
    ]


def test_offsets_that_retention_has_deleted_are_counted_and_told(
    kafka: KafkaBroker, caplog: pytest.LogCaptureFixture
) -> None:
    topic = kafka.create_topic()
    kafka.produce(topic, [b"x"] * 100)
    kafka.delete_before(topic, 60)
    log = KafkaLog(kafka.servers, topic)
    assert (log.start_offset(0), log.end_offset(0)) == (60, 100)
    reader = log.reader(0)
    reader.seek(10)
    assert [message.offset for message in read_to_end(reader)] == list(range(60, 100))
    assert (reader.missing, reader.next_offset) == (50, 100)
    assert caplog.messages == [
        f"kafka:{topic}/0: offsets 10 to 59 (50) are gone, retention has deleted them; continuing at 60"
    ]
    kafka.delete_before(topic, 100)
    reader.seek(80)
    assert read_to_end(reader) == []
    assert (reader.missing, reader.next_offset) == (70, 100)
    reader.close()


def test_a_position_behind_the_end_means_the_topic_was_made_anew(
    kafka: KafkaBroker, caplog: pytest.LogCaptureFixture
) -> None:
    topic = kafka.create_topic()
    kafka.produce(topic, [b"x"] * 5)
    reader = KafkaLog(kafka.servers, topic).reader(0)
    reader.seek(1000)
    assert [message.offset for message in read_to_end(reader)] == [0, 1, 2, 3, 4]
    assert reader.missing == 0
    reader.close()
    empty = kafka.create_topic()
    reader = KafkaLog(kafka.servers, empty).reader(0)
    reader.seek(7)
    assert read_to_end(reader) == []
    assert reader.next_offset == 0
    reader.close()
    what = (
        "the topic was cut back, or deleted and made anew; continuing at its start, 0, so that nothing that is in it "
        "is lost: what of it was sent before is sent again, with the same webhook-id"
    )
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", f"kafka:{topic}/0: the saved position 1000 lies behind the end, 5: {what}"),
        ("ERROR", f"kafka:{empty}/0: the saved position 7 lies behind the end, 0: {what}"),
    ]


def test_offsets_without_messages_are_passed_over(kafka: KafkaBroker) -> None:
    topic = kafka.create_topic()
    producer = Producer({"bootstrap.servers": kafka.servers, "transactional.id": topic})
    producer.init_transactions(30)
    for committed in (True, False, True):
        producer.begin_transaction()
        producer.produce(topic, b"committed" if committed else b"aborted", partition=0)
        if committed:
            producer.commit_transaction(30)
        else:
            producer.flush(30)
            producer.abort_transaction(30)
    reader = KafkaLog(kafka.servers, topic).reader(0)
    reader.seek(0)
    messages = read_to_end(reader)
    assert [(message.offset, message.value) for message in messages] == [(0, b"committed"), (4, b"committed")]
    assert (reader.next_offset, reader.missing) == (6, 0)
    reader.close()


def test_nothing_is_committed_and_no_topic_is_made(kafka: KafkaBroker) -> None:
    topic = kafka.create_topic()
    kafka.produce(topic, [b"x"])
    log = KafkaLog(kafka.servers, topic, {"group.id": f"group-of-{topic}"})
    reader = log.reader(0)
    reader.seek(log.start_offset(0))
    read_to_end(reader)
    reader.close()
    with pytest.raises(LogError):
        KafkaLog(kafka.servers, f"{topic}-typo", wait_s=0.1).partitions()
    admin = AdminClient({"bootstrap.servers": kafka.servers})
    assert f"{topic}-typo" not in admin.list_topics(timeout=10).topics
    groups = admin.list_consumer_groups().result(10).valid
    assert f"group-of-{topic}" not in {group.group_id for group in groups}


def test_added_partitions_are_seen_by_a_running_reader(kafka: KafkaBroker, caplog: pytest.LogCaptureFixture) -> None:
    topic = kafka.create_topic()
    log = KafkaLog(kafka.servers, topic, {"topic.metadata.refresh.interval.ms": 100, "statistics.interval.ms": 100})
    log.partitions()
    reader = log.reader(0)
    reader.seek(0)
    read_to_end(reader)
    admin = AdminClient({"bootstrap.servers": kafka.servers})
    admin.create_partitions([NewPartitions(topic, 2)])[topic].result(30)
    wait_for(reader, lambda _: bool(caplog.messages))
    assert caplog.messages == [f"kafka:{topic}: partitions were added (1); restart to read them too"]
    reader.close()


def test_a_place_is_found_by_the_time_of_its_message(kafka: KafkaBroker) -> None:
    topic = kafka.create_topic(2)
    producer = Producer({"bootstrap.servers": kafka.servers})
    for second in (100, 200, 300):
        producer.produce(topic, b"{}", partition=1, timestamp=1_700_000_000_000 + second * 1000)
    assert producer.flush(30) == 0
    log = KafkaLog(kafka.servers, topic)
    moments = [0.0, 100.0, 100.5, 300.0, 300.001]
    assert [log.offset_at(1, 1_700_000_000 + moment) for moment in moments] == [0, 0, 1, 2, 3]
    assert log.offset_at(0, 1_700_000_000) == 0, "an empty partition"
    assert log.align(1, 2) == 2


def test_how_long_a_topic_keeps_its_messages(kafka: KafkaBroker) -> None:
    week = KafkaLog(kafka.servers, kafka.create_topic(retention_ms="604800000"))
    assert week.retention_s() == 604_800.0
    assert KafkaLog(kafka.servers, kafka.create_topic(retention_ms="-1")).retention_s() is None
    assert KafkaLog(kafka.servers, kafka.create_topic(cleanup_policy="compact")).retention_s() is None
    both = kafka.create_topic(cleanup_policy="compact,delete", retention_ms="1000")
    assert KafkaLog(kafka.servers, both, {"session.timeout.ms": "45000"}).retention_s() == 1.0
    assert KafkaLog(kafka.servers, "no-such-topic", wait_s=2.0).retention_s() is None


def test_how_long_is_not_known_where_no_broker_answers() -> None:
    assert KafkaLog("127.0.0.1:1", "t", wait_s=0.2).retention_s() is None

"""A real Apache Kafka for tests: one broker on free ports of the loopback address, its data in a folder of its own."""

import base64
import signal
import subprocess
import time
import uuid
from pathlib import Path

from confluent_kafka import KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.servers.components import CACHE, MissingComponentError, jars, java
from tests.servers.process import free_ports

__all__ = ["KafkaBroker", "MissingComponentError", "cluster_id", "fetch"]

VERSION = "4.1.0"
_LIBS = CACHE / "kafka" / f"libs-{VERSION}"
_START_S = 60
_QUEUE = 50_000


def fetch() -> Path:
    """The folder of Kafka's jars, fetched with Maven the first time."""
    java("Kafka")
    return jars("Kafka", _LIBS, [f"org.apache.kafka:kafka_2.13:{VERSION}"])


class KafkaBroker:
    """One broker, `start`ed and `stop`ped by its owner."""

    def __init__(self, folder: Path) -> None:
        self._libs = fetch()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        port, controller = free_ports(2)
        self.servers = f"127.0.0.1:{port}"
        (folder / "server.properties").write_text(
            f"""process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
log.dirs={folder / "data"}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.backoff.ms=200
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
"""
        )
        cluster = cluster_id(uuid.uuid4().bytes)
        tool = self._java("kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", "server.properties")
        if tool.wait():
            raise RuntimeError(f"Kafka's storage could not be made; the end of its log:\n{self._end_of_log()}")

    def start(self) -> None:
        """Start, or start again on the same data; returns when it answers."""
        self._process = self._java("kafka.Kafka", "server.properties")
        self._wait_until_it_answers()

    def kill(self) -> None:
        """`kill -9`: no time to say goodbye."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it cleanly."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Start again after `kill` or `stop`."""
        self.start()

    def create_topic(self, partitions: int = 1, **config: str) -> str:
        """A new topic with a name that no test has used; `config` with underscores for dots."""
        name = f"t-{uuid.uuid4().hex[:12]}"
        settings = {key.replace("_", "."): value for key, value in config.items()}
        admin = AdminClient({"bootstrap.servers": self.servers})
        admin.create_topics([NewTopic(name, partitions, 1, config=settings)])[name].result(30)
        return name

    def produce(self, topic: str, values: list[bytes | None], partition: int = 0) -> None:
        """Write these, in this order, and wait until the broker has them."""
        producer = Producer({"bootstrap.servers": self.servers, "linger.ms": 5})
        for number, value in enumerate(values):
            producer.produce(topic, value, partition=partition)
            if number % _QUEUE == _QUEUE - 1:
                producer.flush(30)
        left = producer.flush(30)
        if left:
            raise TimeoutError(f"{left} messages were not taken by {self.servers}")

    def delete_before(self, topic: str, offset: int, partition: int = 0) -> None:
        """What retention does: let the partition begin at this offset."""
        admin = AdminClient({"bootstrap.servers": self.servers})
        for future in admin.delete_records([TopicPartition(topic, partition, offset)]).values():
            future.result(30)

    def _java(self, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self._folder / "kafka.log").open("ab") as log:
            command = [java("Kafka"), "-Xmx512m", "-cp", f"{self._libs}/*", *arguments]
            return subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None

    def _wait_until_it_answers(self) -> None:
        admin = AdminClient({"bootstrap.servers": self.servers, "log_level": 0})
        give_up_at = time.monotonic() + _START_S
        while time.monotonic() < give_up_at and self._process is not None and self._process.poll() is None:
            try:
                admin.list_topics(timeout=0.5)
            except KafkaException:
                continue
            return
        raise RuntimeError(f"Kafka did not start within {_START_S} s; the end of its log:\n{self._end_of_log()}")

    def _end_of_log(self) -> str:
        return (self._folder / "kafka.log").read_text(errors="replace")[-2000:]


def cluster_id(random: bytes) -> str:
    """16 bytes as Kafka writes them. Never with a '-' in front: its tools would take that for an option."""
    return base64.urlsafe_b64encode(bytes([random[0] & 0x7F]) + random[1:]).rstrip(b"=").decode()

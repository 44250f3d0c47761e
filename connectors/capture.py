"""Where events that programs capture are written: a Kafka topic, or a file of JSON lines.

Units: one event per message or line, the JSON of the capture shape. Blocking: the file is written at once, on the
caller's thread; the topic never blocks, its broker answers on a thread of its own.
"""

import asyncio
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.log import LogError

_DEFAULTS: Final[dict[str, Any]] = {
    "client.id": "offramp",
    "linger.ms": 5,
    "message.timeout.ms": 30_000,
    "log_level": 0,
}
_FIXED: Final[dict[str, Any]] = {"enable.idempotence": True, "acks": "all"}
_POLL_S: Final = 0.1
_FLUSH_S: Final = 5.0


class KafkaCapture:
    """One topic. Raises LogError when the client refuses a setting."""

    def __init__(self, servers: str, topic: str, config: Mapping[str, Any]) -> None:
        """`config` is for librdkafka (SASL, TLS, …)."""
        self._topic = topic
        try:
            self._producer = Producer(_DEFAULTS | dict(config) | _FIXED | {"bootstrap.servers": servers})
        except KafkaException as error:
            raise LogError(f"kafka:{topic}: the Kafka client refuses a setting: {error}") from None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="capture", daemon=True)
        self._thread.start()

    async def put(self, key: str, event: bytes) -> None:
        """Returns when the broker has it; raises OSError when it cannot be had."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()

        def settle(text: str) -> None:
            if not answer.done():
                answer.set_result(text)

        def delivered(error: KafkaError | None, _: Message) -> None:
            loop.call_soon_threadsafe(settle, "" if error is None else error.str())

        try:
            self._producer.produce(self._topic, event, key=key, on_delivery=delivered)
        except BufferError:
            raise OSError("the queue to the broker is full") from None
        except KafkaException as error:
            raise OSError(str(error)) from None
        if problem := await answer:
            raise OSError(problem)

    def close(self) -> None:
        """Wait a moment for what is on its way."""
        self._stopping.set()
        self._thread.join()
        self._producer.flush(_FLUSH_S)

    def _poll(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(_POLL_S)


class FileCapture:
    """One file, appended to."""

    def __init__(self, path: Path) -> None:
        """Raises LogError when it cannot be written."""
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise LogError(f"{path}: cannot be written: {error.strerror}; correct the path or its rights") from None

    async def put(self, key: str, event: bytes) -> None:
        """Returns when the line is written; raises OSError when it cannot be."""
        os.write(self._file, event + b"\n")

    def close(self) -> None:
        """Nothing waits."""
        os.close(self._file)

"""The feed of the person table: one thread that restores it from its inputs and then follows them.

It sets `ready` when each input has been read to the end that it had at the start, so that no event meets an empty
table. It refuses to stop for a message that it cannot read: such a message is counted, and logged once per kind.

Units: one row per message. Limits: at most 5,000 messages per atomic write.
Blocking: `start` and `progress` never; `close` waits for the batch in hand, and up to 2 s for a broker that is away.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from connectors.person_files import FileReader
from connectors.person_inputs import Input, KafkaTopic, Role
from connectors.person_kafka import TopicReader
from connectors.person_messages import Fault, MalformedMessageError, parse
from connectors.person_reader import Batch, RawMessage, Reader
from connectors.person_table import PersonTable, Row

_IDLE_S: Final = 0.02
_REPORT_EVERY_S: Final = 10.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far the restore is."""

    rows: int
    """Rows read since the feed started."""
    rows_per_s: float
    """Mean rate of the restore."""
    remaining: int
    """About how many rows are still to come until `ready`."""


class PersonFeed:
    """Feeds one table. `failure` tells why the feed has ended by itself; the table then keeps what it has."""

    def __init__(
        self, table: PersonTable, inputs: Sequence[Input], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Raises ValueError for an input that cannot work: no such file, a refused setting, the same input twice."""
        self.ready = threading.Event()
        self.failure: str | None = None
        self._table = table
        self._clock = clock
        self._readers = _open(inputs, table)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._skipped: Counter[tuple[str, Fault]] = Counter()
        self._rows = 0
        self._restore_rate: float | None = None
        self._started_at = self._reported_at = clock()

    def start(self) -> None:
        """Begin to read, in a thread of its own."""
        self._started_at = self._reported_at = self._clock()
        self._thread = threading.Thread(target=self._run, name="person-feed", daemon=True)
        self._thread.start()

    def progress(self) -> Progress:
        """A snapshot, from any thread."""
        rate = self._rate() if self._restore_rate is None else self._restore_rate
        return Progress(self._rows, rate, sum(reader.remaining() for _, reader in self._readers))

    def skipped(self) -> dict[tuple[str, str], int]:
        """How many messages could not be read, by input and kind."""
        return {(stream, str(fault)): count for (stream, fault), count in self._skipped.copy().items()}

    def close(self) -> None:
        """Stop reading and wait for the batch in hand. The table stays open: it is the caller's."""
        self._stopping.set()
        if self._thread is None:
            self._close_readers()
        else:
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                busy = [self._take(role, reader) for role, reader in self._readers]
                self._report()
                if not any(busy):
                    self._stopping.wait(_IDLE_S)
        except Exception as error:  # noqa: BLE001  # whatever the store raises must be seen, not die with the thread
            self.failure = f"the person feed has stopped: {error}"
            _log.error("%s; persons stay as they are until the job is started again", self.failure)
        finally:
            self._close_readers()

    def _take(self, role: Role, reader: Reader) -> bool:
        """Read one batch and apply it; true when there was any."""
        batch = reader.read()
        if batch.positions:
            self._table.apply(self._rows_of(role, reader.stream, batch), batch.positions)
            self._rows += len(batch.messages)
        return bool(batch.messages)

    def _rows_of(self, role: Role, stream: str, batch: Batch) -> list[Row]:
        rows = []
        for message in batch.messages:
            try:
                rows.append(parse(role, message.value))
            except MalformedMessageError as error:
                self._skip(role, stream, message, error)
        return rows

    def _skip(self, role: Role, stream: str, message: RawMessage, error: MalformedMessageError) -> None:
        self._skipped[stream, error.fault] += 1
        if self._skipped[stream, error.fault] == 1:
            _log.warning(
                "%s/%d offset %d: skipped a message for %s: %s; more of this kind are only counted",
                stream,
                message.partition,
                message.offset,
                role,
                error,
            )

    def _report(self) -> None:
        if self.ready.is_set():
            return
        if all(reader.restored for _, reader in self._readers):
            self._restore_rate = self._rate()
            self.ready.set()
            _log.info("person table restored: %d rows read, %d rows/s", self._rows, self._restore_rate)
        elif self._clock() - self._reported_at >= _REPORT_EVERY_S:
            self._reported_at = self._clock()
            progress = self.progress()
            _log.info(
                "restoring the person table: %d rows read, %d rows/s, about %d to go",
                progress.rows,
                progress.rows_per_s,
                progress.remaining,
            )

    def _rate(self) -> float:
        return self._rows / max(self._clock() - self._started_at, 1e-3)

    def _close_readers(self) -> None:
        for _, reader in self._readers:
            reader.close()


def _open(inputs: Sequence[Input], table: PersonTable) -> list[tuple[Role, Reader]]:
    stored = table.positions()
    readers: list[tuple[Role, Reader]] = []
    seen = set()
    for source in inputs:
        if source.stream in seen:
            raise ValueError(
                f"{source.stream}: is configured twice; each of persons, distinct ids and groups has its own"
            )
        seen.add(source.stream)
        reader = TopicReader(source, stored) if isinstance(source, KafkaTopic) else FileReader(source, stored)
        readers.append((source.role, reader))
    return readers

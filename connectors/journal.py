"""The journal in one SQLite file: log lines, metrics, the latest status, dead letters, the ledger of failures.

The job writes while the command line and the console read, from other processes. Losing history is allowed, losing the
job is not: a full disk or a locked file never raises out of `write`.

Units: times are seconds since the epoch. Limits: `Keep` for the file, `JournalBuffer` for what could not be written.
Blocks: `write` for one transaction, and at most `BUSY_TIMEOUT_S` when another process holds the file.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from connectors.journal_buffer import JournalBuffer, KeptDeadLetter, Record
from connectors.journal_ledger import StoredFailure, write_ledger
from connectors.journal_pruning import Keep, prune
from connectors.journal_reader import JournalReader, StoredDeadLetter, StoredLine
from connectors.journal_schema import JournalError, open_journal, transaction
from connectors.journal_text import clean
from records import LogLine, Status

__all__ = [
    "Journal",
    "JournalError",
    "JournalReader",
    "Keep",
    "Record",
    "StoredDeadLetter",
    "StoredFailure",
    "StoredLine",
]

RETRY_AFTER_S = 1.0
"""Pause after a failed write, so that a locked file does not cost every write its timeout."""
PRUNE_EVERY_S = 5.0
PRUNE_EVERY_ROWS = 1_000
MAX_PRUNE_STEPS = 20

_ADD_METRIC = (
    "INSERT INTO metrics (destination, minute, kind, name, count) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (destination, minute, kind, name) DO UPDATE SET count = count + excluded.count"
)
_ADD_LOG = "INSERT INTO logs (timestamp, destination, instance_id, level, message, body) VALUES (?, ?, ?, ?, ?, ?)"
_ADD_DEAD_LETTER = (
    "INSERT INTO dead_letters (stream, partition, position, reason, size, kept, at, value)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_STATUS_TEXTS = ("id", "name", "reason", "response", "attention", "last_error", "problem")
_SET_STATUS = "INSERT INTO status (destination, json) VALUES (?, ?) ON CONFLICT DO UPDATE SET json = excluded.json"


class Journal(JournalReader):
    """The journal of the job that writes it, which may read it too. Safe to use from several threads."""

    def __init__(
        self,
        path: Path,
        *,
        keep: Keep | None = None,
        buffer: JournalBuffer | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Opens the file, makes it when it is missing.

        Errors: JournalError when it cannot be opened, is no journal, or was made by a newer version.
        """
        self._keep = Keep() if keep is None else keep
        self._buffer = JournalBuffer() if buffer is None else buffer
        self._clock = clock
        self._writing = threading.Lock()
        self._problem = ""
        self._retry_at = 0.0
        self._prune_at = 0.0
        self._rows_since_pruning = 0
        self._writer: sqlite3.Connection | None = open_journal(path, create=True)
        # Reads have their own connection: a slow query of the console must not hold up the job's next write.
        super().__init__(path)

    @property
    def dropped(self) -> int:
        """Records given up because they could not be written in time."""
        return self._buffer.dropped

    def write(self, records: Iterable[Record]) -> str:
        """Writes all records in one transaction. Never raises an error of the file or the disk.

        The answer is empty, or one sentence saying what is wrong; what could not be written waits in memory for the
        next call.
        """
        with self._writing:
            self._buffer.add(records)
            return self._flush()

    def forget_status(self, destination: str) -> str:
        """Removes the status of a destination that is gone. Answers as `write` does."""
        with self._writing:
            self._buffer.forget(destination)
            return self._flush()

    def close(self) -> None:
        """Tries once more to write what waits, then closes. Can be called again."""
        with self._writing:
            if self._writer is not None:
                self._retry_at = 0.0
                self._flush()
                self._writer.close()
                self._writer = None
        super().close()

    def _flush(self) -> str:
        now = self._clock()
        if now < self._retry_at:
            return self._wait()
        if self._writer is None:
            self._problem = "it is closed"
            return self._wait()
        try:
            if len(self._buffer):
                self._write_buffer(self._writer, now)
                self._buffer.clear()
            self._prune_when_due(self._writer, now)
        except sqlite3.Error as error:
            self._problem = str(error)
            self._retry_at = now + RETRY_AFTER_S
            return self._wait()
        return ""

    def _wait(self) -> str:
        self._buffer.shrink()
        return (
            f"journal {self._path}: {self._problem}; {len(self._buffer)} records wait in memory, "
            f"{self._buffer.dropped} were given up"
        )

    def _write_buffer(self, writer: sqlite3.Connection, now: float) -> None:
        buffer = self._buffer
        with transaction(writer):
            writer.executemany(_ADD_LOG, map(_log_row, buffer.logs))
            writer.executemany(_ADD_METRIC, _metric_rows(buffer))
            writer.executemany("DELETE FROM status WHERE destination = ?", ((clean(id),) for id in buffer.forgotten))
            writer.executemany(_SET_STATUS, map(_status_row, buffer.statuses.values()))
            writer.executemany(_ADD_DEAD_LETTER, (_dead_letter_row(kept, now) for kept in buffer.dead_letters.values()))
            write_ledger(writer, buffer.ledger)
        self._rows_since_pruning += len(buffer)

    def _prune_when_due(self, writer: sqlite3.Connection, now: float) -> None:
        if now < self._prune_at and self._rows_since_pruning < PRUNE_EVERY_ROWS:
            return
        # More rows, more steps: what is deleted at most is twice what was written, so pruning keeps up.
        for _ in range(min(1 + self._rows_since_pruning // PRUNE_EVERY_ROWS, MAX_PRUNE_STEPS)):
            if not prune(writer, self._keep, now):
                break
        self._prune_at = now + PRUNE_EVERY_S
        self._rows_since_pruning = 0


def _log_row(line: LogLine) -> tuple[object, ...]:
    return (
        line.timestamp,
        clean(line.log_source_id),
        clean(line.instance_id),
        line.level,
        clean(line.message),
        line.body,
    )


def _metric_rows(buffer: JournalBuffer) -> Iterable[tuple[object, ...]]:
    for (destination, minute, kind, name), count in buffer.metrics.items():
        yield clean(destination), minute, kind, clean(name), count


def _status_row(status: Status) -> tuple[object, ...]:
    status = msgspec.structs.replace(status, **{name: clean(getattr(status, name)) for name in _STATUS_TEXTS})
    return status.id, msgspec.json.encode(status)


def _dead_letter_row(kept: KeptDeadLetter, now: float) -> tuple[object, ...]:
    letter = kept.letter
    return (
        clean(letter.stream),
        letter.partition,
        letter.offset,
        clean(letter.reason),
        kept.size,
        len(letter.value),
        now,
        letter.value,
    )

"""Reads the journal's file: what the command line and the console show, also while the job writes.

Never writes, not even a table: a file that is not there is an error.
"""

import sqlite3
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from connectors.journal_ledger import COLUMNS, StoredFailure, status_condition
from connectors.journal_schema import JournalError, open_journal
from delivery import Position
from records import Failure, LogLine, Metric, Status

_RUNNING_S = 15.0
LEVELS = ("debug", "info", "warn", "error")


class StoredLine(msgspec.Struct, frozen=True):
    """A log line with its number; numbers grow with the order of writing."""

    id: int
    line: LogLine


class StoredDeadLetter(msgspec.Struct, frozen=True):
    """A dead letter as it was kept: `value` is at most 1 MiB, `size` is what it was, `at` when it was written down."""

    stream: str
    partition: int
    offset: int
    reason: str
    value: bytes
    size: int
    at: float


class JournalReader:
    """The questions that a journal answers. Safe to use from several threads.

    Errors: JournalError from every method, when the file cannot be opened or read.
    """

    def __init__(self, path: Path) -> None:
        """Opens an existing file."""
        self._path = path
        self._reading = threading.Lock()
        self._reader = open_journal(path, create=False)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def __enter__(self) -> Self:
        """Closes at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes."""
        self.close()

    def close(self) -> None:
        """Can be called again."""
        with self._reading:
            self._reader.close()

    def logs(
        self,
        destination: str,
        *,
        after_id: int | None = None,
        level: str = "debug",
        text: str = "",
        limit: int = 100,
    ) -> list[StoredLine]:
        """Lines of one destination in the order of writing: those after `after_id`, else the newest ones.

        `level` is the lowest that is wanted; `text` must be part of the message; upper and lower case of ASCII letters
        are the same.
        """
        levels = LEVELS[LEVELS.index(level) :]
        newest = after_id is None
        rows = self._rows(
            "SELECT id, timestamp, instance_id, level, message, body FROM logs"
            f" WHERE destination = ? AND id > ? AND level IN ({', '.join('?' * len(levels))})"
            " AND (? = '' OR instr(lower(message), lower(?)))"
            f" ORDER BY id {'DESC' if newest else 'ASC'} LIMIT ?",
            (destination, after_id or 0, *levels, text, text, limit),
        )
        lines = [
            StoredLine(number, LogLine(destination, at, of_level, message, instance, body))
            for number, at, instance, of_level, message, body in rows
        ]
        return lines[::-1] if newest else lines

    def metrics(self, destination: str, *, since: float = 0.0) -> list[Metric]:
        """Counts of one destination by minute, from the minute of `since` on."""
        rows = self._rows(
            "SELECT destination, minute, kind, name, count FROM metrics WHERE destination = ? AND minute >= ?"
            " ORDER BY minute, kind DESC, name",
            (destination, since - since % 60),
        )
        return [Metric(*row) for row in rows]

    def delivered_by_minute(self, since: float) -> dict[str, dict[int, int]]:
        """Of every destination: how many were delivered in each minute, from the minute of `since` on."""
        rows = self._rows(
            "SELECT destination, minute, sum(count) FROM metrics WHERE minute >= ? AND kind = 'success'"
            " GROUP BY destination, minute",
            (since - since % 60,),
        )
        found: dict[str, dict[int, int]] = {}
        for destination, minute, count in rows:
            found.setdefault(destination, {})[minute] = count
        return found

    def statuses(self) -> list[Status]:
        """The latest status of every destination, by id."""
        rows = self._rows("SELECT json FROM status ORDER BY destination", ())
        return [msgspec.json.decode(row[0], type=Status) for row in rows]

    def is_written(self, now: float) -> bool:
        """Whether a job is at work on it: one says every few seconds how its destinations are."""
        return now - max((status.at for status in self.statuses()), default=0.0) < _RUNNING_S

    def dead_letters(self, *, limit: int = 100) -> list[StoredDeadLetter]:
        """The newest ones, the newest first."""
        rows = self._rows(
            "SELECT stream, partition, position, reason, value, size, at FROM dead_letters"
            " ORDER BY at DESC, rowid DESC LIMIT ?",
            (limit,),
        )
        return [StoredDeadLetter(*row) for row in rows]

    def count_dead_letters(self) -> int:
        """How many are kept."""
        return int(self._rows("SELECT count(*) FROM dead_letters", ())[0][0])

    def failures(
        self, destination: str, *, status: str = "", text: str = "", limit: int = 100, after_id: int | None = None
    ) -> list[StoredFailure]:
        """The ledger of one destination in the order of writing: entries after `after_id`, else the newest ones.

        `status` is one such as `404`, a class such as `4xx`, or `none` for deliveries without an answer; `text` must be
        part of the reason. Raises ValueError for another status.
        """
        newest = after_id is None
        condition, values = self._of_ledger(destination, status, text)
        rows = self._rows(
            f"SELECT id, {COLUMNS} FROM failures WHERE {condition} AND id > ?"
            f" ORDER BY id {'DESC' if newest else 'ASC'} LIMIT ?",
            (*values, after_id or 0, limit),
        )
        found = [StoredFailure(number, Failure(destination, *fields)) for number, *fields in rows]
        return found[::-1] if newest else found

    def failure(self, destination: str, invocation: str) -> Failure | None:
        """One entry of the ledger."""
        query = f"SELECT {COLUMNS} FROM failures WHERE destination = ? AND invocation = ?"
        rows = self._rows(query, (destination, invocation))
        return Failure(destination, *rows[0]) if rows else None

    def failed_since(self, destination: str, since: float) -> set[Position]:
        """Where in the log is what has come into the ledger of one destination after a moment.

        The newest 10,000 of them.
        """
        query = (
            "SELECT stream, partition, position, mapping FROM failures WHERE destination = ? AND at > ?"
            " ORDER BY id DESC LIMIT 10000"
        )
        return {Position(*row) for row in self._rows(query, (destination, since))}

    def count_failures(self, destination: str, *, status: str = "", text: str = "") -> int:
        """How many entries the ledger of one destination has; see `failures`."""
        condition, values = self._of_ledger(destination, status, text)
        return int(self._rows(f"SELECT count(*) FROM failures WHERE {condition}", values)[0][0])

    def failed_positions(
        self, destination: str, *, status: str = "", text: str = ""
    ) -> dict[tuple[str, int, str], list[int]]:
        """Where the entries are in the log: positions, each once and sorted, by stream, partition and mapping."""
        condition, values = self._of_ledger(destination, status, text)
        rows = self._rows(
            f"SELECT DISTINCT stream, partition, mapping, position FROM failures WHERE {condition}"
            " ORDER BY stream, partition, mapping, position",
            values,
        )
        found: dict[tuple[str, int, str], list[int]] = {}
        for *of, position in rows:
            found.setdefault(tuple(of), []).append(position)
        return found

    def _of_ledger(self, destination: str, status: str, text: str) -> tuple[str, tuple[object, ...]]:
        condition, values = status_condition(status)
        of_text = "(? = '' OR instr(lower(reason), lower(?)))"
        return f"destination = ? AND {condition} AND {of_text}", (destination, *values, text, text)

    def _rows(self, query: str, values: tuple[object, ...]) -> list[Any]:
        try:
            with self._reading:
                return self._reader.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise JournalError(f"journal {self._path}: {error}") from None

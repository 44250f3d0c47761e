"""The ledger in the journal's file: one entry per delivery that failed for good, until it is owed again.

A later failure of the same delivery replaces its entry and is the newest then.
"""

import re
import sqlite3
from collections.abc import Iterable
from itertools import groupby

import msgspec

from connectors.journal_buffer import LedgerRecord
from connectors.journal_text import clean
from records import Failure, FailuresTaken, Span

_ADD = (
    "INSERT OR REPLACE INTO failures (destination, invocation, at, stream, partition, position, event_uuid, event_name,"
    " attempts, reason, status, body, mapping, kept) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_TAKE = "DELETE FROM failures WHERE destination = ? AND stream = ? AND partition = ? AND position = ? AND mapping = ?"
_TAKE_SOME = (
    "DELETE FROM failures WHERE destination = ? AND stream = ? AND partition = ? AND mapping = ? AND position IN ({})"
    " RETURNING position, at"
)
_AT_ONCE = 500
"""Below what SQLite allows of parameters."""
COLUMNS = "invocation, at, stream, partition, position, event_uuid, event_name, attempts, reason, status, body, mapping"
_CLASS = re.compile(r"[1-5]xx", re.IGNORECASE)
_STATUS = re.compile(r"[1-5][0-9][0-9]")
NO_STATUS = "none"


class StoredFailure(msgspec.Struct, frozen=True):
    """An entry with its number; numbers grow with the order of writing."""

    id: int
    failure: Failure


def write_ledger(writer: sqlite3.Connection, records: Iterable[LedgerRecord]) -> None:
    """Let entries in and out, in this order; within the caller's transaction."""
    for kind, group in groupby(records, key=type):
        if kind is FailuresTaken:
            taken = (record for record in group if isinstance(record, FailuresTaken))
            writer.executemany(_TAKE, (row for record in taken for row in _taken_rows(record)))
        else:
            writer.executemany(_ADD, map(_row, group))


def take_spans(writer: sqlite3.Connection, destination: str, spans: Iterable[Span]) -> list[Span]:
    """Let what is still there of these positions out, within the caller's transaction; that, with its times."""
    taken: list[Span] = []
    for span in spans:
        only = span.only or []
        rows: list[tuple[int, float]] = []
        for at in range(0, len(only), _AT_ONCE):
            some = only[at : at + _AT_ONCE]
            of = (clean(destination), clean(span.stream), span.partition, clean(span.mapping))
            rows += writer.execute(_TAKE_SOME.format(", ".join("?" * len(some))), (*of, *some)).fetchall()
        # Of an event that stands there twice, under two ids, the first failure.
        failed_at = dict(sorted(rows, reverse=True))
        if failed_at:
            left = sorted(failed_at)
            times = [failed_at[position] for position in left]
            taken.append(Span(span.stream, span.partition, left[0], left[-1], left, span.mapping, times))
    return taken


def status_condition(status: str) -> tuple[str, tuple[int, ...]]:
    """SQL for `404`, `4xx`, `none` (no answer came), or an empty text, which is every entry.

    Raises ValueError for another text; it says what to write.
    """
    if not status:
        return "TRUE", ()
    if status == NO_STATUS:
        return "status IS NULL", ()
    if _CLASS.fullmatch(status):
        first = int(status[0]) * 100
        return "status BETWEEN ? AND ?", (first, first + 99)
    if _STATUS.fullmatch(status):
        return "status = ?", (int(status),)
    raise ValueError(f"expected a status such as 404, a class such as 4xx, or {NO_STATUS}, got {status!r}")


def _row(record: LedgerRecord) -> tuple[object, ...]:
    assert isinstance(record, Failure)
    return (
        clean(record.destination),
        clean(record.invocation),
        record.at,
        clean(record.stream),
        record.partition,
        record.offset,
        clean(record.event_uuid),
        clean(record.event_name),
        record.attempts,
        clean(record.reason),
        record.status,
        record.body,
        clean(record.mapping),
        len(record.reason) + len(record.body),
    )


def _taken_rows(record: FailuresTaken) -> Iterable[tuple[object, ...]]:
    for offset in record.offsets:
        yield clean(record.destination), clean(record.stream), record.partition, offset, clean(record.mapping)

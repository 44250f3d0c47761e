"""Keeps the journal within its age and size, in steps short enough to stand between two writes."""

import sqlite3

import msgspec

STEP_ROWS = 2_000


class Keep(msgspec.Struct, frozen=True):
    """How much history there is. Log lines give way first when the file is too large.

    The ledger has an age and a size of its own: what failed must outlive the log lines about it, and can be sent again
    for as long as the log holds it.
    """

    days: float = 7.0
    ledger_days: float = 30.0
    """Of the ledger, and of the commands of people."""
    failures: int = 200_000
    """Entries of the ledger; past this, or the next, the oldest go."""
    failure_bytes: int = 512 << 20
    file_bytes: int = 2 << 30
    dead_letter_bytes: int = 256 << 20
    dead_letters: int = 10_000


def prune(connection: sqlite3.Connection, keep: Keep, now: float) -> bool:
    """One step; true when there may be more to do."""
    oldest = now - keep.days * 86_400
    deleted = (
        _prune_logs(connection, oldest, too_large=_used_bytes(connection) > keep.file_bytes)
        + _prune_metrics(connection, oldest)
        + _prune_dead_letters(connection, oldest, keep)
        + _prune_failures(connection, keep, now)
        + _prune_commands(connection, keep, now)
    )
    if deleted:
        connection.execute(f"PRAGMA incremental_vacuum({STEP_ROWS})").fetchall()
    return deleted > 0


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _prune_logs(connection: sqlite3.Connection, oldest: float, *, too_large: bool) -> int:
    # Looks at the oldest rows only: a condition on the timestamp alone would read the whole table to find nothing.
    return connection.execute(
        "DELETE FROM logs WHERE id IN (SELECT id FROM (SELECT id, timestamp FROM logs ORDER BY id LIMIT ?)"
        " WHERE ? OR timestamp < ?)",
        (STEP_ROWS, too_large, oldest),
    ).rowcount


def _prune_metrics(connection: sqlite3.Connection, oldest: float) -> int:
    return connection.execute(
        "DELETE FROM metrics WHERE rowid IN (SELECT rowid FROM metrics WHERE minute < ? ORDER BY minute LIMIT ?)",
        (oldest, STEP_ROWS),
    ).rowcount


def _prune_dead_letters(connection: sqlite3.Connection, oldest: float, keep: Keep) -> int:
    count, kept_bytes = connection.execute("SELECT count(*), coalesce(sum(kept), 0) FROM dead_letters").fetchone()
    if kept_bytes > keep.dead_letter_bytes:
        surplus = STEP_ROWS // 10
    else:
        surplus = min(max(count - keep.dead_letters, 0), STEP_ROWS)
    return connection.execute(
        "DELETE FROM dead_letters WHERE rowid IN (SELECT rowid FROM dead_letters ORDER BY at LIMIT ?)"
        " OR rowid IN (SELECT rowid FROM dead_letters WHERE at < ? ORDER BY at LIMIT ?)",
        (surplus, oldest, STEP_ROWS),
    ).rowcount


def _prune_failures(connection: sqlite3.Connection, keep: Keep, now: float) -> int:
    count, kept_bytes = connection.execute("SELECT count(*), coalesce(sum(kept), 0) FROM failures").fetchone()
    surplus = min(max(count - keep.failures, 0), STEP_ROWS)
    if kept_bytes > keep.failure_bytes:
        surplus = max(surplus, STEP_ROWS // 10)
    return connection.execute(
        "DELETE FROM failures WHERE id IN (SELECT id FROM failures ORDER BY at LIMIT ?)"
        " OR id IN (SELECT id FROM failures WHERE at < ? ORDER BY at LIMIT ?)",
        (surplus, now - keep.ledger_days * 86_400, STEP_ROWS),
    ).rowcount


def _prune_commands(connection: sqlite3.Connection, keep: Keep, now: float) -> int:
    return connection.execute(
        "DELETE FROM commands WHERE answer IS NOT NULL AND id IN (SELECT id FROM commands WHERE at < ? LIMIT ?)",
        (now - keep.ledger_days * 86_400, STEP_ROWS),
    ).rowcount

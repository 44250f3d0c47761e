"""The journal's tables, and how its file is opened.

Refuses a file made by a newer version, and one that is not a journal.
"""

import sqlite3
from pathlib import Path

VERSION = 1
BUSY_TIMEOUT_S = 0.25

_TABLES = """
CREATE TABLE logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp REAL NOT NULL,
    destination TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    level TEXT NOT NULL,
    message TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX logs_of_destination ON logs (destination, id);
CREATE TABLE metrics (
    destination TEXT NOT NULL,
    minute INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    count INTEGER NOT NULL,
    UNIQUE (destination, minute, kind, name)
);
CREATE INDEX metrics_by_age ON metrics (minute);
CREATE TABLE status (destination TEXT PRIMARY KEY, json BLOB NOT NULL);
CREATE TABLE dead_letters (
    stream TEXT NOT NULL,
    partition INTEGER NOT NULL,
    position INTEGER NOT NULL,
    reason TEXT NOT NULL,
    size INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    at REAL NOT NULL,
    value BLOB NOT NULL,
    UNIQUE (stream, partition, position)
);
CREATE INDEX dead_letters_by_age ON dead_letters (at, kept);
"""


class JournalError(Exception):
    """The journal's file cannot be used: one sentence saying why and what to do."""


def open_journal(path: Path, *, create: bool) -> sqlite3.Connection:
    """A connection in autocommit mode, usable from any thread by one at a time.

    Errors: JournalError.
    """
    mode = "rwc" if create else "rw"
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise JournalError(f"journal {path}: {error}; see that the directory exists and can be written to") from None
    try:
        _prepare(connection, path, create=create)
    except sqlite3.Error as error:
        connection.close()
        raise JournalError(
            f"journal {path}: {error}; if it is damaged, move it away: the next run makes a new one"
        ) from None
    except JournalError:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, *, create: bool) -> None:
    version = _version(connection)
    if version > VERSION:
        raise JournalError(
            f"journal {path}: made by a newer Offramp (schema {version}, this one knows {VERSION}); "
            "upgrade Offramp, or name another --state"
        )
    if not create:
        if version == 0:
            raise JournalError(f"journal {path}: is empty; the job that makes it has not got that far")
        connection.execute("PRAGMA query_only = ON")
        return
    if version == 0:
        # Only an empty file can still take this setting; with it, pruned pages go back to the disk.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    _create_tables(connection)


def _create_tables(connection: sqlite3.Connection) -> None:
    """Makes the tables once, also when two processes open a new file at the same moment."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _version(connection) == 0:
            for statement in _TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])

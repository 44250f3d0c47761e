"""The journal's tables, and how its file is opened.

The job that opens a file of an older version brings it up to date; who only reads it says so. Refuses a file made by a
newer version, and one that is not a journal.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

VERSION = 4
BUSY_TIMEOUT_S = 0.25

_VERSION_1 = """
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

# Numbers of neither table are ever used twice: they are in snapshots, and people write them down.
_VERSION_2 = """
CREATE TABLE failures (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination TEXT NOT NULL,
    invocation TEXT NOT NULL,
    at REAL NOT NULL,
    stream TEXT NOT NULL,
    partition INTEGER NOT NULL,
    position INTEGER NOT NULL,
    event_uuid TEXT NOT NULL,
    event_name TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    reason TEXT NOT NULL,
    status INTEGER,
    body BLOB NOT NULL,
    kept INTEGER NOT NULL,
    UNIQUE (destination, invocation)
);
CREATE INDEX failures_of_destination ON failures (destination, id);
CREATE INDEX failures_by_position ON failures (destination, stream, partition, position);
CREATE INDEX failures_by_age ON failures (at, kept);
CREATE TABLE commands (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    destination TEXT NOT NULL,
    wish BLOB NOT NULL,
    answer BLOB
);
CREATE INDEX commands_unanswered ON commands (id) WHERE answer IS NULL;
CREATE INDEX commands_by_age ON commands (at);
"""

_VERSION_3 = """
CREATE TABLE notices (
    id TEXT NOT NULL UNIQUE,
    webhook TEXT NOT NULL,
    since REAL NOT NULL,
    change BLOB NOT NULL
);
"""

_VERSION_4 = "ALTER TABLE failures ADD COLUMN mapping TEXT NOT NULL DEFAULT ''"

_STEPS = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4)
"""The first makes version 1 of an empty file, each other one the next version of the one before."""


class JournalError(Exception):
    """The journal's file cannot be used: one sentence saying why and what to do."""


def open_journal(
    path: Path, *, create: bool = False, write: bool = False, wait_s: float = BUSY_TIMEOUT_S
) -> sqlite3.Connection:
    """A connection in autocommit mode, usable from any thread by one at a time.

    With `create` the file is made, or brought up to date; with `write` only rows of it are. `wait_s` is how long
    another process may hold it.

    Errors: JournalError.
    """
    mode = "rwc" if create else "rw"
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=wait_s,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise JournalError(f"journal {path}: {error}; see that the directory exists and can be written to") from None
    try:
        _prepare(connection, path, create=create, write=write)
    except sqlite3.Error as error:
        connection.close()
        raise JournalError(
            f"journal {path}: {error}; if it is damaged, move it away: the next run makes a new one"
        ) from None
    except JournalError:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of what is written within, or nothing. Waits for others as the connection does; raises sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # Also for what is no SQLite error: a transaction left open would lock the file for everybody. A full disk has
        # rolled back by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _prepare(connection: sqlite3.Connection, path: Path, *, create: bool, write: bool) -> None:
    version = schema_version(connection)
    if version > VERSION:
        raise JournalError(
            f"journal {path}: made by a newer Offramp (schema {version}, this one knows {VERSION}); "
            "upgrade Offramp, or name another --state"
        )
    if not create:
        if version == 0:
            raise JournalError(f"journal {path}: is empty; the job that makes it has not got that far")
        if version < VERSION:
            raise JournalError(
                f"journal {path}: made by an older Offramp (schema {version}, this one needs {VERSION}); "
                "start the job with this version once, it brings the journal up to date"
            )
        if not write:
            connection.execute("PRAGMA query_only = ON")
        return
    if version == 0:
        # Only an empty file can still take this setting; with it, pruned pages go back to the disk.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    bring_up_to_date(connection, _STEPS)


def bring_up_to_date(connection: sqlite3.Connection, steps: Sequence[str]) -> None:
    """Take the steps that are still to be taken, once, also when two processes open a new file at the same moment."""
    with transaction(connection):
        for step in steps[schema_version(connection) :]:
            for statement in step.split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(steps)}")


def schema_version(connection: sqlite3.Connection) -> int:
    """How many of its steps a file has taken."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])

"""How SQLite files of the state directory are opened that a person's programs write to: history and secrets.

Whoever opens such a file makes it, or brings it up to date. Refuses a file made by a newer version, and one that is no
database. What is written is on the disk when the call returns: it is little, and nobody can read it again elsewhere.
"""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from connectors.journal_schema import bring_up_to_date, schema_version

WAIT_S = 10.0
"""How long another process may hold the file."""


class StateFileError(Exception):
    """A file of the state directory cannot be used: one sentence saying why and what to do."""


def open_state_file(path: Path, name: str, steps: Sequence[str]) -> sqlite3.Connection:
    """A connection in autocommit mode, usable from any thread by one at a time.

    Args:
        path: Only its owner can read it, if it is made here.
        name: What it is, for messages: `history`.
        steps: SQL that makes each next version of the one before, the first of an empty file.

    Errors: StateFileError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite gives the files beside it the same permissions.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
    except OSError as error:
        raise StateFileError(f"{name} {path}: {error.strerror}; see that it can be written to") from None
    except sqlite3.Error as error:
        raise unusable(name, path, error) from None
    try:
        _prepare(connection, path, name, steps)
    except sqlite3.Error as error:
        connection.close()
        raise unusable(name, path, error) from None
    except StateFileError:
        connection.close()
        raise
    return connection


def unusable(name: str, path: Path, error: sqlite3.Error) -> StateFileError:
    """What SQLite says, as an error of ours."""
    return StateFileError(f"{name} {path}: {error}; see that it can be written to, and is not damaged")


def _prepare(connection: sqlite3.Connection, path: Path, name: str, steps: Sequence[str]) -> None:
    version = schema_version(connection)
    if version > len(steps):
        raise StateFileError(
            f"{name} {path}: made by a newer Offramp (schema {version}, this one knows {len(steps)}); "
            "upgrade Offramp, or name another --state"
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # What is deleted or replaced is to be gone from the file, too.
    connection.execute("PRAGMA secure_delete = ON")
    if version == len(steps):
        return
    bring_up_to_date(connection, steps)

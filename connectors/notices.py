"""The journal's table of changes of health that a webhook has still to be told of.

It holds the changes and the names of the webhooks, never an address or a header: those may be secrets, and are looked
up when the time has come.

Limits: none of its own, see `connectors.notifier`. Blocks: up to `BUSY_TIMEOUT_S` while another process holds the file.
Errors: JournalError from every method. To be used by one thread at a time. It never makes a journal.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from connectors.journal_schema import JournalError, open_journal
from connectors.journal_text import clean
from records import HealthChange


class Notice(msgspec.Struct, frozen=True):
    """One change for one webhook."""

    id: str
    """The same at every attempt."""
    webhook: str
    """A name that stays the same when the webhook changes."""
    since: float
    """When it was taken, seconds since the epoch."""
    change: HealthChange


class Notices:
    """The table in the journal at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_journal(path, write=True)

    def all(self) -> list[Notice]:
        """In the order in which they were added."""
        with self._using() as connection:
            rows = connection.execute("SELECT id, webhook, since, change FROM notices ORDER BY rowid").fetchall()
        return [Notice(id, of, since, msgspec.json.decode(row, type=HealthChange)) for id, of, since, row in rows]

    def add(self, notice: Notice) -> None:
        """Keep it; one that is kept already stays as it is."""
        change = notice.change
        texts = {"reason": clean(change.reason), "response": clean(change.response)}
        kept = msgspec.json.encode(msgspec.structs.replace(change, **texts))
        with self._using() as connection:
            row = (notice.id, notice.webhook, notice.since, kept)
            connection.execute("INSERT OR IGNORE INTO notices (id, webhook, since, change) VALUES (?, ?, ?, ?)", row)

    def remove(self, notice: Notice) -> None:
        """It was told, or is given up."""
        with self._using() as connection:
            connection.execute("DELETE FROM notices WHERE id = ?", (notice.id,))

    def close(self) -> None:
        """Can be called again."""
        self._connection.close()

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connection
        except sqlite3.Error as error:
            raise JournalError(f"journal {self._path}: {error}") from None

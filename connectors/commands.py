"""The journal's table of commands: what people wish for, and what the job answers before it is carried out.

Whoever wishes writes a row, in whatever process; the job that runs answers it. Nothing here carries anything out.

Blocks: up to `WAIT_S` while another process holds the file. Errors: JournalError from every method. Safe to use from
several threads. It never makes a journal.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec

from connectors.journal_ledger import take_spans
from connectors.journal_schema import JournalError, open_journal, transaction
from records import Command, CommandKind, Span

WAIT_S = 10.0
MOST_POSITIONS = 50_000
"""Of failed deliveries in one command."""
_NOTHING_LEFT = "nothing of it is in the ledger any more: another replay has it"


class Position(msgspec.Struct, frozen=True):
    """A place in an input as people write it: `stream` is its whole name, or that of a topic or file alone."""

    stream: str
    partition: int
    offset: int


class Wish(msgspec.Struct, frozen=True, omit_defaults=True):
    """A command before the log was asked. Of a replay either positions, times or spans are given."""

    kind: CommandKind
    by: str = ""
    skip_missed: bool = False
    first: Position | None = None
    last: Position | None = None
    """Inclusive; None is the end of the log when it was wished for."""
    since: float | None = None
    """Seconds since the epoch; over all partitions of all inputs."""
    until: float | None = None
    spans: list[Span] = msgspec.field(default_factory=list[Span])
    """What the wish knows already: positions of failed deliveries."""
    failed: bool = False
    dry: bool = False
    """To be answered, not to be carried out."""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the job says to a wish: what it found of the log, or why nothing will be done."""

    error: str = ""
    spans: list[Span] = msgspec.field(default_factory=list[Span])
    positions: int = 0


class Asked(msgspec.Struct, frozen=True):
    """A row. `wish` is None when this version cannot read it."""

    id: int
    at: float
    """When it was wished for, seconds since the epoch."""
    destination: str
    wish: Wish | None
    answer: Answer | None = None

    @property
    def command(self) -> Command | None:
        """What the operators are to do; None where there is nothing to be done."""
        wish, answer = self.wish, self.answer
        if wish is None or answer is None or wish.dry or answer.error:
            return None
        spans = answer.spans or wish.spans
        return Command(self.id, self.destination, wish.kind, wish.by, wish.skip_missed, spans, wish.failed)


class Commands:
    """The table in the journal at `path`."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._connection = open_journal(path, write=True, wait_s=WAIT_S)
        # A person was told that it will be done: that must outlive a loss of power.
        self._connection.execute("PRAGMA synchronous = FULL")

    def __enter__(self) -> Self:
        """Closes at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes."""
        self.close()

    def close(self) -> None:
        """Can be called again."""
        with self._lock:
            self._connection.close()

    def add(self, destination: str, wish: Wish) -> int:
        """Write a wish down; its number."""
        with self._using() as connection:
            row = (self._clock(), destination, msgspec.json.encode(wish))
            return (
                connection.execute("INSERT INTO commands (at, destination, wish) VALUES (?, ?, ?)", row).lastrowid or 0
            )

    def answer_of(self, id: int) -> Answer | None:
        """What the job said; None as long as it has said nothing."""
        with self._using() as connection:
            row = connection.execute("SELECT answer FROM commands WHERE id = ?", (id,)).fetchone()
        return None if row is None or row[0] is None else msgspec.json.decode(row[0], type=Answer)

    def unanswered(self) -> list[Asked]:
        """In the order of their numbers."""
        return self._asked("answer IS NULL", ())

    def answer(self, asked: Asked, answer: Answer) -> None:
        """The job's word.

        Failures that are to be sent again leave the ledger with it, and stand in it: from here on nothing can keep the
        command from being carried out, while what the flow tells of it may be lost in a crash. So each goes to one
        command only.
        """
        wish = asked.wish
        with self._using() as connection, transaction(connection):
            if wish is not None and wish.failed and not wish.dry and not answer.error:
                spans = take_spans(connection, asked.destination, wish.spans)
                positions = sum(span.positions for span in spans)
                answer = Answer("", spans, positions) if spans else Answer(_NOTHING_LEFT)
            row = (msgspec.json.encode(answer), asked.id)
            connection.execute("UPDATE commands SET answer = ? WHERE id = ?", row)

    def after(self, id: int) -> list[Asked]:
        """All rows behind this number, answered or not, in the order of their numbers."""
        return self._asked("id > ?", (id,))

    def last_before(self, moment: float) -> int:
        """The number of the last wish from before a moment; 0 when there is none."""
        with self._using() as connection:
            return int(connection.execute("SELECT max(id) FROM commands WHERE at < ?", (moment,)).fetchone()[0] or 0)

    def continue_behind(self, id: int) -> None:
        """Let every number be above this one. A journal that was made anew would begin at 1 again, and what was carried
        out long ago and what is wished for now would have the same number.
        """
        with self._using() as connection, transaction(connection):
            row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'commands'").fetchone()
            last = int(row[0]) if row else 0
            if last < id:
                # Backwards, so that no number meets one that is still in use.
                for (old,) in connection.execute("SELECT id FROM commands ORDER BY id DESC").fetchall():
                    connection.execute("UPDATE commands SET id = ? WHERE id = ?", (old + id, old))
                connection.execute("DELETE FROM sqlite_sequence WHERE name = 'commands'")
                connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('commands', ?)", (last + id,))

    def _asked(self, condition: str, values: tuple[Any, ...]) -> list[Asked]:
        with self._using() as connection:
            rows = connection.execute(
                f"SELECT id, at, destination, wish, answer FROM commands WHERE {condition} ORDER BY id", values
            ).fetchall()
        return [Asked(id, at, of, _wish(wish), _answer(answer)) for id, at, of, wish, answer in rows]

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                yield self._connection
        except sqlite3.Error as error:
            raise JournalError(f"journal {self._path}: {error}") from None


def spans_of_failed(found: dict[tuple[str, int, str], list[int]], most: int = MOST_POSITIONS) -> list[list[Span]]:
    """Positions by stream, partition and mapping as spans, in as many commands as are needed."""
    commands: list[list[Span]] = []
    room = 0
    for (stream, partition, mapping), offsets in found.items():
        at = 0
        while at < len(offsets):
            if not room:
                commands.append([])
                room = most
            only = offsets[at : at + room]
            commands[-1].append(Span(stream, partition, only[0], only[-1], only, mapping))
            at, room = at + len(only), room - len(only)
    return commands


def _wish(row: bytes) -> Wish | None:
    try:
        return msgspec.json.decode(row, type=Wish)
    except msgspec.MsgspecError:
        return None


def _answer(row: bytes | None) -> Answer | None:
    return None if row is None else msgspec.json.decode(row, type=Answer)

"""The versions of destination files that people make through programs, and by hand: who, when, why, and the way back.

The files remain what counts: the job reads them, and nothing of this. The history is a SQLite file of its own in the
state directory. It is for one directory of destinations; a person at an editor is seen when somebody looks here next,
as the author `file`.
"""

import difflib
import fcntl
import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

import msgspec

from catalog.loading import Catalog
from catalog.problem import Problem
from connectors.destination_file import DestinationFileError, DestinationFiles, Staged
from connectors.journal_schema import transaction
from connectors.state_file import WAIT_S, StateFileError, open_state_file, unusable
from destinations.literal_secrets import literal_secrets, without_literal_secrets
from destinations.loading import compile_bytes, project_of
from destinations.secrets import Secrets

FILE: Final = "history.sqlite"
BY_HAND: Final = "file"
"""The author of what no program has said."""
_KIND: Final = "history"
_LOOK_EVERY_S: Final = 0.02
# `text` is what people may see, `digest` is of what was in the file: they differ where a secret stood in it.
_STEPS: Final = (
    """
CREATE TABLE versions (
    destination TEXT NOT NULL,
    number INTEGER NOT NULL,
    at REAL NOT NULL,
    author TEXT NOT NULL,
    note TEXT NOT NULL,
    text BLOB,
    digest BLOB NOT NULL,
    PRIMARY KEY (destination, number)
) WITHOUT ROWID;
CREATE TABLE staged (
    destination TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    path TEXT NOT NULL,
    name TEXT NOT NULL
) WITHOUT ROWID
""",
)


class Version(msgspec.Struct, frozen=True):
    """What a destination's file was from one moment on."""

    destination: str
    number: int
    """From 1; each is one more than what it was before."""
    at: float
    """Seconds since the epoch; of a change by hand, when it was seen."""
    author: str
    note: str
    text: str | None
    """None: the file was deleted. `***` stands for a secret that somebody wrote into it by hand."""


class ConflictError(Exception):
    """Somebody else was quicker: `current` is what there is now, None where there has never been anything."""

    def __init__(self, message: str, current: Version | None) -> None:
        super().__init__(message)
        self.current = current


class RefusedError(Exception):
    """The text is wrong: `problems` says how."""

    def __init__(self, message: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(message)
        self.problems = problems


class UnknownVersionError(Exception):
    """There is no such version, or no such destination."""


class ConfigHistory:
    """The history of one directory. For any thread and any number of processes: each call waits its turn, at most 10 s.
    Nothing stays open between calls.

    Errors: `DestinationFileError` for the destinations' files, `StateFileError` for the history's own.

    Guarantee: a change is in the file and in the history, or in neither, whenever the process is killed. Two programs
    cannot overwrite each other. A person who saves by hand within the few milliseconds between the last look at the
    file and the rename is not seen; no file system offers better.
    """

    def __init__(
        self,
        directory: Path,
        state: Path,
        secrets: Secrets,
        catalog: Catalog,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`secrets` are those that texts may name; who cannot know the job's gives some that are always set."""
        self._files = DestinationFiles(directory)
        self._state = state
        self._secrets = secrets
        self._catalog = catalog
        self._clock = clock

    def ids(self) -> list[str]:
        """Of all destinations that there are or were."""
        with self._turn() as connection:
            rows = connection.execute("SELECT DISTINCT destination FROM versions").fetchall()
        return sorted({row[0] for row in rows} | set(self._files.ids()))

    def look(self) -> None:
        """Take note of what has changed by hand, in all files."""
        for id in self.ids():
            self.current(id)

    def current(self, id: str) -> Version | None:
        """What the file is now; with `text=None` where it was deleted, None where there has never been one."""
        with self._turn() as connection:
            return self._look_at(connection, id)

    def versions(self, id: str) -> list[Version]:
        """All of them, the newest first."""
        with self._turn() as connection:
            self._look_at(connection, id)
            rows = connection.execute(f"{_SELECT} WHERE destination = ? ORDER BY number DESC", (id,)).fetchall()
        return [_version(row) for row in rows]

    def version(self, id: str, number: int) -> Version:
        """One of them. Raises UnknownVersionError."""
        found = {one.number: one for one in self.versions(id)}
        if number not in found:
            there_are = f"it has 1 to {len(found)}" if found else "nothing is known of it"
            raise UnknownVersionError(f"destination '{id}' has no version {number}: {there_are}")
        return found[number]

    def diff(self, id: str, a: int, b: int) -> str:
        """What turns version `a` into `b`, as unified diff; 0 is before the first one. Raises UnknownVersionError."""
        before, after = ("" if number == 0 else self.version(id, number).text or "" for number in (a, b))
        lines = difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), f"{id} {a}", f"{id} {b}"
        )
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)

    def problems(self, id: str, text: str) -> tuple[Problem, ...]:
        """What would be wrong with this text; it is not written."""
        return self._problems(id, text.encode("utf-8", "replace"))

    def save(
        self, id: str, text: str, author: str, note: str = "", *, expected_version: int, force: bool = False
    ) -> Version:
        """Make this the text of the destination's file.

        A text that does not load is refused; with `force` it is written: the job keeps what it has, and says what is
        wrong. One with a secret in it as it is, is refused always. The text that is there already makes no version.

        Args:
            id: Of the destination. It cannot be changed later: it is in `webhook-id`, and positions are kept by it.
            text: The whole file.
            author: Who says so.
            note: Why.
            expected_version: The number of the version that it was made from; 0 for a new one.
            force: Also what does not load.

        Raises:
            ConflictError: The file is another version now.
            RefusedError: The text does not load.
        """
        try:
            data = text.encode()
        except UnicodeEncodeError:
            raise RefusedError(f"destination '{id}': the text cannot be written as UTF-8", ()) from None
        return self._change(id, data, author, note, expected_version, force=force)

    def delete(self, id: str, author: str, note: str = "", *, expected_version: int) -> Version:
        """Remove the file; its versions stay. Raises ConflictError, UnknownVersionError."""
        return self._change(id, None, author, note, expected_version)

    def roll_back(
        self,
        id: str,
        number: int,
        author: str,
        note: str = "",
        *,
        expected_version: int | None = None,
        force: bool = False,
    ) -> Version:
        """Make the text of an earlier version the file's again, as a new version. Of a deletion: delete it.

        Without `expected_version` whatever is there now is replaced. Raises as `save` does, and UnknownVersionError.
        """
        wanted = self.version(id, number)
        data = None if wanted.text is None else wanted.text.encode("utf-8", "surrogateescape")
        return self._change(id, data, author, note or f"back to version {number}", expected_version, force=force)

    def rename(self, id: str, to: str) -> NoReturn:
        """Refused."""
        raise RefusedError(
            f"destination '{id}' cannot become '{to}': its id is in the webhook-id of what it has sent, and its place "
            "in the log is kept by it. Make a new destination, and disable this one",
            (),
        )

    def _change(
        self, id: str, data: bytes | None, author: str, note: str, expected: int | None, *, force: bool = False
    ) -> Version:
        with self._turn() as connection:
            current = self._look_at(connection, id)
            now = current.number if current is not None else 0
            if expected is not None and expected != now:
                raise ConflictError(_conflict(id, expected, current), current)
            there = self._files.read(id)
            if current is not None and digest(there) == digest(data):
                return current
            if data is None and there is None:
                raise UnknownVersionError(f"there is no destination '{id}' to delete")
            if data is not None:
                self._check(id, data, force=force)
            self._files.clear_left_over(id)
            made = Version(id, now + 1, self._clock(), author, note, _text(data))
            staged = self._files.stage(id, data)
            if digest(self._files.read(id)) != digest(there):
                # Checking and laying ready took a while, in which somebody has saved by hand.
                staged.clear()
                by_hand = self._look_at(connection, id)
                raise ConflictError(_conflict(id, now, by_hand), by_hand)
            self._write(connection, made, data, staged)
            return made

    def _write(self, connection: sqlite3.Connection, made: Version, data: bytes | None, staged: Staged) -> None:
        """Laid ready, noted, renamed: in this order whoever comes next can finish it or take it back."""
        id = made.destination
        try:
            with transaction(connection):
                _insert(connection, made, data)
                row = (id, made.number, staged.kind, str(staged.path), str(staged.name))
                connection.execute("INSERT INTO staged VALUES (?, ?, ?, ?, ?)", row)
            staged.take_place()
        except BaseException as error:
            # Not the other way round: what is noted is judged by what lies ready.
            self._finish(connection, id)
            staged.clear()
            if isinstance(error, OSError):
                raise DestinationFileError(f"{staged.path}: cannot be written: {error.strerror}") from None
            raise
        self._finish(connection, id)

    def _finish(self, connection: sqlite3.Connection, id: str) -> None:
        """End the change that is under way, if any, one way or the other."""
        row = connection.execute("SELECT number, kind, path, name FROM staged WHERE destination = ?", (id,)).fetchone()
        if row is None:
            return
        number, kind, path, name = row
        staged = Staged(kind, Path(path), Path(name))
        with transaction(connection):
            if not staged.happened():
                connection.execute("DELETE FROM versions WHERE destination = ? AND number = ?", (id, number))
            connection.execute("DELETE FROM staged WHERE destination = ?", (id,))
        staged.clear()

    def _look_at(self, connection: sqlite3.Connection, id: str) -> Version | None:
        """The newest version, after taking note of what was done by hand."""
        self._files.path(id)
        self._finish(connection, id)
        data = self._files.read(id)
        row = connection.execute(f"{_SELECT} WHERE destination = ? ORDER BY number DESC LIMIT 1", (id,)).fetchone()
        newest = None if row is None else _version(row)
        if digest(data) == (_digest(connection, id) if newest is not None else digest(None)):
            return newest
        if data is None and not self._files.ids():
            # A directory without any file is more likely not mounted than meant.
            return newest
        shown = None if data is None else without_literal_secrets(self._files.path(id), data, self._literals(id, data))
        made = Version(id, newest.number + 1 if newest is not None else 1, self._clock(), BY_HAND, "", _text(shown))
        with transaction(connection):
            _insert(connection, made, data, shown)
        return made

    def _check(self, id: str, data: bytes, *, force: bool) -> None:
        problems = self._problems(id, data)
        literal = literal_secrets(problems)
        if literal or (problems and not force):
            raise RefusedError(f"destination '{id}': {(literal or problems)[0].summary()}", literal or problems)

    def _literals(self, id: str, data: bytes) -> tuple[Problem, ...]:
        return literal_secrets(self._problems(id, data))

    def _problems(self, id: str, data: bytes) -> tuple[Problem, ...]:
        path, project = self._files.path(id), project_of(self._files.directory)
        return compile_bytes(path, data, self._secrets, self._catalog, project).problems

    @contextmanager
    def _turn(self) -> Iterator[sqlite3.Connection]:
        """The history, and nobody else at it: a killed process gives its turn back by itself."""
        connection: sqlite3.Connection | None = None
        try:
            connection = open_state_file(self._state / FILE, _KIND, _STEPS)
            with _locked(self._state / f"{FILE}-turn"):
                yield connection
        except sqlite3.Error as error:
            raise unusable(_KIND, self._state / FILE, error) from None
        finally:
            if connection is not None:
                connection.close()


_SELECT: Final = "SELECT destination, number, at, author, note, text FROM versions"


def digest(data: bytes | None) -> bytes:
    """Of a file's bytes; of None, where there is no file."""
    return b"" if data is None else hashlib.sha256(data).digest()


def _insert(connection: sqlite3.Connection, made: Version, data: bytes | None, shown: bytes | None = None) -> None:
    row = (made.destination, made.number, made.at, made.author, made.note, shown or data, digest(data))
    connection.execute("INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def _digest(connection: sqlite3.Connection, id: str) -> bytes:
    query = "SELECT digest FROM versions WHERE destination = ? ORDER BY number DESC LIMIT 1"
    return bytes(connection.execute(query, (id,)).fetchone()[0])


def _version(row: Any) -> Version:
    id, number, at, author, note, data = row
    return Version(id, number, at, author, note, _text(data))


def _text(data: bytes | None) -> str | None:
    # Bytes that are not UTF-8 come back as they were when the version does.
    return None if data is None else data.decode("utf-8", "surrogateescape")


def _conflict(id: str, expected: int, current: Version | None) -> str:
    if current is None:
        return f"destination '{id}' is not there: it has no version {expected}"
    by = "in the file itself" if current.author == BY_HAND else f"by {current.author}"
    what = "deleted" if current.text is None else "changed"
    return f"destination '{id}' was {what} {by} meanwhile: it is version {current.number} now, not {expected}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        number = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateFileError(f"{_KIND} {path}: {error.strerror}; see that it can be written to") from None
    try:
        give_up_at = time.monotonic() + WAIT_S
        while True:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > give_up_at:
                    raise StateFileError(f"{_KIND} {path}: another program has it for {WAIT_S:g} s now") from None
                time.sleep(_LOOK_EVERY_S)
        yield
    finally:
        os.close(number)

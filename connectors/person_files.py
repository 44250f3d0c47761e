"""A JSON-lines file of persons, distinct ids or groups, read to its end and then followed as it grows.

It refuses to guess: a file that is no longer the one that was read before is read again from its beginning.

Units: positions are byte offsets of the start of a line.
Limits: a line longer than 16 MiB is passed on cut, so that it is counted as malformed.
Blocking: reads the local disk; opens the file at each read, so a replaced file is noticed by its path.
"""

import hashlib
import logging
import os
from collections.abc import Mapping
from typing import BinaryIO, Final

from connectors.lines import is_whole
from connectors.person_inputs import JsonLines
from connectors.person_reader import BATCH, NOTHING, Batch, RareLog, RawMessage
from connectors.person_table import Position

MAX_LINE_BYTES: Final = 16 * 1024 * 1024
_PROBE_BYTES: Final = 256
_TYPICAL_LINE_BYTES: Final = 400
_log = logging.getLogger(__name__)


class FileReader:
    """A Reader of one file. Raises ValueError when the file does not exist."""

    def __init__(self, source: JsonLines, stored: Mapping[str, Position]) -> None:
        self.stream = source.stream
        self.restored = False
        self._path = source.path
        self._name = f"{self.stream}/0"
        self._next, self._fingerprint = stored.get(self._name, Position(0))
        if not self._path.is_file():
            raise ValueError(f"{self._path}: no such file; it is configured as the input for {source.role}")
        self._target = self._path.stat().st_size
        self._seen_to_end: tuple[int, int, int] | None = None
        self._lost = RareLog(_log)

    def read(self) -> Batch:
        """See Reader. A file that has gone is waited for."""
        try:
            with self._path.open("rb") as file:
                return self._read(file)
        except OSError as error:
            self._lost.warning("%s: cannot be read (%s); trying again until it can", self.stream, error.strerror)
            return NOTHING

    def remaining(self) -> int:
        """See Reader; estimated from the bytes left."""
        return 0 if self.restored else max(0, self._target - self._next) // _TYPICAL_LINE_BYTES

    def close(self) -> None:
        """See Reader; no file is held open."""

    def _read(self, file: BinaryIO) -> Batch:
        stat = os.fstat(file.fileno())
        state = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if state == self._seen_to_end:
            return NOTHING
        if self._next and self._fingerprint != _fingerprint(file, self._next):
            _log.warning("%s: has been cut or replaced; reading it again from its beginning", self.stream)
            self._next = 0
        messages, self._next, ended = _take(file, self._next)
        if ended:
            self._seen_to_end = state
        self.restored = self.restored or ended or self._next >= self._target
        self._fingerprint = _fingerprint(file, self._next)
        return Batch(messages, {self._name: Position(self._next, self._fingerprint)})


def _take(file: BinaryIO, start: int) -> tuple[list[RawMessage], int, bool]:
    """Up to BATCH lines from `start`: the messages, the position behind the last whole line, whether the file ended."""
    file.seek(start)
    messages: list[RawMessage] = []
    while len(messages) < BATCH:
        line = file.readline(MAX_LINE_BYTES)
        if line.endswith(b"\n"):
            if not line.isspace():
                messages.append(RawMessage(line, 0, start))
            start += len(line)
        elif len(line) == MAX_LINE_BYTES:
            messages.append(RawMessage(line, 0, start))
            start += len(line) + _skip_line(file)
        else:
            if is_whole(line):
                # Its writer may never end the last line, or may be about to: it counts now, and is read again with
                # whatever follows. Reading a version twice changes nothing.
                messages.append(RawMessage(line, 0, start))
            return messages, start, True
    return messages, start, False


def _skip_line(file: BinaryIO) -> int:
    skipped = 0
    while part := file.readline(MAX_LINE_BYTES):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped


def _fingerprint(file: BinaryIO, position: int) -> str:
    """Names the file up to `position`: its inode, its first bytes, and the bytes before the position.

    A shorter file has other bytes there; so has one whose lines were edited to another length. An edit in place that
    keeps the length and touches neither end is not seen.
    """
    file.seek(0)
    first = file.read(min(_PROBE_BYTES, position))
    file.seek(max(0, position - _PROBE_BYTES))
    last = file.read(min(_PROBE_BYTES, position))
    return f"{os.fstat(file.fileno()).st_ino}:{hashlib.blake2b(first + b'|' + last, digest_size=16).hexdigest()}"

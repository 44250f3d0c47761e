"""JSON lines as a log: a file, or standard input.

Lines end with \\n or \\r\\n; blank ones are skipped. A file that grows is followed; a last line without a newline
counts when it is a whole JSON object, or when the end of the file is the end of the input, else it is waited for.
Standard input can be read once.

Units: a position in a file is the byte offset of the line; in standard input the number of the line, counted on from
where an earlier run stopped, so that no two events get one position.
Limits: 256 KiB of a file and 4 MiB of standard input are read ahead, besides one line of up to 64 MiB (cut behind it).
Blocking: reads from the local disk, 16 MiB at most per call; standard input never.
"""

import logging
import os
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from connectors.line_search import first_line_at, line_from
from connectors.lines import MAX_LINE_BYTES, Line, LineCutter, is_whole
from connectors.log import END, LogError
from records import Message

_CHUNK_BYTES: Final = 256 * 1024
_MAX_BYTES_PER_READ: Final = 16 * 1024 * 1024
_PIPE_CHUNK_BYTES: Final = 64 * 1024
_PIPE_CHUNKS_AHEAD: Final = 64
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_log = logging.getLogger(__name__)


class FileLog:
    """One file, one partition."""

    replayable = True
    compacted = False

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.stream = f"file:{path}"
        self._path = path
        self._clock = clock

    def partitions(self) -> list[int]:
        """See Log: always partition 0."""
        self.end_offset(0)
        return [0]

    def reader(self, partition: int, until_end: bool = False) -> "FileReader":
        """See Log."""
        return FileReader(self._path, self.stream, until_end, self._clock)

    def start_offset(self, partition: int) -> int:
        """See Log."""
        return 0

    def end_offset(self, partition: int) -> int:
        """See Log: behind the last whole line, so that one which is being written is read whole later."""
        with self._told():
            return _end_of(self._path)

    def offset_at(self, partition: int, time_s: float) -> int:
        """See Log: by the events' own `timestamp`, in the order of the file; it reads the file up to that place."""
        with self._told():
            offset = first_line_at(self._path, time_s)
        if offset is None:
            raise LogError(
                f"{self._path}: no line has a `timestamp`, so no place is found by a time; "
                f"give a place, such as --from {self.stream}/0:0"
            )
        return offset

    def align(self, partition: int, offset: int) -> int:
        """See Log: the beginning of a line."""
        with self._told():
            return line_from(self._path, offset)

    def retention_s(self) -> None:
        """See Log: nobody deletes lines of a file."""

    def lag(self, partition: int, offset: int) -> int | None:
        """See Log: in bytes."""
        try:
            return max(0, self._path.stat().st_size - offset)
        except OSError:
            return None

    def gone_s(self, partition: int) -> float:
        """See Log: never, for reading a file that is gone says so."""
        return 0.0

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LogError(f"{self._path}: cannot be read: {error.strerror}; correct the path or its rights") from None


class FileReader:
    """A LogReader of a file. `missing` stays 0: what a file lost cannot be counted in messages."""

    def __init__(self, path: Path, stream: str, until_end: bool, clock: Callable[[], float]) -> None:
        self.next_offset = 0
        self.missing = 0
        self._path = path
        self._stream = stream
        self._until_end = until_end
        self._clock = clock
        self._file: int | None = None
        self._cutter = LineCutter()
        self._lines: deque[Line] = deque()
        self._judged = 0
        """So long was the unfinished line when it was last looked at."""
        self._read_to = 0
        self._ended = False
        self._sought = False
        self._inside_line = False

    def seek(self, offset: int) -> None:
        """See LogReader. One behind the beginning of a line is the next line: a backlog moves on by one position.

        Raises OSError when it is the end that is meant and the file cannot be read.
        """
        self.next_offset = self._read_to = _end_of(self._path) if offset == END else offset
        self._cutter = LineCutter()
        self._lines.clear()
        self._judged = 0
        self._ended = False
        self._sought = True
        self._inside_line = False

    def read(self, limit: int) -> list[Message]:
        """See LogReader. Raises OSError when the file cannot be read."""
        messages: list[Message] = []
        read_ms = int(self._clock() * 1000)
        budget = _MAX_BYTES_PER_READ
        while len(messages) < limit:
            if self._lines:
                line = self._lines.popleft()
                offset, self.next_offset = self.next_offset, self.next_offset + line.length
                if self._inside_line:
                    self._inside_line = False
                    continue
                text = line.text.removesuffix(b"\r")
                if not offset:
                    text = text.removeprefix(_BYTE_ORDER_MARK)
                if text and not text.isspace():
                    messages.append(Message(self._stream, 0, offset, text, read_ms))
            elif budget > 0:
                read = self._fill()
                if not read:
                    break
                budget -= read
            else:
                break
        return messages

    def at_end(self) -> bool:
        """See LogReader."""
        return self._ended and not self._lines

    def close(self) -> None:
        """See LogReader."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _fill(self) -> int:
        """Read a chunk; 0 when no line can come of it now."""
        if self._file is None:
            self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        if self._sought:
            self._sought = False
            self._inside_line = self._one_behind_a_beginning(self._file, self._read_to)
        chunk = os.pread(self._file, _CHUNK_BYTES, self._read_to)
        self._read_to += len(chunk)
        self._ended = not chunk
        if chunk:
            self._lines.extend(self._cutter.cut(chunk))
            return len(chunk)
        if self._begins_anew():
            return 0
        if self._until_end:
            self._lines.extend(self._cutter.rest())
        elif self._cutter.pending != self._judged:
            self._judged = self._cutter.pending
            self._lines.extend(self._cutter.whole_rest())
        return len(self._lines)

    @staticmethod
    def _one_behind_a_beginning(file: int, offset: int) -> bool:
        # Not any place inside a line: the end of an unfinished line that was taken as a whole is a place to go on at.
        before = os.pread(file, 2, offset - 2) if offset > 1 else b"\n" + os.pread(file, offset, 0)
        return len(before) == 2 and before[:1] == b"\n" and before[1:] != b"\n"

    def _begins_anew(self) -> bool:
        """Start over when the path now leads to less, or to another file, than what was read."""
        assert self._file is not None
        opened = os.fstat(self._file)
        try:
            present = self._path.stat()
        except FileNotFoundError:
            return False
        if os.path.samestat(opened, present) and present.st_size >= self._read_to:
            return False
        what = "is shorter than before" if os.path.samestat(opened, present) else "was replaced"
        _log.warning("%s: the file %s; continuing at its beginning, not at byte %d", self._path, what, self.next_offset)
        self.close()
        self.seek(0)
        return True


def _end_of(path: Path) -> int:
    """The position behind the last newline, or behind a whole object that has none yet."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        begin = _line_before(file, end)
        if begin == end or end - begin > MAX_LINE_BYTES:
            return begin
        file.seek(begin)
        return end if is_whole(file.read(end - begin)) else begin


def _line_before(file: BinaryIO, end: int) -> int:
    """Where the line begins that has its last byte before `end`."""
    while end > 0:
        begin = max(0, end - _CHUNK_BYTES)
        file.seek(begin)
        newline = file.read(end - begin).rfind(b"\n")
        if newline >= 0:
            return begin + newline + 1
        end = begin
    return 0


class StdinLog:
    """Standard input, one partition. `file` stands in for it."""

    stream = "-"
    replayable = False
    compacted = False

    def __init__(self, file: BinaryIO | None = None, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._clock = clock

    def partitions(self) -> list[int]:
        """See Log: always partition 0."""
        return [0]

    def reader(self, partition: int, until_end: bool = False) -> "StdinReader":
        """See Log. A second reader would share the lines with the first one."""
        return StdinReader(self._file or sys.stdin.buffer, self._clock)

    def start_offset(self, partition: int) -> int:
        """See Log."""
        return 0

    def end_offset(self, partition: int) -> int:
        """See Log: everything in it is still to come."""
        return 0

    def offset_at(self, partition: int, time_s: float) -> int:
        """See Log: it cannot be told, and not be used."""
        raise LogError("standard input cannot be read again")

    def align(self, partition: int, offset: int) -> int:
        """See Log."""
        return offset

    def retention_s(self) -> None:
        """See Log."""

    def lag(self, partition: int, offset: int) -> int | None:
        """See Log: never known."""
        return None

    def gone_s(self, partition: int) -> float:
        """See Log: never."""
        return 0.0


class StdinReader:
    """A LogReader of standard input; it cannot go back.

    A thread reads, because standard input cannot be asked whether it has something. A full queue holds the writer at
    the other end of the pipe.
    """

    def __init__(self, file: BinaryIO, clock: Callable[[], float]) -> None:
        self.next_offset = 0
        self.missing = 0
        self._file = file
        self._clock = clock
        self._chunks: queue.Queue[bytes] = queue.Queue(_PIPE_CHUNKS_AHEAD)
        self._cutter = LineCutter()
        self._lines: deque[Line] = deque()
        self._ended = False
        threading.Thread(target=self._pump, name="stdin", daemon=True).start()

    def seek(self, offset: int) -> None:
        """Count lines on from this number."""
        self.next_offset = offset

    def read(self, limit: int) -> list[Message]:
        """See LogReader."""
        messages: list[Message] = []
        read_ms = int(self._clock() * 1000)
        while len(messages) < limit and (self._lines or self._fill()):
            text = self._lines.popleft().text.removesuffix(b"\r")
            if text and not text.isspace():
                messages.append(Message(StdinLog.stream, 0, self.next_offset, text, read_ms))
            self.next_offset += 1
        return messages

    def at_end(self) -> bool:
        """See LogReader: the writer has closed the pipe, and all lines are read."""
        return self._ended and not self._lines

    def close(self) -> None:
        """Nothing to let go of: the thread ends with the process, it may wait in a read that nothing interrupts."""

    def _fill(self) -> bool:
        """Take chunks until one completes a line; False when none does."""
        while not self._lines and not self._ended:
            try:
                chunk = self._chunks.get_nowait()
            except queue.Empty:
                return False
            self._ended = not chunk
            self._lines.extend(self._cutter.cut(chunk) if chunk else self._cutter.rest())
        return bool(self._lines)

    def _pump(self) -> None:
        chunk = b"\n"
        while chunk:
            try:
                chunk = os.read(self._file.fileno(), _PIPE_CHUNK_BYTES)
            except (OSError, ValueError):
                chunk = b""  # Closed under us: the same as its end.
            self._chunks.put(chunk)

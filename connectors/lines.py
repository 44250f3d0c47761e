"""Cuts a stream of bytes into lines, and knows a line of JSON that is whole without its end. It knows no files."""

from typing import Final, NamedTuple

import msgspec

MAX_LINE_BYTES: Final = 64 * 1024 * 1024
"""A longer line is cut to its first `KEPT_BYTES`, so that decoding refuses it and its beginning can be looked at."""
KEPT_BYTES: Final = 1024 * 1024


class Line(NamedTuple):
    """One line: what it says, and how many bytes it takes in the log, its end included."""

    text: bytes
    length: int


class LineCutter:
    """Bytes in, whole lines out. Holds one unfinished line, at most `max_line_bytes` and a chunk of it."""

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES, kept_bytes: int = KEPT_BYTES) -> None:
        """Start at the beginning of a line."""
        self._max_line_bytes = max_line_bytes
        self._kept_bytes = kept_bytes
        self._head = bytearray()
        self.pending = 0
        """Bytes of the unfinished line so far."""

    def cut(self, chunk: bytes) -> list[Line]:
        """The lines that this chunk, shorter than `max_line_bytes`, completes."""
        *whole, rest = chunk.split(b"\n")
        lines = [Line(text, len(text) + 1) for text in whole]
        if lines and self.pending:
            self._keep(whole[0])
            lines[0] = self._take(1)
        self._keep(rest)
        return lines

    def rest(self) -> list[Line]:
        """The unfinished line, for a log that has ended without a newline."""
        return [self._take(0)] if self.pending else []

    def whole_rest(self) -> list[Line]:
        """The unfinished line, if it is a whole object already: its writer may never end it."""
        return [self._take(0)] if is_whole(self._head) else []

    def _keep(self, piece: bytes) -> None:
        self.pending += len(piece)
        if len(self._head) <= self._max_line_bytes:
            self._head += piece

    def _take(self, newline: int) -> Line:
        cut = self._kept_bytes if self.pending > self._max_line_bytes else self.pending
        line = Line(bytes(self._head[:cut]), self.pending + newline)
        self._head = bytearray()
        self.pending = 0
        return line


def is_whole(line: bytes | bytearray) -> bool:
    """Whether a line that has no end yet is a whole JSON object: no beginning of one is."""
    if not line[-16:].rstrip().endswith(b"}"):
        return False
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True

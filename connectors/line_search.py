"""Finds places in a file of JSON lines: by time, and the beginning of a line. Raises OSError.

There is no index: a search by time decodes line after line up to the one it looks for, about a second for each 300 MB.
"""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from connectors.lines import is_whole

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _Timed(msgspec.Struct, gc=False):
    timestamp: str | None = None


_TIMED = msgspec.json.Decoder(_Timed)


def first_line_at(path: Path, time_s: float) -> int | None:
    """Where the first line begins whose event is of this moment or later; behind the last whole line if none is.

    In the order of the file. A line without a time is passed over; None where no line has one.
    """
    offset = 0
    timed = timeless = False
    with path.open("rb") as file:
        for line in file:
            if not (line.endswith(b"\n") or is_whole(line)):
                break
            at = event_time(line)
            timed |= at is not None
            timeless |= at is None and not line.isspace()
            if at is not None and at >= time_s:
                break
            offset += len(line)
    return None if timeless and not timed else offset


def line_from(path: Path, offset: int) -> int:
    """Where the first line begins that begins at `offset` or behind it."""
    if offset <= 0:
        return 0
    with path.open("rb") as file:
        file.seek(offset - 1)
        return offset - 1 + len(file.readline())


def event_time(line: bytes) -> float | None:
    """Seconds since the epoch of an event's `timestamp`; None where there is none that can be read.

    Takes ISO 8601 and ClickHouse's form of it; a time without a zone is UTC, as everywhere in events.
    """
    try:
        written = _TIMED.decode(line.removeprefix(_BYTE_ORDER_MARK)).timestamp
        at = None if written is None else datetime.fromisoformat(written)
    except (msgspec.DecodeError, ValueError):
        return None
    if at is None:
        return None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()

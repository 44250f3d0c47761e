"""What `offramp replay` is asked for, read from its options."""

import re
from datetime import datetime

from connectors.commands import Position

_POSITION = re.compile(r"(.+)/([0-9]{1,9}):([0-9]{1,18})")
_AGO = re.compile(r"([0-9]{1,9})([mhd])")
_UNITS = {"m": 60, "h": 3_600, "d": 86_400}


def position_of(text: str) -> Position:
    """`TOPIC/PARTITION:OFFSET`, also with `kafka:` in front, or a file in place of the topic. Raises ValueError."""
    found = _POSITION.fullmatch(text)
    if found is None:
        raise ValueError(f"expected TOPIC/PARTITION:OFFSET, such as events/0:1200, got {text!r}")
    return Position(found[1], int(found[2]), int(found[3]))


def moment_of(text: str, now: float) -> float:
    """A moment in ISO 8601 with its zone, or how long ago: `90m`, `2h`, `3d`. Raises ValueError."""
    if (ago := _AGO.fullmatch(text)) is not None:
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"expected a time such as 2026-11-20T10:00:00Z, or 2h for two hours ago, got {text!r}"
        ) from None
    if at.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone; for UTC write {text}Z, else its offset such as {text}+01:00")
    return at.timestamp()

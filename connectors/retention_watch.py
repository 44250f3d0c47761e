"""Warns before the log forgets what is owed: a line in the destination's log, once an hour.

Blocks while brokers are asked how long they keep messages, which is every ten minutes at most, and only while anything
is owed.
"""

import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Final

from connectors.log import Log
from records import LogLine, Status

WARN_AT: Final = 0.8
"""Of the retention."""
TELL_EVERY_S: Final = 3600.0
_ASK_EVERY_S: Final = 600.0


class RetentionWatch:
    """Looks at the latest statuses; `tell` takes the lines. `check` is to be called every minute or so."""

    def __init__(
        self,
        logs: Collection[Log],
        statuses: Callable[[], Mapping[str, Status]],
        tell: Callable[[list[LogLine]], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._logs = logs
        self._statuses = statuses
        self._tell = tell
        self._clock = clock
        self._kept_s: dict[str, float] = {}
        """For how long each log keeps messages that does not keep them for ever."""
        self._asked_at = float("-inf")
        self._told_at: dict[tuple[str, str], float] = {}

    def check(self) -> None:
        """Warn of everything that is due."""
        now = self._clock()
        owing = [status for status in self._statuses().values() if status.oldest]
        if not owing:
            return
        self._ask(now)
        for status in owing:
            for stream, oldest in status.oldest.items():
                kept_s = self._kept_s.get(stream)
                if kept_s is None or now - oldest < WARN_AT * kept_s:
                    continue
                if now - self._told_at.get((status.id, stream), float("-inf")) >= TELL_EVERY_S:
                    self._told_at[status.id, stream] = now
                    text = _text(status, now, oldest, stream, kept_s)
                    self._tell([LogLine(status.id, now, "warn", text)])

    def _ask(self, now: float) -> None:
        if now - self._asked_at >= _ASK_EVERY_S:
            self._asked_at = now
            kept = ((log.stream, log.retention_s()) for log in self._logs if log.replayable)
            self._kept_s = {stream: kept_s for stream, kept_s in kept if kept_s is not None}


def _text(status: Status, now: float, oldest: float, stream: str, kept_s: float) -> str:
    owed = "1 event is owed" if status.owed == 1 else f"{status.owed:,} events are owed"
    until = oldest + kept_s
    if until > now:
        end = f"what is not sent by {datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M} UTC may be lost"
    else:
        end = "what is that old may be deleted at any moment"
    return (
        f"{owed}, the oldest of {stream} for {_days(now - oldest)} ({status.state}); that log keeps messages for "
        f"{_days(kept_s)}: {end}; see that it is sent, or let the topic keep messages for longer"
    )


def _days(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"

"""Warns before the log forgets what is owed: a line in the destination's log, once an hour.

From the statuses alone it is not known which input the oldest owed event is of: the one that forgets first is assumed.

Blocks while brokers are asked how long they keep messages, which is every ten minutes at most, and only while anything
is owed.
"""

import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from connectors.log import Log
from records import LogLine, Status

WARN_AT: Final = 0.8
"""Of the retention."""
TELL_EVERY_S: Final = 3600.0
_ASK_EVERY_S: Final = 600.0


class _Shortest(msgspec.Struct, frozen=True):
    """The log that forgets first."""

    stream: str
    kept_s: float


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
        self._shortest: _Shortest | None = None
        self._asked_at = float("-inf")
        self._told_at: dict[str, float] = {}

    def check(self) -> None:
        """Warn of everything that is due."""
        now = self._clock()
        owing = [status for status in self._statuses().values() if status.owed and status.lag_s]
        if not owing or (shortest := self._ask(now)) is None:
            return
        for status in owing:
            oldest = status.at - status.lag_s
            told_at = self._told_at.get(status.id, float("-inf"))
            if now - oldest >= WARN_AT * shortest.kept_s and now - told_at >= TELL_EVERY_S:
                self._told_at[status.id] = now
                self._tell([LogLine(status.id, now, "warn", self._text(status, now, oldest, shortest))])

    def _ask(self, now: float) -> _Shortest | None:
        if now - self._asked_at >= _ASK_EVERY_S:
            self._asked_at = now
            kept = [(log.retention_s(), log.stream) for log in self._logs if log.replayable]
            self._shortest = min((_Shortest(of, s) for s, of in kept if s is not None), key=_kept, default=None)
        return self._shortest

    def _text(self, status: Status, now: float, oldest: float, shortest: _Shortest) -> str:
        owed = "1 event is owed" if status.owed == 1 else f"{status.owed:,} events are owed"
        which = "which" if len(self._logs) == 1 else "of the inputs the one that forgets first,"
        until = oldest + shortest.kept_s
        if until > now:
            end = f"what is not sent by {datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M} UTC may be lost"
        else:
            end = "what is that old may be deleted at any moment"
        return (
            f"{owed}, the oldest for {_days(now - oldest)} ({status.state}); {shortest.stream}, {which} keeps messages "
            f"for {_days(shortest.kept_s)}: {end}; see that it is sent, or let the topic keep messages for longer"
        )


def _kept(shortest: _Shortest) -> float:
    return shortest.kept_s


def _days(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"

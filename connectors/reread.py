"""One re-read of the backlog lane: some positions of one partition, for one destination, with a mark behind them.

It settles what a position that is gone means; it does not decide what is re-read, or when.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeAlias

from connectors.log import Log, LogReader
from delivery.ranges import Reread
from records import Message, RangeRead

MAX_READERS: Final = 16
_SEEK_OVER: Final = 10_000
"""Positions between two wanted ones that are worth a seek; a seek in Kafka costs a fetch or two."""
_END_GRACE_S: Final = 10.0
"""How long the end of a log may lie before a position that was read once: after a change of leader a Kafka broker may
need a moment to know the end. After that the log was cut back."""
GONE_GRACE_S: Final = 60.0
"""For so long the brokers must have been saying that a partition does not exist: one that has just started, or a topic
that is being made anew, is no reason to give up what is owed."""
ASK_AFTER_S: Final = 5.0
"""A partition that is silent for longer may be gone."""

Key: TypeAlias = tuple[str, str, int]


def key_of(wish: Reread) -> Key:
    """Whose reader serves this wish."""
    return wish.destination, wish.stream, wish.partition


class Readers:
    """Open readers by destination and partition, so that a re-read continues where the one before it stopped."""

    def __init__(self, logs: Mapping[str, Log], until_end: bool = False) -> None:
        """Open none yet. `until_end`: see `Log.reader`."""
        self._logs = logs
        self._until_end = until_end
        self._open: OrderedDict[Key, LogReader] = OrderedDict()

    def refusal(self, stream: str) -> str | None:
        """Why the stream cannot be read a second time; None when it can."""
        log = self._logs.get(stream)
        if log is None:
            return "no longer among the inputs"
        return None if log.replayable else "standard input cannot be read again"

    def compacted(self, stream: str) -> bool:
        """See `Log.compacted`."""
        return stream in self._logs and self._logs[stream].compacted

    def gone(self, wish: Reread) -> bool:
        """Whether the partition of this wish has not been there for so long that it is given up."""
        return self._logs[wish.stream].gone_s(wish.partition) >= GONE_GRACE_S

    def get(self, wish: Reread, in_use: Collection[Key]) -> LogReader:
        """The reader for this wish, opened where it has to be; the one idle for longest makes room."""
        key = key_of(wish)
        if key in self._open:
            self._open.move_to_end(key)
            return self._open[key]
        idle = [other for other in self._open if other not in in_use]
        if len(self._open) >= MAX_READERS and idle:
            self.drop(idle[0])
        reader = self._open[key] = self._logs[wish.stream].reader(wish.partition, self._until_end)
        reader.seek(wish.first)
        return reader

    def drop_idle(self, in_use: Collection[Key]) -> None:
        """Close all that serve no wish: what a client of Kafka hears while nobody reads piles up in it."""
        for key in [key for key in self._open if key not in in_use]:
            self.drop(key)

    def drop(self, key: Key) -> None:
        """Close this reader, if it is open."""
        reader = self._open.pop(key, None)
        if reader is not None:
            reader.close()

    def close(self) -> None:
        """Close all."""
        for key in list(self._open):
            self.drop(key)


class Rereading:
    """A wish under way. `done` is its mark, once everything it asked for has been read or is known to be gone."""

    def __init__(self, wish: Reread, clock: Callable[[], float] = time.monotonic, compacted: bool = False) -> None:
        """Begin before its first position. Of a log that is `compacted`, only what lies before its start is missing."""
        self.wish = wish
        self.done: RangeRead | None = None
        self._clock = clock
        self._next = wish.first
        self._left = wish.limit
        self._missing = 0
        self._compacted = compacted
        self._log_begins_at = 0
        self._wanted = (
            None if wish.only is None else deque(sorted(o for o in wish.only if wish.first <= o <= wish.last))
        )
        self._at_end_since: float | None = None
        self._heard_at = clock()

    @property
    def silent(self) -> bool:
        """Whether the log has said nothing for a while, not even that this is its end."""
        return self._clock() - self._heard_at > ASK_AFTER_S

    def take_turn(self) -> None:
        """It is read from now on: what was said before counts for nothing."""
        self._heard_at = self._clock()

    def read(self, reader: LogReader, limit: int) -> list[Message]:
        """Read on, `limit` messages at most."""
        self._go_to_next(reader)
        if self.done is not None:
            return []
        missing_before = reader.missing
        got = reader.read(min(limit, self._left, self.wish.last + 1 - self._next))
        if reader.next_offset < self._next:
            # The log begins anew with smaller positions: what was meant is gone, what is there now is something else.
            self.give_up()
            return []
        if got or reader.at_end():
            self._heard_at = self._clock()
        self._note_gap(reader.missing - missing_before)
        messages = [message for message in got if self._is_wanted(message.offset)]
        for message in messages:
            message.only_for = self.wish.destination
            message.mapping = self.wish.mapping
        self._left -= len(messages)
        self._move_to(reader.next_offset)
        if self.done is None:
            self._judge_end(reader, moved=bool(got))
        return messages

    def give_up(self) -> None:
        """What is left to read is gone from the log."""
        self._missing += self.wish.last + 1 - self._next if self._wanted is None else len(self._wanted)
        self._finish(self.wish.last + 1)

    def _go_to_next(self, reader: LogReader) -> None:
        if self._wanted is not None:
            if not self._wanted:
                self._finish(self.wish.last + 1)
                return
            if self._wanted[0] - self._next > _SEEK_OVER:
                self._next = self._wanted[0]
        if reader.next_offset != self._next:
            reader.seek(self._next)

    def _note_gap(self, gap: int) -> None:
        if gap:
            self._log_begins_at = self._next + gap
        if self._wanted is None:
            self._missing += min(gap, self.wish.last + 1 - self._next)

    def _is_wanted(self, offset: int) -> bool:
        if offset > self.wish.last:
            return False
        if self._wanted is None:
            return True
        self._pass_over(offset)
        if self._wanted and self._wanted[0] == offset:
            self._wanted.popleft()
            return True
        return False

    def _pass_over(self, offset: int) -> None:
        """Wanted positions before this one did not come: they are gone.

        Where a newer message has taken the place of the one that was wanted, it stands further on and has, or gets, a
        delivery of its own: nothing is lost.
        """
        while self._wanted and self._wanted[0] < offset:
            gone = self._wanted.popleft()
            self._missing += not self._compacted or gone < self._log_begins_at

    def _move_to(self, offset: int) -> None:
        self._next = offset
        self._pass_over(offset)
        if offset > self.wish.last or (self._wanted is not None and not self._wanted):
            self._finish(self.wish.last + 1)
        elif not self._left:
            self._finish(offset)

    def _judge_end(self, reader: LogReader, moved: bool) -> None:
        if moved or not reader.at_end():
            self._at_end_since = None
        elif self._at_end_since is None:
            self._at_end_since = self._clock()
        elif self._clock() - self._at_end_since > _END_GRACE_S:
            self.give_up()

    def _finish(self, next_offset: int) -> None:
        wish = self.wish
        self.done = RangeRead(wish.destination, wish.stream, wish.partition, next_offset, self._missing)

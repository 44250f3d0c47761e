"""Finds the newest events of the logs that somebody asks for. For people who look at a few; no lane uses it.

It goes backwards from the end of each partition, in pieces that grow, all partitions side by side, and stops as soon as
nothing newer can come.

Limits: `Bounds`, of a log in messages per partition and in bytes and seconds over all. Blocks: as long as they say.
Errors: LogError.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import msgspec

from connectors.log import Log, LogError, LogReader
from records import Event, Message

_BATCH: Final = 500
_PAUSE_S: Final = 0.01
_AT_ONCE: Final = 8
"""Partitions that are read at once."""
_FIRST_MESSAGES: Final = 250
_FIRST_BYTES: Final = 256 * 1024
"""Of the first piece, for logs whose positions are messages, and for files; each is four times the one before."""
_GROWTH: Final = 4
_LARGEST_MESSAGES: Final = 16_000
_LARGEST_BYTES: Final = 16 * 1024 * 1024
_LEAST_BYTES: Final = 1024 * 1024
"""Of each partition, however many share the bytes."""

Decode = Callable[[Message], Event | None]
"""None is what is no event."""


class Wish(msgspec.Struct, frozen=True):
    """Which events; what is empty allows every one."""

    name: str = ""
    """The event's own."""
    person: str = ""
    """A distinct id."""
    uuid: str = ""
    wanted: Callable[[Event], bool] | None = None
    """Asked last, and always on the caller's thread."""

    def allows(self, event: Event) -> bool:
        """Whether it is one of them."""
        return (
            self.name in ("", event.event)
            and self.person in ("", event.distinct_id)
            and self.uuid.lower() in ("", event.uuid.lower())
            and (self.wanted is None or self.wanted(event))
        )


class Bounds(msgspec.Struct, frozen=True):
    """How far it looks, whatever it finds."""

    messages: int = 5_000
    """The newest of each partition."""
    bytes: int = 64 * 1024 * 1024
    """Of all partitions together, at most; a partition has at least 1 MiB."""
    seconds: float = 15.0
    silence_s: float = 10.0
    """A log that says nothing for so long is an error."""


class Recent(msgspec.Struct, frozen=True):
    """What was found."""

    events: list[Event]
    """The newest first: by the times of their messages; in a file, by their places."""
    looked_at: int
    """Messages."""
    unfinished: int = 0
    """Partitions that were left for lack of time, before their bounds in messages or bytes."""


BOUNDS: Final = Bounds()


def recent_events(
    logs: Iterable[Log],
    wish: Wish,
    decode: Decode,
    count: int = 1,
    bounds: Bounds = BOUNDS,
    clock: Callable[[], float] = time.monotonic,
) -> Recent:
    """The newest events that the wish allows, at most so many. What cannot be read twice is left out.

    Raises:
        LogError: A log cannot be read, or does not answer.
    """
    give_up_at = clock() + bounds.seconds
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="recent-events") as pool:
        tails: list[_Tail] = []
        try:
            tails += _tails([log for log in logs if log.replayable], bounds, pool)
            return _search(tails, wish, decode, count, pool, lambda: clock() < give_up_at)
        finally:
            for tail in tails:
                tail.stop()
            pool.shutdown(cancel_futures=True)
            for tail in tails:
                tail.close()


def _tails(logs: Sequence[Log], bounds: Bounds, pool: ThreadPoolExecutor) -> "list[_Tail]":
    places = [(log, partition) for log in logs for partition in log.partitions()]
    share = max(min(_LEAST_BYTES, bounds.bytes), bounds.bytes // max(1, len(places)))
    return list(pool.map(lambda place: _Tail(place[0], place[1], bounds, share), places))


def _search(
    tails: "Sequence[_Tail]",
    wish: Wish,
    decode: Decode,
    count: int,
    pool: ThreadPoolExecutor,
    in_time: Callable[[], bool],
) -> Recent:
    found: list[tuple[_Age, Event]] = []
    unread = [tail for tail in tails if not tail.ended]
    while unread and in_time():
        for tail, piece in zip(unread, pool.map(partial(_Tail.piece, in_time=in_time), unread), strict=True):
            of_tail = 0
            for message in reversed(piece):
                event = decode(message)
                if event is not None and wish.allows(event):
                    found.append((tail.age(message), event))
                    of_tail += 1
                    if tail.found + of_tail == count:
                        break
            tail.found += of_tail
        found = sorted(found, key=lambda one: one[0])[:count]
        # Only what is newer than the oldest of those that are enough is of interest any more.
        oldest = found[-1][0] if len(found) == count else None
        unread = [tail for tail in unread if not tail.ended and tail.found < count and tail.may_have_newer(oldest)]
    return Recent([event for _, event in found], sum(tail.looked_at for tail in tails), len(unread))


_Age = tuple[int, str, int, int]
"""The less, the newer."""


class _Tail:
    """The end of one partition, read backwards piece by piece. Calls come one after the other."""

    def __init__(self, log: Log, partition: int, bounds: Bounds, most_bytes: int) -> None:
        self.looked_at = 0
        self.found = 0
        self._log = log
        self._partition = partition
        self._is_file = log.stream.startswith("file:")
        self._bounds = bounds
        self._bytes_left = most_bytes
        self._oldest: _Age | None = None
        # A line of a file has no time but that of its reading, and the last ones are read first.
        self._opened_ms = int(time.time() * 1000) if self._is_file else None
        self._stopped = False
        self._begin = log.start_offset(partition)
        self._end = log.end_offset(partition)
        """Where the next piece ends."""
        self._size = _FIRST_BYTES if self._is_file else _FIRST_MESSAGES
        self._reader: LogReader | None = None
        self.ended = self._end <= self._begin

    def age(self, message: Message) -> _Age:
        """By which messages are in order, the newest first."""
        ms = message.timestamp_ms if self._opened_ms is None else self._opened_ms
        return -ms, message.stream, message.partition, -message.offset

    def may_have_newer(self, than: _Age | None) -> bool:
        """Whether what has not been read can hold anything newer."""
        return than is None or self._oldest is None or self._oldest < than

    def piece(self, in_time: Callable[[], bool]) -> list[Message]:
        """The messages before those of the last piece, in their order; of too many bytes the newest."""
        size = min(self._size, self._bytes_left) if self._is_file else self._size
        begin = max(self._begin, self._end - size)
        if begin > self._begin:
            begin = self._log.align(self._partition, begin)
        if begin >= self._end:
            # A line that is longer than the piece: a larger one has its beginning.
            self._size *= _GROWTH
            self.ended = size >= self._bytes_left
            return []
        self._size = min(self._size * _GROWTH, _LARGEST_BYTES if self._is_file else _LARGEST_MESSAGES)
        try:
            kept, is_whole = self._read(begin, in_time)
        except OSError as error:
            raise LogError(f"{self._log.stream}: cannot be read: {error.strerror or error}") from None
        kept = kept[max(0, len(kept) - self._bounds.messages + self.looked_at) :]
        self.looked_at += len(kept)
        if kept:
            self._oldest = self.age(kept[0])
        self._end = begin
        is_far = begin <= self._begin or self.looked_at >= self._bounds.messages or self._bytes_left <= 0
        self.ended = is_whole and is_far
        return kept

    def stop(self) -> None:
        """End a piece that is being read."""
        self._stopped = True

    def close(self) -> None:
        """Let go of the log. No piece may be under way."""
        if self._reader is not None:
            self._reader.close()

    def _read(self, begin: int, in_time: Callable[[], bool]) -> tuple[list[Message], bool]:
        """What lies from `begin` up to the end of the piece; False where there was no time for all of it."""
        if self._reader is None:
            self._reader = self._log.reader(self._partition, until_end=True)
        reader, kept, size, is_full = self._reader, deque[Message](), 0, False
        reader.seek(begin)
        heard_at = time.monotonic()
        while reader.next_offset < self._end:
            if self._stopped or not in_time():
                return list(kept), False
            messages = reader.read(_BATCH)
            if messages:
                heard_at = time.monotonic()
            elif reader.at_end():
                break
            elif time.monotonic() - heard_at > self._bounds.silence_s:
                stream = f"{self._log.stream}/{self._partition}"
                raise LogError(f"{stream} has not answered for {self._bounds.silence_s:g} s")
            else:
                time.sleep(_PAUSE_S)
            for message in messages:
                if message.offset < self._end:
                    kept.append(message)
                    size += len(message.value or b"")
            while size > self._bytes_left and len(kept) > 1:
                size -= len(kept.popleft().value or b"")
                is_full = True
        self._bytes_left -= self._bytes_left if is_full else size
        return list(kept), True


def find_event(logs: Iterable[Log], uuid: str, decode: Decode, bounds: Bounds | None = None) -> Event | None:
    """The newest event of that uuid; None where none of the newest 200,000 messages of each partition is it.

    Of files the newest 256 MiB are looked at. Raises LogError.
    """
    bounds = bounds or Bounds(messages=200_000, bytes=256 * 1024 * 1024, seconds=120)
    found = recent_events(logs, Wish(uuid=uuid), decode, 1, bounds).events
    return found[0] if found else None

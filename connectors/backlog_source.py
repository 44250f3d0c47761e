"""The backlog lane: reads again, from the same logs, what single destinations have missed.

One per worker. It keeps no position of its own: what is still owed stands in the destinations' snapshots, and they
wish for it again after a restart. Several wishes are served in turn, so that a partition which does not answer holds
up nobody else.

Units: positions are the logs'. Limits: 500 messages a batch, fewer beside live events; 16 wishes under way. Blocking:
never.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Protocol, TypeAlias

from bytewax.inputs import DynamicSource, StatelessSourcePartition

from connectors.giving_way import GivingWay
from connectors.lane import Beat, Beats, Gate, Pace
from connectors.log import Log
from connectors.reread import MAX_READERS, Key, Readers, Rereading, key_of
from delivery.ranges import Reread
from records import Message, RangeRead

_RETRY_S: Final = 1.0
_KEEP_READERS_S: Final = 30.0
"""The next re-read of a range mostly comes within a second and goes on with the same reader."""
_log = logging.getLogger(__name__)

Read: TypeAlias = Message | RangeRead


class Wishes(Protocol):
    """Where the destinations leave their wishes. Thread-safe."""

    def take(self) -> Reread | None:
        """The oldest wish, or None at once."""


class BacklogSource(DynamicSource[Read]):
    """Re-reads from these logs, by stream.

    Args:
        logs: By `Log.stream`. A wish for another stream is answered at once: all of it is gone.
        wishes: What to read.
        gate: Says when to read and when to end.
        until_end: End when all that was read is settled.
        beats: When epochs end.
        live: How many live events have been read so far: beside them it reads less.
    """

    def __init__(
        self,
        logs: Mapping[str, Log],
        wishes: Wishes,
        gate: Gate,
        until_end: bool = False,
        beats: Beats | None = None,
        live: Callable[[], int] = lambda: 0,
    ) -> None:
        self._live = live
        self._beats = beats
        self._logs = logs
        self._wishes = wishes
        self._gate = gate
        self._until_end = until_end

    def build(self, step_id: str, worker_index: int, worker_count: int) -> "BacklogPartition":
        """One worker's share: whatever it takes from the wishes first."""
        readers, pace = Readers(self._logs, self._until_end), Pace(Beat(self._beats))
        return BacklogPartition(readers, self._wishes, self._gate, self._until_end, pace, GivingWay(self._live))


class BacklogPartition(StatelessSourcePartition[Read]):
    """The backlog lane of one worker."""

    def __init__(
        self,
        readers: Readers,
        wishes: Wishes,
        gate: Gate,
        until_end: bool,
        pace: Pace | None = None,
        way: GivingWay | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open nothing yet."""
        self._readers = readers
        self._wishes = wishes
        self._gate = gate
        self._until_end = until_end
        self._clock = clock
        self._pace = pace or Pace()
        self._way = way or GivingWay()
        self._active: dict[Key, Rereading] = {}
        self._waiting: deque[Rereading] = deque()
        self._retry_at: dict[Key, float] = {}
        self._idle_since = clock()

    def next_batch(self) -> list[Read]:
        """What is there of the wishes under way. Raises StopIteration at the end."""
        self._pace.called()
        if self._gate.stopping() or (self._until_end and not self._active and self._gate.drained()):
            raise StopIteration
        if rest_s := self._way.rest_s(len({destination for destination, *_ in self._active})):
            self._pace.rest(rest_s)
            return []
        batch: list[Read] = []
        if self._gate.may_read():
            self._take()
            limit = self._way.batch()
            for key, rereading in list(self._active.items()):
                batch.extend(self._read(key, rereading, max(1, limit // len(self._active))))
                if rereading.done is not None:
                    batch.append(rereading.done)
                    del self._active[key]
                elif rereading.silent and self._waiting:
                    # It does not answer: its place is for others by turns.
                    del self._active[key]
                    self._waiting.append(rereading)
        self._pace.after(batch)
        if batch:
            self._way.gave(len(batch))
            self._idle_since = self._clock()
        elif self._clock() - self._idle_since > _KEEP_READERS_S:
            self._readers.drop_idle(self._active)
        return batch

    def next_awake(self) -> datetime | None:
        """See Pace."""
        return self._pace.next_awake

    def close(self) -> None:
        """Close the readers."""
        self._readers.close()

    def _take(self) -> None:
        """Begin what waits; two wishes with one key are served one after the other, for they share a reader."""
        while (wish := self._wishes.take()) is not None:
            self._waiting.append(Rereading(wish, self._clock, self._readers.compacted(wish.stream)))
        for _ in range(len(self._waiting)):
            rereading = self._waiting.popleft()
            if key_of(rereading.wish) in self._active or len(self._active) >= MAX_READERS:
                self._waiting.append(rereading)
            else:
                rereading.take_turn()
                self._active[key_of(rereading.wish)] = rereading

    def _read(self, key: Key, rereading: Rereading, limit: int) -> list[Message]:
        wish = rereading.wish
        refusal = self._readers.refusal(wish.stream)
        if refusal is not None:
            _log.warning("%s: %s; what %s missed of it is given up", wish.stream, refusal, wish.destination)
            rereading.give_up()
            return []
        if self._clock() < self._retry_at.get(key, 0.0):
            return []
        try:
            messages = rereading.read(self._readers.get(wish, self._active), limit)
        except FileNotFoundError:
            _log.warning("%s: the file is gone, and with it what %s missed", wish.stream, wish.destination)
            rereading.give_up()
            return []
        except Exception as error:  # noqa: BLE001 - what reaches the engine kills the worker
            self._failed(key, error)
            return []
        self._retry_at.pop(key, None)
        if rereading.done is None and rereading.silent and self._readers.gone(wish):
            _log.warning(
                "%s/%d: is not there any more, the brokers say; what %s missed of it is given up",
                wish.stream,
                wish.partition,
                wish.destination,
            )
            rereading.give_up()
            self._readers.drop(key)
        return messages

    def _failed(self, key: Key, error: Exception) -> None:
        destination, stream, partition = key
        if key not in self._retry_at:
            _log.error(
                "%s/%d: cannot be read again for %s: %s: %s; trying again every second",
                stream,
                partition,
                destination,
                type(error).__name__,
                error,
            )
        self._retry_at[key] = self._clock() + _RETRY_S
        try:
            self._readers.drop(key)
        except Exception as closing:  # noqa: BLE001 - the reader is given up either way
            _log.debug("%s/%d: closing failed too: %s", stream, partition, closing)

"""The live lane: every partition of every log, read forward once, its position kept in the engine's snapshots.

A partition that cannot be read is waited for; it never ends the job. A log may be read on demand: only while somebody
wants it, from its end as it was when that began.

Units: the state of a partition is its next offset; `END` where it is not read. Limits: 500 messages a batch. Blocking:
only while the job starts.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, Literal, TypeAlias

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from connectors.lane import Beat, Beats, Gate, Pace
from connectors.log import END, Log, LogError, LogReader
from connectors.parts import Parts
from records import EndOfInput, Message

BATCH: Final = 500
_RETRY_S: Final = 1.0
_LOOK_EVERY_S: Final = 0.2
"""How soon a log that nobody wanted is read when somebody does."""
LEAVE_AFTER_S: Final = 10.0
"""Who wanted a log and is gone for less may be on the way back, a file that is deleted and written anew: its place is
kept."""
_log = logging.getLogger(__name__)

Read: TypeAlias = Message | EndOfInput
Wanted: TypeAlias = Callable[[], bool]


class EventsSource(FixedPartitionedSource[Read, int]):
    """All logs as one source; a partition is called STREAM/NUMBER.

    Args:
        logs: What to read. Raises LogError when one is not there.
        gate: Says when to read and when to end.
        start: Where to begin a log that was never read before.
        until_end: Mark the end of each partition with `EndOfInput`, and end when all is settled.
        memory: The file that remembers partitions, see Parts.
        beats: When epochs end.
        on_demand: Of these streams, by name, whether somebody wants them now. One that is not there is no error.
    """

    def __init__(
        self,
        logs: Sequence[Log],
        gate: Gate,
        start: Literal["earliest", "latest"] = "earliest",
        until_end: bool = False,
        memory: Path | None = None,
        beats: Beats | None = None,
        on_demand: Mapping[str, Wanted] | None = None,
    ) -> None:
        self._beats = beats
        self._gate = gate
        self._until_end = until_end
        self._on_demand = on_demand or {}
        self._logs = {f"{log.stream}/{partition}": (log, partition) for log in logs for partition in self._of(log)}
        self._parts = Parts(self._logs, start, memory, self._on_demand)
        self._built: list[EventsPartition] = []

    @property
    def present(self) -> list[str]:
        """The partitions that are read."""
        return list(self._logs)

    def messages_read(self) -> int:
        """Messages read by this process since it started."""
        return sum(partition.messages_read for partition in self._built)

    def begin(self) -> None:
        """Fix where what is wanted on demand begins, if it has not begun yet. May wait for a broker, some seconds.

        Without this it begins when the partition is called for the first time, and misses what comes until then.
        """
        for part, (log, partition) in self._logs.items():
            wanted = self._on_demand.get(log.stream)
            if wanted is None or not wanted() or self._parts.first_offset(part) != END:
                continue
            try:
                self._parts.begin(part, log.end_offset(partition))
            except LogError as error:
                _log.warning("%s; reading begins at the end as it is when that is mended", error)
                return

    def list_parts(self) -> list[str]:
        """The partitions that are read, and those that a snapshot may know."""
        return self._parts.known

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> "EventsPartition | AbsentPartition":
        """Begin at the snapshot's position, or where the partition was begun at first."""
        offset = self._parts.first_offset(for_part) if resume_state in (None, END) else resume_state
        assert offset is not None
        if for_part not in self._logs:
            if offset != END:
                _log.warning(
                    "%s: no longer among the inputs; its position, %d, is kept in case it returns", for_part, offset
                )
            return AbsentPartition(offset)
        log, partition = self._logs[for_part]
        pace = Pace(Beat(self._beats))
        wanted = self._on_demand.get(log.stream)
        begin = partial(self._parts.begin, for_part)
        built = EventsPartition(
            for_part, log, partition, offset, self._gate, self._until_end, pace, wanted=wanted, begin=begin
        )
        self._built.append(built)
        return built

    def _of(self, log: Log) -> list[int]:
        try:
            return log.partitions()
        except LogError as error:
            if log.stream not in self._on_demand:
                raise
            _log.error("%s; whoever wants its messages gets them only after the next start", error)
            return []


class AbsentPartition(StatefulSourcePartition[Read, int]):
    """Stands for a partition that is not read any more: the engine breaks when a snapshot's key is not there."""

    def __init__(self, offset: int) -> None:
        """Keep the position."""
        self._offset = offset

    def next_batch(self) -> list[Read]:
        """End at once."""
        raise StopIteration

    def snapshot(self) -> int:
        """The position where its reading stopped."""
        return self._offset


class EventsPartition(StatefulSourcePartition[Read, int]):
    """One partition of one log."""

    def __init__(
        self,
        part: str,
        log: Log,
        partition: int,
        offset: int,
        gate: Gate,
        until_end: bool,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
        wanted: Wanted | None = None,
        begin: Callable[[int], None] = lambda offset: None,
    ) -> None:
        """Open nothing yet: a log that is away now is not a reason to fail.

        `wanted` tells whether it is to be read now, where it is read on demand; `begin` is then told where it begins,
        and must have remembered that when it returns.
        """
        self.messages_read = 0
        self._part = part
        self._log = log
        self._partition = partition
        self._offset = offset
        self._gate = gate
        self._until_end = until_end
        self._clock = clock
        self._wanted = wanted
        self._begin = begin
        self._pace = pace or Pace()
        self._reader: LogReader | None = None
        self._retry_at = 0.0
        self._unwanted_since: float | None = None
        self._told = ""
        self._marked = False

    def next_batch(self) -> list[Read]:
        """What is there, or nothing. Raises StopIteration at the end."""
        self._pace.called()
        if self._gate.stopping() or (self._marked and self._gate.drained()):
            raise StopIteration
        batch: list[Read] = []
        wanted = self._wanted is None or self._wanted()
        if not self._marked and self._gate.may_read():
            if wanted:
                self._unwanted_since = None
                batch.extend(self._read())
            else:
                self._leave()
            if not batch and self._until_end and self._at_end(wanted):
                self._marked = True
                batch.append(EndOfInput(self._part))
        if wanted or self._until_end:
            self._pace.after(batch)
        else:
            self._pace.rest(_LOOK_EVERY_S)
        return batch

    def next_awake(self) -> datetime | None:
        """See Pace."""
        return self._pace.next_awake

    def snapshot(self) -> int:
        """The position of the next message."""
        self._pace.epoch_began()
        return self._offset

    def close(self) -> None:
        """Close the reader."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _at_end(self, wanted: bool) -> bool:
        return not wanted or (self._reader is not None and self._reader.at_end())

    def _leave(self) -> None:
        """Nobody wants it: after a while, what comes is passed over, unread."""
        now = self._clock()
        if self._offset == END or now < self._retry_at:
            return
        if self._unwanted_since is None:
            self._unwanted_since = now
        if now - self._unwanted_since < LEAVE_AFTER_S:
            return
        try:
            self.close()
            self._begin(END)
            self._offset = END
        except Exception as error:  # noqa: BLE001 - what reaches the engine kills the worker
            self._failed(error)

    def _read(self) -> list[Message]:
        if self._reader is None and self._clock() < self._retry_at:
            return []
        try:
            if self._reader is None:
                reader = self._log.reader(self._partition, self._until_end)
                reader.seek(self._offset)
                self._reader = reader
            messages = self._reader.read(BATCH)
            if self._offset == END and self._reader.next_offset != END:
                # Before anything of it goes on: a crash before the next snapshot would begin at a later end.
                self._begin(messages[0].offset if messages else self._reader.next_offset)
        except Exception as error:  # noqa: BLE001 - what reaches the engine kills the worker
            self._failed(error)
            return []
        self._offset = self._reader.next_offset
        self._told = ""
        self.messages_read += len(messages)
        return messages

    def _failed(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        if text != self._told:
            at = "its end" if self._offset == END else self._offset
            _log.error("%s: cannot be read at %s: %s; trying again every second", self._part, at, text)
            self._told = text
        self._retry_at = self._clock() + _RETRY_S
        try:
            self.close()
        except Exception as closing:  # noqa: BLE001 - the reader is given up either way
            _log.debug("%s: closing failed too: %s", self._part, closing)
            self._reader = None

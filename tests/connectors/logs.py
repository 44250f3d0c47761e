"""A log in memory whose positions can have holes, and a gate that a test opens and shuts."""

from connectors.log import END
from records import Message


class MemoryLog:
    """One partition of messages by position. What `forget` takes away behaves as retention does."""

    replayable = True
    compacted = False

    def __init__(self, stream: str, values: dict[int, bytes]) -> None:
        self.stream = stream
        self.values = dict(values)
        self.earliest = 0
        self.times: dict[int, float] = {}
        self.kept_s: float | None = None
        self.gone_for_s = 0.0
        self.silent = False
        self.end = max(values, default=-1) + 1
        self.failures: list[Exception] = []
        self.readers: list[MemoryReader] = []

    def partitions(self) -> list[int]:
        return [0]

    def reader(self, partition: int, until_end: bool = False) -> "MemoryReader":
        self.readers.append(MemoryReader(self))
        return self.readers[-1]

    def start_offset(self, partition: int) -> int:
        return self.earliest

    def end_offset(self, partition: int) -> int:
        return self.end

    def offset_at(self, partition: int, time_s: float) -> int:
        later = (at for at in sorted(self.values) if self.times.get(at, 0.0) >= time_s)
        return next(later, self.end)

    def align(self, partition: int, offset: int) -> int:
        return offset

    def retention_s(self) -> float | None:
        return self.kept_s

    def lag(self, partition: int, offset: int) -> int | None:
        return self.end - offset

    def gone_s(self, partition: int) -> float:
        return self.gone_for_s

    def append(self, *values: bytes) -> None:
        for value in values:
            self.values[self.end] = value
            self.end += 1

    def forget_before(self, offset: int) -> None:
        self.earliest = offset
        self.values = {at: value for at, value in self.values.items() if at >= offset}


class MemoryReader:
    def __init__(self, log: MemoryLog) -> None:
        self.next_offset = 0
        self.missing = 0
        self.seeks: list[int] = []
        self.closed = False
        self._log = log

    def seek(self, offset: int) -> None:
        self.next_offset = offset
        self.seeks.append(offset)

    def read(self, limit: int) -> list[Message]:
        if self._log.failures:
            raise self._log.failures.pop(0)
        if self._log.silent:
            return []
        if self.next_offset == END:
            self.next_offset = self._log.end
        if self.next_offset < self._log.earliest:
            self.missing += self._log.earliest - self.next_offset
            self.next_offset = self._log.earliest
        elif self.next_offset > self._log.end:
            self.next_offset = self._log.earliest
        there = sorted(offset for offset in self._log.values if offset >= self.next_offset)[:limit]
        if there:
            self.next_offset = there[-1] + 1
        if len(there) < limit:
            self.next_offset = self._log.end
        times = self._log.times
        return [
            Message(self._log.stream, 0, offset, self._log.values[offset], int(times.get(offset, 0.0) * 1000))
            for offset in there
        ]

    def at_end(self) -> bool:
        return not self._log.silent and self.next_offset >= self._log.end

    def close(self) -> None:
        self.closed = True


class OpenGate:
    """Open until a test says otherwise."""

    def __init__(self) -> None:
        self.reading = True
        self.ending = False
        self.settled = False

    def may_read(self) -> bool:
        return self.reading

    def stopping(self) -> bool:
        return self.ending

    def drained(self) -> bool:
        return self.settled

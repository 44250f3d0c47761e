"""What a destination still owes and does not hold: ranges of positions in the log. Bytes per outage, not per event."""

from collections.abc import Iterable

import msgspec

from records import RangeRead


class Range(msgspec.Struct, gc=False):
    """Positions `first` to `last` (inclusive) of one partition, `count` of which matched when they were first seen.

    With `only` the positions are these and no others (sorted); without, the span may hold events that never matched:
    they are filtered again when it is read.
    """

    stream: str
    partition: int
    first: int
    last: int
    count: int
    since: float
    """When its oldest event was read, seconds since the epoch."""
    only: list[int] | None = None


class Reread(msgspec.Struct, frozen=True, gc=False):
    """A wish to the backlog lane: read these positions again, for this destination alone, `limit` messages at most."""

    destination: str
    stream: str
    partition: int
    first: int
    last: int
    limit: int
    only: frozenset[int] | None = None


class Finished(msgspec.Struct, frozen=True, gc=False):
    """What the end of a re-read settled without a delivery.

    `skipped`: no longer matching; `expired`: gone from the log.
    """

    skipped: int = 0
    expired: int = 0


class Backlog:
    """The ranges of one destination, oldest first, and the one re-read under way.

    One re-read at a time keeps the order within a partition and makes the account exact: whatever arrives before the
    mark `RangeRead` belongs to the front range.
    """

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        """Start with the ranges of a snapshot."""
        self.ranges = list(ranges)
        self.reading = False
        self._growing: dict[tuple[str, int], Range] = {}

    def __len__(self) -> int:
        """Matches owed."""
        return sum(r.count for r in self.ranges)

    def __bool__(self) -> bool:
        """Whether anything is left to read."""
        return bool(self.ranges)

    def oldest(self) -> float | None:
        """When the oldest owed event was read, seconds since the epoch."""
        return min((r.since for r in self.ranges), default=None)

    def add(self, stream: str, partition: int, offset: int, read_at: float) -> None:
        """Note one match that is not sent now. Positions of a partition come in rising order."""
        growing = self._growing.get((stream, partition))
        if growing is not None:
            growing.last = offset
            growing.count += 1
            return
        growing = self._growing[stream, partition] = Range(stream, partition, offset, offset, 1, read_at)
        self.ranges.append(growing)

    def seal(self) -> None:
        """Let no range grow any more: what comes from now on is sent at once, and a span must not cover it."""
        self._growing.clear()

    def add_exactly(self, stream: str, partition: int, offsets: Iterable[int], since: float) -> None:
        """Note single positions whose neighbours are settled already: what was held when the snapshot was taken."""
        only = sorted(set(offsets))
        if only:
            self.ranges.insert(0, Range(stream, partition, only[0], only[-1], len(only), since, only))

    def next_read(self, destination: str, limit: int) -> Reread | None:
        """The wish for the next re-read; None while one is under way or when nothing is owed."""
        if self.reading or not self.ranges or limit < 1:
            return None
        self.reading = True
        r = self.ranges[0]
        only = frozenset(r.only) if r.only is not None else None
        return Reread(destination, r.stream, r.partition, r.first, r.last, limit, only)

    def arrived(self, offset: int) -> bool:
        """A re-read match came: the front range moves past it.

        Returns:
            False when it was not counted as owed: it matches now and did not when it was first seen.
        """
        if not self.ranges:
            return False
        r = self.ranges[0]
        r.first = max(r.first, offset + 1)
        if r.only is not None:
            r.only = [o for o in r.only if o > offset]
        if not r.count:
            return False
        r.count -= 1
        return True

    def finished(self, mark: RangeRead) -> Finished:
        """A re-read has ended: move on, and drop the range when it is complete."""
        self.reading = False
        if not self.ranges:
            return Finished()
        r = self.ranges[0]
        r.first = max(r.first, mark.next_offset)
        expired = min(mark.missing, r.count)
        r.count -= expired
        if r.only is not None:
            # With single positions each one passed without a match is known to match no longer.
            r.only = [o for o in r.only if o >= r.first]
            skipped = r.count - len(r.only)
            r.count = len(r.only)
        elif r.first > r.last:
            skipped, r.count = r.count, 0
        else:
            skipped = 0
        if r.first > r.last:
            self.ranges.pop(0)
            if self._growing.get((r.stream, r.partition)) is r:
                del self._growing[r.stream, r.partition]
        return Finished(skipped=skipped, expired=expired)

"""What a destination still owes and does not hold: ranges of positions in the log. Bytes per outage, not per event."""

from collections import Counter
from collections.abc import Callable, Iterable

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
    missing: int = 0
    """Positions of the span that the log no longer has, as far as it has been read. Which of them had matched is known
    at its end: those that did not come."""


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
        self._wish: Reread | None = None
        """The re-read under way."""
        self._growing: dict[tuple[str, int], Range] = {}

    def __len__(self) -> int:
        """Matches owed."""
        return sum(r.count for r in self.ranges)

    def __bool__(self) -> bool:
        """Whether anything is left to read."""
        return bool(self.ranges)

    def waiting_for(self, readable: Callable[[str], bool]) -> dict[str, int]:
        """How much is owed of streams that cannot be read now, by stream."""
        waiting: Counter[str] = Counter()
        for r in self.ranges:
            if not readable(r.stream):
                waiting[r.stream] += r.count
        return dict(waiting)

    def oldest(self) -> float | None:
        """When the oldest owed event was read, seconds since the epoch."""
        return min((r.since for r in self.ranges), default=None)

    def add(self, stream: str, partition: int, offset: int, read_at: float) -> None:
        """Note one match that is not sent now. Positions of a partition come in rising order."""
        growing = self._growing.get((stream, partition))
        if growing is not None and offset > growing.last:
            growing.last = offset
            growing.count += 1
            return
        # Also where the log began anew with smaller positions: one span must not cover both.
        growing = self._growing[stream, partition] = Range(stream, partition, offset, offset, 1, read_at)
        self.ranges.append(growing)

    def seal(self) -> None:
        """Let no range grow any more: what comes from now on is sent at once, and a span must not cover it."""
        self._growing.clear()

    def add_exactly(self, stream: str, partition: int, offsets: Iterable[int], since: float) -> None:
        """Note single positions whose neighbours are settled already: what was held when the snapshot was taken."""
        only = sorted(set(offsets))
        if only:
            # Before what is newer, but behind the range whose re-read is under way: arrivals belong to the front one.
            at = 0 if self._wish is None else 1
            self.ranges.insert(at, Range(stream, partition, only[0], only[-1], len(only), since, only))

    def next_read(
        self, destination: str, limit: int, readable: Callable[[str], bool] = lambda _: True
    ) -> Reread | None:
        """The wish for the next re-read; None while one is under way or when nothing is owed that can be read now."""
        if self._wish is not None or limit < 1:
            return None
        at = next((at for at, r in enumerate(self.ranges) if readable(r.stream)), None)
        if at is None:
            return None
        if at:
            # The ones before it wait for their stream to be an input again; arrivals belong to the front one.
            self.ranges.insert(0, self.ranges.pop(at))
        r = self.ranges[0]
        only = frozenset(r.only) if r.only is not None else None
        self._wish = Reread(destination, r.stream, r.partition, r.first, r.last, limit, only)
        return self._wish

    def arrived(self, stream: str, partition: int, offset: int) -> bool:
        """A re-read match came: the front range moves past it.

        Returns:
            False when it was not counted as owed: it matches now and did not when it was first seen, or somebody wished
            for it who is no more.
        """
        if not self.ranges:
            return False
        r = self.ranges[0]
        if (r.stream, r.partition) != (stream, partition) or not r.first <= offset <= r.last:
            return False
        r.first = offset + 1
        while r.only and r.only[0] <= offset:
            del r.only[0]
        if not r.count:
            return False
        r.count -= 1
        return True

    def unheard(self, mark: RangeRead) -> None:
        """A re-read has ended that nobody could want: all of it stays owed."""
        if self._wish is not None and _is_of(mark, self._wish):
            self._wish = None

    def finished(self, mark: RangeRead) -> Finished:
        """A re-read has ended: move on, and drop the range when it is complete."""
        wish = self._wish
        if wish is None or not _is_of(mark, wish):
            # Somebody of the same name wished for it and was removed meanwhile.
            return Finished()
        self._wish = None
        r = self.ranges[0]
        r.first = max(r.first, mark.next_offset)
        expired = skipped = 0
        if r.only is not None:
            # With single positions each one passed without a match is known to be gone, or to match no longer.
            expired = min(mark.missing, r.count)
            r.only = [o for o in r.only if o >= r.first]
            skipped = r.count - expired - len(r.only)
            r.count = len(r.only)
        else:
            r.missing += mark.missing
            if r.first > r.last:
                expired = min(r.missing, r.count)
                skipped, r.count = r.count - expired, 0
        if r.first > r.last:
            self.ranges.pop(0)
            if self._growing.get((r.stream, r.partition)) is r:
                del self._growing[r.stream, r.partition]
        return Finished(skipped=skipped, expired=expired)


def _is_of(mark: RangeRead, wish: Reread) -> bool:
    return (mark.stream, mark.partition) == (wish.stream, wish.partition) and (
        wish.first <= mark.next_offset <= wish.last + 1
    )

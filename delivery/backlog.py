"""What a destination still owes and does not hold: its ranges, and the one re-read under way. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec
from pyroaring import BitMap64

from delivery.positions import Position, Positions
from delivery.ranges import Range, Reread
from records import Missed, RangeRead, Replay, Span


class Finished(msgspec.Struct, frozen=True, gc=False):
    """What the end of a re-read settled without a delivery.

    `skipped`: no longer matching; `expired`: gone from the log. `replayed` is the replay that has come to its end.
    """

    skipped: int = 0
    expired: int = 0
    replayed: Replay | None = None


class Arrival(NamedTuple):
    """What a re-read match is: whether it was `owed`, or belongs to a `replay`, or is `void`."""

    owed: bool = False
    replay: bool = False
    void: bool = False


_UNEXPECTED = Arrival()


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
        self._void = False
        """Whether nothing of it counts any more: it was given up, or is to be read once more."""
        self._arrived_at: int | None = None
        """The latest position that it has brought."""
        self._growing = {(r.stream, r.partition): r for r in self.ranges if r.growing and not r.mapping}

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

    def missed(self, readable: Callable[[str], bool]) -> int:
        """How much that was missed can be read now; what somebody wants to have sent again is not counted."""
        return sum(r.count for r in self.ranges if not r.replay and readable(r.stream))

    def oldest(self) -> dict[str, float]:
        """When the oldest owed event of each stream was read, seconds since the epoch."""
        oldest: dict[str, float] = {}
        for r in self.ranges:
            if r.count:
                oldest[r.stream] = min(r.since, oldest.get(r.stream, r.since))
        return oldest

    def add(self, missed: Missed) -> None:
        """Note matches that are not sent now. Positions of a partition come in rising order."""
        read_at = missed.read_ms / 1000
        key = (missed.stream, missed.partition)
        growing = self._growing.get(key)
        # A span must cover nothing that a cap has held back: where one was added or removed, a new range begins.
        alike = growing is not None and (growing.only is not None) is missed.exact
        # The same position again: another mapping has matched it, too.
        if growing is not None and alike and missed.first >= growing.last:
            growing.last = missed.last
            growing.count += missed.count
            growing.until = read_at
            if growing.only is not None:
                growing.only.add(missed.first)
            return
        # Also where the log began anew with smaller positions: one span must not cover both.
        if growing is not None:
            growing.growing = False
        span = (missed.stream, missed.partition, missed.first, missed.last, missed.count, read_at)
        only = BitMap64([missed.first]) if missed.exact else None
        growing = self._growing[key] = Range(*span, only, growing=True)
        self.ranges.append(growing)

    def seal(self) -> None:
        """Let no range grow any more: a span must not cover what comes next, for it is sent at once or held back."""
        for r in self._growing.values():
            r.growing = False
        self._growing.clear()

    def add_exactly(self, positions: Positions, replayed: bool = False) -> None:
        """Note single positions whose neighbours are settled already: what was held when the snapshot was taken.

        One that stands there several times is owed as often: by several mappings, or by events of a log made anew.
        """
        only = BitMap64(positions.offsets)
        if not only:
            return
        # Before what is newer, but behind the range whose re-read is under way: arrivals belong to the front one.
        at = 0 if self._wish is None else 1
        for r in self.ranges[at:]:
            same = _partition(r) == (positions.stream, positions.partition, 0)
            same = same and r.replayed == replayed and r.mapping == positions.mapping
            if same and r.only and r.only.isdisjoint(only):
                # What comes one by one would be read in the opposite order, and be a range each.
                r.only |= only
                r.first, r.last, r.count = r.only.min(), r.only.max(), r.count + len(positions.offsets)
                r.since = min(r.since, positions.since)
                return
        exact = Range(
            positions.stream,
            positions.partition,
            only.min(),
            only.max(),
            len(positions.offsets),
            positions.since,
            only,
            replayed=replayed,
            mapping=positions.mapping,
        )
        self.ranges.insert(at, exact)

    def owes(self, position: Position) -> bool:
        """Whether a position lies in what is owed."""
        return any(
            r.count and r.mapping in ("", position.mapping) and r.holds(position.offset)
            for r in self.ranges
            if (r.stream, r.partition) == (position.stream, position.partition)
        )

    def owes_before(self, stream: str, partition: int, offset: int) -> bool:
        """Whether anything of a partition is to be read again that was missed and is older than this."""
        return any(_partition(r) == (stream, partition, 0) and r.first < offset for r in self.ranges)

    def next_read(
        self, destination: str, limit: int, readable: Callable[[str], bool] = lambda _: True
    ) -> Reread | None:
        """The wish for the next re-read; None while one is under way or when nothing is owed that can be read now."""
        if self._wish is not None or limit < 1:
            return None
        at = self._next_range(readable)
        if at is None:
            return None
        if at:
            # The ones before it wait: for their stream to be an input again, or for a person. Arrivals belong to the
            # front one.
            self.ranges.insert(0, self.ranges.pop(at))
        r = self.ranges[0]
        only, last = None, r.last
        if r.only is not None:
            next_ones = r.only[:limit]
            only = frozenset(next_ones)
            last = max(only, default=last)
        self._wish = Reread(destination, r.stream, r.partition, r.first, last, limit, only, r.mapping)
        self._arrived_at = None
        return self._wish

    def _next_range(self, readable: Callable[[str], bool]) -> int | None:
        """What was missed goes before what is replayed."""
        replay = None
        for at, r in enumerate(self.ranges):
            if readable(r.stream) and not r.paused:
                if not r.replay:
                    # Of one partition what is older goes first, whenever it was noted.
                    same = [n for n, o in enumerate(self.ranges) if _partition(o) == _partition(r)]
                    return min(same, key=lambda n: self.ranges[n].first)
                replay = at if replay is None else replay
        return replay

    def arrived(self, position: Position) -> Arrival:
        """A re-read match came: the front range moves past it.

        It is not owed when it matches now and did not when it was first seen, or when somebody wished for it who is no
        more.
        """
        if self._void and self._wish is not None and _is_in(position, self._wish):
            return Arrival(void=True)
        if not self.ranges:
            return _UNEXPECTED
        r = self.ranges[0]
        # Of several mappings all come, one behind the other.
        if (r.stream, r.partition, position.offset) != (position.stream, position.partition, self._arrived_at):
            if not _is_in(position, r):
                return _UNEXPECTED
            _move(r, position.offset + 1)
            if r.only is not None:
                r.only.remove_range(0, position.offset + 1)
            self._arrived_at = position.offset
        r.matched += bool(r.replay)
        owed = r.count > 0
        r.count -= owed
        return Arrival(owed, bool(r.replay) or r.replayed)

    def replay(self, number: int, spans: Sequence[Span], now: float, owed: bool = False) -> None:
        """Read these positions again; each is owed, or is counted when it matches."""
        total = sum(span.positions for span in spans)
        for span in spans:
            only = None if span.only is None else BitMap64(span.only)
            count = span.positions if owed else 0
            place = (span.stream, span.partition, span.first, span.last)
            self.ranges.append(Range(*place, count, now, only, replay=number, total=total, mapping=span.mapping))

    def replays(self) -> list[Replay]:
        """How far each replay has come, by number."""
        left: Counter[int] = Counter()
        matched: Counter[int] = Counter()
        of: dict[int, Range] = {}
        for r in self.ranges:
            if r.replay:
                of[r.replay] = r
                left[r.replay] += len(r)
                matched[r.replay] += r.matched
        return [Replay(n, r.total, left[n], matched[n], r.paused) for n, r in sorted(of.items())]

    def replaying(self, readable: Callable[[str], bool]) -> bool:
        """Whether there is a replay to go on with."""
        return any(r.replay and not r.paused and readable(r.stream) for r in self.ranges)

    def pause_replays(self, paused: bool) -> None:
        """Let all replays wait, or go on."""
        for r in self.ranges:
            r.paused = paused and bool(r.replay)

    def give_up(self, replays: bool) -> int:
        """Forget the replays, or else what was missed.

        Returns:
            How many owed matches that were.
        """
        given_up = [r for r in self.ranges if bool(r.replay) is replays]
        if self._wish is not None and self.ranges and bool(self.ranges[0].replay) is replays:
            self._void = True
        self.ranges = [r for r in self.ranges if bool(r.replay) is not replays]
        if not replays:
            self._growing.clear()
        return sum(r.count for r in given_up)

    def interrupt(self) -> None:
        """What the re-read under way still brings is void, and stays owed; so do the positions that bring nothing."""
        self._void = self._wish is not None

    def finished(self, mark: RangeRead) -> Finished:
        """A re-read has ended: move on, and drop the range when it is complete."""
        wish = self._wish
        if wish is None or not _is_of(mark, wish):
            # Somebody of the same name wished for it and was removed meanwhile.
            return Finished()
        void, self._wish, self._void = self._void, None, False
        if void:
            return Finished()
        r = self.ranges[0]
        _move(r, max(r.first, mark.next_offset))
        r.missing += mark.missing
        if r.only is not None:
            r.only.remove_range(0, r.first)
        if r.first <= r.last:
            return Finished()
        expired = min(r.missing, r.count)
        return Finished(r.count - expired, expired, self._complete(r))

    def _complete(self, r: Range) -> Replay | None:
        """The front range is at its end; the replay that ends with it."""
        self.ranges.pop(0)
        if self._growing.get((r.stream, r.partition)) is r:
            del self._growing[r.stream, r.partition]
        if not r.replay:
            return None
        for other in self.ranges:
            if other.replay == r.replay:
                other.matched += r.matched
                return None
        return Replay(r.replay, r.total, 0, r.matched)


def _move(r: Range, first: int) -> None:
    """Let it begin later. Its events are taken to have come evenly: the oldest one left is as much younger."""
    if r.until > r.since:
        r.since += (r.until - r.since) * (first - r.first) / (r.last + 1 - r.first)
    r.first = first


def _partition(r: Range) -> tuple[str, int, int]:
    return r.stream, r.partition, r.replay


def _is_in(position: Position, span: Range | Reread) -> bool:
    same = (position.stream, position.partition) == (span.stream, span.partition)
    return same and span.first <= position.offset <= span.last


def _is_of(mark: RangeRead, wish: Reread) -> bool:
    return (mark.stream, mark.partition) == (wish.stream, wish.partition) and (
        wish.first <= mark.next_offset <= wish.last + 1
    )

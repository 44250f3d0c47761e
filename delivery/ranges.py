"""Ranges of positions in the log, and the wish to have a part of one read again. Bytes per outage, not per event."""

import msgspec
from pyroaring import BitMap64


class Range(msgspec.Struct, gc=False):
    """Positions `first` to `last` (inclusive) of one partition, `count` of which matched when they were first seen.

    With `only` the positions are these and no others; without, the span may hold events that never matched: they are
    filtered again when it is read.
    """

    stream: str
    partition: int
    first: int
    last: int
    count: int
    since: float
    """When its oldest event was read, seconds since the epoch."""
    only: BitMap64 | None = None
    missing: int = 0
    """Positions of the span that the log no longer has, as far as it has been read. Which of them had matched is known
    at its end: those that did not come."""
    replay: int = 0
    """The number of the replay that it belongs to; 0 for what was missed."""
    total: int = 0
    """Positions of the whole replay, over all partitions."""
    matched: int = 0
    """Matches that the replay has found, as far as this range stands for it."""
    paused: bool = False
    until: float = 0.0
    """When its newest event was read, as far as it was noted event by event; else 0."""
    growing: bool = False
    """Whether the next match of its partition that is missed belongs to it."""
    replayed: bool = False
    """Of what is merely owed: whether somebody had asked for it again, so that its requests say so."""
    mapping: str = ""
    """With it, only what this mapping of the destination makes of the events; empty is all that they match."""

    def holds(self, offset: int) -> bool:
        """Whether this position of its partition is among them."""
        return self.first <= offset <= self.last and (self.only is None or offset in self.only)

    def __len__(self) -> int:
        """Positions left."""
        return self.last - self.first + 1 if self.only is None else len(self.only)


class Reread(msgspec.Struct, frozen=True, gc=False):
    """A wish to the backlog lane: read these positions again, for this destination alone, `limit` messages at most."""

    destination: str
    stream: str
    partition: int
    first: int
    last: int
    limit: int
    only: frozenset[int] | None = None
    """Not more than `limit` of them."""
    mapping: str = ""
    """With it, for this mapping of the destination alone."""

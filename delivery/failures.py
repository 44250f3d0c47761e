"""What the ledger means after a crash: it has heard of failures that the snapshot does not know.

Pure. A snapshot counts as failed all that had failed until a moment, its boundary. What failed behind it, in the life
that ended with the crash, is in no count: it is owed by the snapshot, or the live lane reads it again.
"""

from collections.abc import Callable, Iterable

from delivery.positions import Position
from records import Span

Failed = tuple[Position, float]
"""A failed delivery and when it failed; without a time it failed in this life."""


class KnownFailures:
    """Which failures are in the account of one destination, and which entries of the ledger it knows nothing of.

    Args:
        begun_at: When this life began, seconds since the epoch.
        boundary: The snapshot's; None where there is no snapshot.
        before: Positions that it knew to be in the ledger and owed.
        listed: Positions of all entries from behind the boundary.
    """

    def __init__(
        self,
        begun_at: float = 0.0,
        boundary: float | None = None,
        before: Iterable[Position] = (),
        listed: Iterable[Position] = (),
    ) -> None:
        self._begun_at = begun_at
        self._boundary = boundary
        self._before = frozenset(before)
        self._unknown = {*self._before, *listed}

    def uncounted(self) -> list[Position]:
        """Where the ledger has entries that the account does not count, for the next snapshot."""
        return sorted(self._unknown)

    def settled(self, position: Position) -> bool:
        """A delivery has come to its end; whether the ledger may have an entry of it, from before."""
        if position not in self._unknown:
            return False
        self._unknown.remove(position)
        return True

    def to_send(
        self, failed: Iterable[Failed], owed: Callable[[Position], bool]
    ) -> tuple[set[Position], set[Position]]:
        """Which of these, taken out of the ledger, are to be sent again: those that are counted as failed, and others.

        Not among them is what is owed already. Nothing else is left out, for it has left the ledger.

        Args:
            failed: As the ledger had them.
            owed: Whether a position is held or to be read again.
        """
        counted: set[Position] = set()
        others: set[Position] = set()
        for position, at in failed:
            unknown = at < self._begun_at and (self._boundary is None or at > self._boundary)
            before = at < self._begun_at and position in self._before
            if (unknown or before) and owed(position):
                continue
            # What is unknown may come again by itself, or have come and matched no longer: better twice than never.
            (others if unknown else counted).add(position)
        return counted, others


def failed_of(spans: Iterable[Span], now: float) -> list[Failed]:
    """The deliveries of a command."""
    failed: list[Failed] = []
    for span in spans:
        times = span.failed_at or [now] * len(span.only or ())
        for offset, at in zip(span.only or (), times, strict=True):
            failed.append((Position(span.stream, span.partition, offset, span.mapping), at))
    return failed

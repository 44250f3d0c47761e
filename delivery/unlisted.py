"""Failures that may not be in the ledger yet, so that a crash now does not let them vanish. Pure."""

from collections import deque
from collections.abc import Collection, Iterator

import msgspec

from delivery.positions import Position, position_of
from records import Invocation

_MOST = 10_000
"""Where the ledger cannot be written for long, the oldest are let go."""


class Unlisted:
    """Deliveries that have failed for good, until the ledger has them."""

    def __init__(self, since: float = 0.0) -> None:
        """Start empty; `since` as a snapshot says."""
        self.since = since
        """Everything that had failed until then is in the ledger, and in the counts; what it has of later is not."""
        self._all: deque[tuple[float, Invocation]] = deque()

    def __len__(self) -> int:
        """Failures that the ledger may not have."""
        return len(self._all)

    def __iter__(self) -> Iterator[Invocation]:
        """Them, in their order; without their requests."""
        return (invocation for _, invocation in self._all)

    def note(self, invocation: Invocation, now: float) -> None:
        """It has failed."""
        # Its position is enough; the body need not be kept for it.
        self._all.append((now, msgspec.structs.replace(invocation, work=None)))
        if len(self._all) > _MOST:
            self._pop()

    def listed(self, until: float) -> None:
        """What has failed until then is in the ledger."""
        while self._all and self._all[0][0] <= until:
            self._pop()

    def take(self, taken: Collection[Position]) -> None:
        """These were read from the ledger: it has them."""
        self._all = deque((at, one) for at, one in self._all if position_of(one) not in taken)

    def _pop(self) -> None:
        self.since = self._all.popleft()[0]

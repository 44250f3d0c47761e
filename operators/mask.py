"""mask: lets only some of the events with the same key go on, and counts the others.

What goes on is rendered here, and what is held back never. What the backlog lane brings does not come here: it was
decided when it came first.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time
from typing import TypeGuard, cast

import bytewax.operators as op
from bytewax.dataflow import Stream, operator
from bytewax.operators import KeyedStream, StatefulBatchLogic

from delivery import Masks
from operators.deliver import Item
from records import Capped, Metric

FORGET_EVERY_S = 10.0


@dataclass(frozen=True)
class MaskOut:
    """Streams out of `mask`."""

    items: KeyedStream[Item]
    """By destination: what goes on, in its order."""
    reports: Stream[Metric]
    """How many events were held back."""


@operator
def mask(
    step_id: str, up: KeyedStream[Capped], make: Callable[[Capped], Iterable[Item]], clock: Callable[[], float] = time
) -> MaskOut:
    """Hold back the events that exceed their cap; `make` renders the others.

    Shape:
        In: `(destination, Capped)`. Out: `(destination, Item)`, and metrics.
    State:
        Per destination the windows of at most 50,000 keys, each until its end.
    Errors:
        None raised; a snapshot of another version refuses to start with `MaskError`.
    Guarantee:
        What is owed was decided and is not decided again. What a crash has undone is: it is read again since the last
        snapshot, and decided by the windows of that snapshot, in the order and at the time it comes now. So another
        event with the same key may go out beside the one that was sent, and what is held back is counted again.
    """
    decided = op.stateful_batch("mask_batch", up, lambda snapshot: MaskLogic(snapshot, make, clock))
    sorted_out = op.branch("sort_masked", op.map("unkey", decided, _unkeyed), _is_metric)
    return MaskOut(items=cast("KeyedStream[Item]", sorted_out.falses), reports=sorted_out.trues)


class MaskLogic(StatefulBatchLogic[Capped, Item | Metric, bytes]):
    """One destination. See `mask`."""

    def __init__(
        self, snapshot: bytes | None, make: Callable[[Capped], Iterable[Item]], clock: Callable[[], float] = time
    ) -> None:
        self._masks = Masks(snapshot)
        self._make = make
        self._clock = clock

    def on_batch(self, values: list[Capped]) -> tuple[Iterable[Item | Metric], bool]:
        """Decide each event."""
        now = self._clock()
        out: list[Item | Metric] = []
        masked = 0
        for capped in values:
            if capped.cap is None or self._masks.passes(capped.cap, now):
                out += self._make(capped)
            else:
                masked += 1
        if masked:
            out.append(Metric(values[0].destination, int(now // 60) * 60, "other", "masked", masked))
        return out, self._is_done(now)

    def on_notify(self) -> tuple[Iterable[Item | Metric], bool]:
        """Forget what has ended."""
        return (), self._is_done(self._clock())

    def notify_at(self) -> datetime | None:
        """Now and then, while something is remembered."""
        ends_at = self._masks.next_end()
        if ends_at is None:
            return None
        return datetime.fromtimestamp(max(ends_at, self._clock() + FORGET_EVERY_S), UTC)

    def snapshot(self) -> bytes:
        """The windows."""
        return self._masks.snapshot()

    def _is_done(self, now: float) -> bool:
        self._masks.forget(now)
        return self.RETAIN if len(self._masks) else self.DISCARD


def _unkeyed(keyed: tuple[str, Item | Metric]) -> tuple[str, Item] | Metric:
    key, value = keyed
    return value if isinstance(value, Metric) else (key, value)


def _is_metric(item: tuple[str, Item] | Metric) -> TypeGuard[Metric]:
    return isinstance(item, Metric)

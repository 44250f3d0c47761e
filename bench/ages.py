"""How old events were when they came: quantiles, and since when they have come young again.

Pure. Times are seconds since the epoch; an arrival is when something came and how old it was then.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

YOUNG_S: Final = 1.0
"""An event that is older than this on arrival is late: it has waited for something."""

Arrival = tuple[float, float]


def quantile(values: Iterable[float], q: float) -> float:
    """The value below which this share is; NaN of none."""
    ordered = sorted(values)
    return ordered[int(q * (len(ordered) - 1))] if ordered else math.nan


def back_at(arrivals: Sequence[Arrival], since: float, until: float = math.inf) -> float | None:
    """The moment, of these, from which everything came young until the end.

    Returns:
        When the last late one came, or the first of all when none was late; None when nothing came, or when what came
        last was late, so that nobody knows when it would have been young.
    """
    came = sorted(arrival for arrival in arrivals if since <= arrival[0] < until)
    if not came or came[-1][1] > YOUNG_S:
        return None
    return max((at for at, age in came if age > YOUNG_S), default=came[0][0])

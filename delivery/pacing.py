"""How many requests may leave now: a rate that its user set, and what the endpoint itself asks for.

Pure: the time is passed in. Times are seconds since the epoch.

Three things hold requests back. A `rate` is a token bucket that holds a tenth of a second's worth, so that no second
sees more than 1.1 times the rate. An answer that says when to come back (429 or 503 with `Retry-After`, or a spent
`RateLimit-Remaining`) stops everything until then, for what one request was told holds for the next one too. A 429
without such a word halves the rate at which requests were leaving; every second without another one gives a tenth of it
back, until it holds nobody any more.
"""

import math
from typing import Final

from delivery.retry import retry_after_s
from records import Policy, Response

BURST_S: Final = 0.1
_RECOVERY_PER_S: Final = 1.1
_LOWEST_PER_S: Final = 0.5
_ENOUGH: Final = 10
"""Times the halved rate without another complaint, after 24 s, and nobody is held back any more."""
_MEASURE_S: Final = 5.0
_STATUSES: Final = (429, 503)
_EPOCH: Final = 1_000_000_000
"""A reset beyond this is a moment, below it is a number of seconds: both are in use."""


class Pacer:
    """One destination's."""

    def __init__(self) -> None:
        """Nothing is held back."""
        self.held_until = 0.0
        self._slowed_per_s: float | None = None
        self._slowed_at = 0.0
        self._tokens = 1.0
        self._filled_at = 0.0
        self._left: list[tuple[float, int]] = []
        """Requests that left lately: when, how many."""

    def allowance(self, policy: Policy, now: float) -> float:
        """How many requests may leave now; infinity when nothing holds them back."""
        if now < self.held_until:
            return 0
        rate = self._rate(policy, now)
        if rate is None:
            self._filled_at, self._tokens = now, 1.0
            return math.inf
        most = max(1.0, rate * BURST_S)
        self._tokens = min(most, self._tokens + (now - self._filled_at) * rate)
        self._filled_at = now
        # The smallest of errors in a sum of fractions must not cost a turn.
        return math.floor(self._tokens + 1e-9)

    def leaving(self, count: int, now: float) -> None:
        """So many requests leave now."""
        self._tokens -= count
        if count:
            self._left.append((now, count))
            while self._left[0][0] < now - _MEASURE_S:
                self._left.pop(0)

    def next_at(self, policy: Policy, now: float) -> float:
        """When at least one request may leave."""
        if now < self.held_until:
            return self.held_until
        rate = self._rate(policy, now)
        return now if rate is None else now + max(0.0, 1.0 - self._tokens) / rate

    def answered(self, response: Response, policy: Policy, now: float) -> bool:
        """Take what an answer says of the pace into account; true when everything is held back from now on."""
        wait_s = _asked_s(response, now)
        if wait_s is not None:
            until = now + min(wait_s, policy.retry_after_cap_s)
            held, self.held_until = until > now and self.held_until <= now, max(self.held_until, until)
            return held
        if response.status == 429 and now - self._slowed_at >= 1.0:
            # Answers of requests that left together come together: they are one complaint.
            per_s = sum(count for at, count in self._left if at > now - _MEASURE_S) / _MEASURE_S
            current = self._rate(policy, now)
            self._slowed_per_s = max(_LOWEST_PER_S, min(per_s, math.inf if current is None else current) / 2)
            self._slowed_at = now
            return True
        return False

    def _rate(self, policy: Policy, now: float) -> float | None:
        slowed = self._slowed_per_s
        if slowed is not None:
            slowed *= float(_RECOVERY_PER_S ** (now - self._slowed_at))
            if slowed > _ENOUGH * (self._slowed_per_s or 0.0):
                self._slowed_per_s = slowed = None
        if policy.rate is None or slowed is None:
            return policy.rate if slowed is None else slowed
        return min(policy.rate, slowed)


def _asked_s(response: Response, now: float) -> float | None:
    """For how long the endpoint wants to be left alone; None when it does not say."""
    if response.status in _STATUSES:
        asked = retry_after_s(response, now)
        if asked is not None and asked > 0:
            return asked
    if "ratelimit" not in "\n".join(response.headers).lower():
        # Nearly every answer: one look is all that it may cost.
        return None
    headers = {name.lower(): value.strip() for name, value in response.headers.items() if "ratelimit" in name.lower()}
    for prefix in ("ratelimit-", "x-ratelimit-"):
        if headers.get(f"{prefix}remaining") == "0":
            reset = headers.get(f"{prefix}reset", "")
            if reset.isascii() and reset.replace(".", "", 1).isdigit():
                seconds = float(reset[:20])
                return max(0.0, seconds - now) if seconds > _EPOCH else seconds
    return None

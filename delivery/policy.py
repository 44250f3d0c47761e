"""How one destination is to be delivered to: the numbers that a user can change, with their defaults."""

import msgspec


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Times are seconds. Every default is one of DESIGN's and stands in the README's table."""

    timeout_s: float = 10.0
    """For the whole request, from taking a slot to the last byte of the response."""
    connect_timeout_s: float = 3.0
    concurrency: int = 50
    """Requests of this destination in flight at once."""
    retries: int = 3
    """Attempts after the first one."""
    backoff_s: float = 1.0
    """Wait before the first retry; doubles with each, ± 20 %."""
    backoff_cap_s: float = 30.0
    retry_after_cap_s: float = 300.0
    """The longest `Retry-After` that is honoured."""
    outbox: int = 1024
    """Invocations held in memory; past this the destination is behind and its matches become ranges of the log."""

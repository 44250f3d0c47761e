"""What the journal keeps. Log lines and metrics have the field names of the topics that PostHog's pipelines read."""

import msgspec


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """One line about one destination. `message` is at most 10,000 characters; `body` is the response it speaks of."""

    log_source_id: str
    """The destination's id."""
    timestamp: float
    level: str
    """debug, info, warn or error."""
    message: str
    instance_id: str = ""
    """The invocation's id, or empty."""
    body: bytes = b""


class Metric(msgspec.Struct, frozen=True, gc=False):
    """A count within one minute. `minute` is seconds since the epoch, a multiple of 60."""

    app_source_id: str
    minute: int
    metric_kind: str
    """success, failure or other."""
    metric_name: str
    count: int


class HealthChange(msgspec.Struct, frozen=True, gc=False):
    """A destination's health has changed: `before` and `after` are healthy, degraded, quarantined, probing, disabled,
    paused or attention. All text is free of secrets.
    """

    before: str
    after: str
    at: float
    """Seconds since the epoch."""
    reason: str = ""
    response: str = ""
    """The first answer that led to it."""
    destination: str = ""


class Replay(msgspec.Struct, frozen=True):
    """How far a replay has come, in positions of the log."""

    id: int
    total: int
    left: int
    matched: int
    """Events found so far that the destination wants."""
    paused: bool = False


class Status(msgspec.Struct, frozen=True):
    """The present state of one destination. `matched == delivered + failed + owed + expired + skipped`, always."""

    id: str
    name: str
    """Empty where only the counts are known."""
    state: str
    """live, behind (its matches are noted, and sent from the log), degraded, quarantined, probing, disabled, paused, or
    invalid."""
    at: float
    matched: int = 0
    delivered: int = 0
    failed: int = 0
    owed: int = 0
    expired: int = 0
    skipped: int = 0
    in_flight: int = 0
    waiting_retry: int = 0
    error_rate: float = 0.0
    """Share of the attempts of the last minute that failed, 0 to 1."""
    p50_ms: float | None = None
    """Response time over the last minute."""
    p99_ms: float | None = None
    lag_s: float = 0.0
    """Age of the oldest event still owed, seconds; 0 when nothing is owed."""
    oldest: dict[str, float] = msgspec.field(default_factory=dict[str, float])
    """When the oldest event still owed of each stream was read, about, seconds since the epoch."""
    backlog: int = 0
    """Of those owed, how many are in ranges of the log."""
    since: float = 0.0
    """When its health last changed, seconds since the epoch; 0 when it never did."""
    until: float = 0.0
    """The end of a quarantine."""
    reason: str = ""
    """Why its health last changed."""
    response: str = ""
    """The first answer that led to it; at most 1,000 bytes."""
    attention: str = ""
    """Why somebody should look at its configuration: nearly everything is refused. Empty when nobody needs to."""
    replays: list[Replay] = msgspec.field(default_factory=list[Replay])
    """Those that are not at their end."""
    command: int = 0
    """The latest command that was carried out."""
    last_error: str = ""
    problem: str = ""
    """Why the destination is not running, or the first error of its file."""


class Failure(msgspec.Struct, frozen=True, gc=False):
    """The ledger's entry of a delivery that failed for good. All text in it is free of secrets."""

    destination: str
    invocation: str
    at: float
    """Seconds since the epoch."""
    stream: str
    partition: int
    offset: int
    event_uuid: str
    event_name: str
    attempts: int
    reason: str
    status: int | None = None
    body: bytes = b""
    """The beginning of the last response."""
    mapping: str = ""
    """The mapping of the destination that it is of; empty where it has none."""


class FailuresTaken(msgspec.Struct, frozen=True, gc=False):
    """Entries that leave the ledger, by position: they are owed again, or were delivered after all."""

    destination: str
    stream: str
    partition: int
    offsets: list[int]
    mapping: str = ""

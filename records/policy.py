"""How one destination is to be delivered to, and when it is to be left alone: what a user can change, with defaults."""

from collections.abc import Callable
from typing import Final

import msgspec

from records.hidden import Certificates, Connection, Proxy, SigningKeys
from records.invocation import Response

SUCCESS: Final = frozenset(range(200, 300))
RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that say "not now". Every other answer but success says "not like this", and a retry would not change it."""


class Quarantine(msgspec.Struct, frozen=True):
    """When a destination counts as sick, and for how long it is then left alone.

    An answer of 5xx, a timeout, a network error and an error of a program count as errors; 4xx never does. Times are
    seconds.
    """

    window_s: float = 60.0
    min_samples: int = 20
    """Attempts within the window before their shares mean anything."""
    error_rate: float = 0.5
    """Share of errors, 0 to 1, from which on it is quarantined."""
    errors_in_a_row: int = 20
    slow_s: float = 3.0
    """An answer that takes so long is slow."""
    slow_rate: float = 0.9
    """Share of slow answers, 0 to 1, from which on it is quarantined."""
    periods_s: tuple[float, ...] = (60.0, 120.0, 300.0, 600.0)
    """How long the first quarantine lasts, the second without a recovery between, and so on; then the last of them."""
    probes: int = 3
    """Good answers in a row that end a quarantine; meanwhile one request at a time is made."""
    disable_after: int = 5
    """Quarantines within 24 h without a recovery between that disable it."""


class Batch(msgspec.Struct, frozen=True):
    """Several invocations in one request."""

    max: int = 100
    """Of one request."""
    wait_ms: int = 500
    """How long the first one waits for others."""
    max_bytes: int = 1024 * 1024
    """Of the bodies that one request is made of; one that is larger goes by itself."""
    form: str = "json_array"
    """json_array, ndjson or join: how the bodies are put together."""
    key: str = ""
    """For join: where each body has a list of its own. `data.events` is one within an object.
    Bodies that are equal but for it become one, with all lists."""


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """What an answer says against itself, whatever its status."""

    reason: str
    """In its words."""
    retry: bool = False
    """Whether a later attempt could end differently."""
    failed: tuple[int, ...] = ()
    """Of several events in one request those that it speaks of, from 0; empty for all of them."""


class Policy(msgspec.Struct, frozen=True):
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
    success: frozenset[int] = SUCCESS
    """Statuses that mean "delivered"."""
    retry_on: frozenset[int] = RETRIED
    """Statuses after which it is tried again."""
    rate: float | None = None
    """Requests a second at most."""
    failure: Callable[[Response], Refusal | None] | None = None
    """What an answer says against itself; None where it says nothing. It raises nothing."""
    batch: Batch | None = None
    order: str = ""
    """`person`: of one person's events, the next is sent when the one before is settled."""
    compress: bool = False
    """Whether larger bodies are sent compressed by gzip."""
    proxy: Proxy | None = None
    """What requests go through."""
    certificates: Certificates | None = None
    """What TLS connections are made with; without them, the system's authorities and no client certificate."""
    connections: tuple[Connection, ...] = ()
    """Where the access tokens come from that stand in its requests."""
    signing: SigningKeys | None = None
    """What every request is signed with, by Standard Webhooks."""
    outbox: int = 1024
    """Invocations held in memory; past this the destination is behind and its matches become ranges of the log."""
    quarantine: Quarantine = Quarantine()

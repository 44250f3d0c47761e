"""What goes to a destination and what comes back: one invocation per match, one attempt per request, one outcome."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Self

import msgspec

from records.hidden import AwsKeys

CONNECTION_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection"}
    | {"upgrade", "te", "trailer", "expect"}
)
"""Lower-case names that no `Request` may carry: they describe the bytes on the connection, which only the connection
knows. A template could desynchronise it with them, or wait for an answer that never comes."""


class Request(msgspec.Struct, frozen=True, gc=False):
    """A rendered HTTP request. It may hold secrets, so it lives in memory only: in no snapshot, log or journal."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""
    aws: AwsKeys | None = None
    """What it is signed with when it leaves, by AWS Signature Version 4."""


class Code(msgspec.Struct, frozen=True, gc=False):
    """A destination's program with everything of one event that it reads. As a request, it lives in memory only."""

    evaluate: Callable[[Mapping[str, Callable[..., Any]], Callable[[], None]], object]
    """Runs it, with the functions by which it reaches outside and one by which it lets others go on for a moment."""
    inputs: Mapping[str, Any]
    """The rendered inputs: signatures name the ones that hold their keys."""
    event: Mapping[str, Any]
    """What a captured event takes over: `project`, `distinct_id`, `person_id`, `properties`."""
    fetches: int = 5
    """Requests that it may make."""


class Invocation(msgspec.Struct, gc=False):
    """One match of one event by one destination.

    `work` is None when the inputs could not be rendered, and `error` says why, or when there is nothing to send.
    """

    id: str
    """Stable over retries, resends and replays: made of the destination, the event and the mapping. Sent as
    `webhook-id`."""
    destination: str
    stream: str
    partition: int
    offset: int
    read_ms: int
    event_uuid: str
    event_name: str
    person: str
    """Whose event it is: the person's id, or the distinct id of somebody unknown."""
    work: Request | Code | None
    error: str | None = None
    mapping: str = ""
    """The mapping of the destination that it is of; empty where it has none."""
    together: int = 0
    """How many mappings matched the event, this one among them; 0 where only one of them was asked for."""
    exact: bool = False
    """Whether its position must not become part of a span: others of it were held back by a cap."""
    reread: bool = False
    """True when the backlog lane brought it."""
    replayed: bool = False
    """Whether a person asked for it again; its requests say so."""
    test: bool = False
    """Whether a person only tries it out: its requests say so, and none of them is made twice."""
    retries: int = 0
    """Counted retries made so far."""
    resent: bool = False
    """Whether the one uncounted retry, for a kept-alive connection that was gone, has been used."""
    batch: str = ""
    """The carrier that it went out with, see `delivery.departures`; empty before."""


class Together(msgspec.Struct, gc=False):
    """What several mappings of a destination make of one event: all of it is taken, or nothing."""

    destination: str
    invocations: list[Invocation]


class Missed(msgspec.Struct, gc=False):
    """Matches of one partition that were not rendered, because their destination takes nothing at present.

    `first` to `last` may span positions that do not match: they are filtered again when they are read again.
    """

    destination: str
    stream: str
    partition: int
    first: int
    last: int
    count: int
    read_ms: int
    """When the first of them was read."""
    exact: bool = False
    """Whether its one position must not become part of a span: others of it were held back by a cap."""

    @classmethod
    def of(cls, invocation: Invocation) -> Self:
        """What is noted in its place."""
        place = (invocation.destination, invocation.stream, invocation.partition)
        return cls(*place, invocation.offset, invocation.offset, 1, invocation.read_ms, invocation.exact)


KEPT_BODY_BYTES = 256 * 1024
"""Of a response body, for people to see."""
CUT_MARGIN_BYTES = 8 * 1024
"""More than any secret has. A body is cut this much later than it is shown, so that no secret is cut before it is
masked: nobody would recognise a part of it."""


class Response(msgspec.Struct, frozen=True, gc=False):
    """What the endpoint answered. `body` is cut at `KEPT_BODY_BYTES + CUT_MARGIN_BYTES`, then `truncated` is true."""

    status: int
    headers: dict[str, str]
    body: bytes
    truncated: bool = False


class ErrorKind(StrEnum):
    """Why an attempt has no response."""

    TIMEOUT = "timeout"
    CONNECT = "connect"
    """Refused, unreachable, name not found, TLS failure."""
    RESET = "reset"
    """The connection broke before the response was complete."""
    BLOCKED = "blocked"
    """The address guard refused the address: never retried."""
    INVALID = "invalid"
    """The request cannot be sent (bad URL, bad header): never retried."""
    CODE = "code"
    """The destination's program threw an error, could not go on, or hit a fence: never retried."""


class Note(msgspec.Struct, frozen=True, gc=False):
    """What an attempt wants to be in the log: a program's `print`, a request of it that did not go well."""

    at: float
    """Seconds since the epoch."""
    level: str
    message: str
    body: bytes = b""
    """Of the response it speaks of; cut as that one was where `truncated` is true."""
    truncated: bool = False


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """One request, or one run of a program, and how it ended: `response`, `error`, or for a program that ended neither.

    `reused` tells that the request went out on a kept-alive connection.
    """

    invocation: Invocation
    started_at: float
    """Seconds since the epoch."""
    duration_ms: float
    response: Response | None = None
    error: ErrorKind | None = None
    detail: str = ""
    reused: bool = False
    notes: tuple[Note, ...] = ()


class Verdict(StrEnum):
    """What became of an attempt, or of an invocation that could not be attempted."""

    DELIVERED = "delivered"
    RETRYING = "retrying"
    FAILED = "failed"
    """For good: retries used up, or an answer that a retry would not change."""
    SKIPPED = "skipped"
    """Given up by a person, or no longer matching when its turn came."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """An invocation's attempt with the verdict over it; what `settle` turns into log lines and metrics.

    All text in it is already free of secrets.
    """

    destination: str
    invocation: str
    verdict: Verdict
    at: float
    """Seconds since the epoch."""
    attempts: int
    stream: str
    partition: int
    offset: int
    event_uuid: str
    event_name: str
    status: int | None = None
    duration_ms: float = 0.0
    reason: str = ""
    """Empty when delivered; else one sentence: what happened and what to do."""
    body: bytes = b""
    """The first 256 KiB of a response that is not 2xx."""
    notes: tuple[Note, ...] = ()
    listed: bool = False
    """Whether the ledger has it, from before a crash: it was delivered after all."""
    mapping: str = ""

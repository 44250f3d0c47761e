"""What the HTTP transport tells of each request to somebody who watches, as `offramp test` does. It sends nothing."""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from connectors.http_request import Prepared, Refused
from destinations.secrets import Redactor
from records import Invocation, Request, Response

_NOTHING: Final = Redactor(())


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """One request and how it ended. It may hold the destination's secrets, but no access token."""

    request: Request
    """With the headers that went out, signatures among them; the body is the one before compression."""
    started_at: float
    """Seconds since the epoch."""
    duration_ms: float
    outcome: Response | Refused
    masked: Redactor
    """Masks its access tokens also where they come back by another way: in what a program prints of an answer."""


Watch = Callable[[Invocation, Exchange], None]
"""Told when an exchange has ended, before its attempt can be collected."""


def exchange_of(
    request: Request,
    prepared: Prepared | None,
    started_at: float,
    duration_ms: float,
    outcome: Response | Refused,
    tokens: Iterable[str] = (),
) -> Exchange:
    """What there is to tell; `prepared` is None for what never went out, `tokens` are made unrecognisable."""
    masked = Redactor(tokens)
    if isinstance(outcome, Response):
        answered = {name: masked(value) for name, value in outcome.headers.items()}
        outcome = msgspec.structs.replace(outcome, headers=answered, body=masked(outcome.body))
    return Exchange(as_sent(request, prepared, masked), started_at, duration_ms, outcome, masked)


def as_sent(request: Request, prepared: Prepared | None, masked: Redactor = _NOTHING) -> Request:
    """The request with the headers that it goes out with."""
    headers = request.headers if prepared is None else prepared.headers
    return Request(
        request.method.upper(),
        masked(request.url),
        {name: masked(value) for name, value in headers.items()},
        masked(request.body),
    )

"""Access tokens for requests of destinations: fetched when first needed, kept, renewed early, one renewal at a time.

In a rendered request a marker stands for the token; the token takes its place on the way out, at every attempt anew.
Tokens live in memory only. A vendor that replaces the refresh token with each renewal is followed as long as the
process lives.

Units: seconds. Blocks nothing; for one event loop.
"""

import asyncio
import base64
import json
import logging
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

import jwt
import msgspec

from connectors.http_request import Refused
from delivery.retry import RETRIED_ERRORS
from records import ErrorKind, Request, Response
from records.hidden import Assertion, Connection

EARLY: Final = 0.2
"""A token is renewed when so much of its life is left; the old one is good meanwhile."""
MIN_EARLY_S: Final = 60.0
"""But never before half of its life is over: one that lives for a minute would be renewed all the time."""
DEFAULT_LIFE_S: Final = 3600.0
"""Of a token whose answer does not say."""
PAUSE_S: Final = 10.0
"""So long after a refused renewal none is tried."""
SHORT_PAUSE_S: Final = 1.0
"""The same where a later one may do: what waits for the token has used up its retries within seconds."""
FRESH_S: Final = 30.0
"""A token that is younger is not renewed because of a 401: another one would be refused as well."""
_ASSERTION_S: Final = 3600
_SHOWN: Final = 200
_GRACE_S: Final = 0.2
"""Who has asked for a token itself is told why there is none, rather than that it has waited."""
_SECRET_CHARS: Final = 6
"""A shorter text would be found in ordinary words."""
_OPEN: Final = frozenset({"grant_type", "scope", "audience", "resource"})
"""Fields of a form that are no secrets, and that an answer has to be able to speak of."""
_log = logging.getLogger(__name__)

Send = Callable[[Request], Awaitable[Response | Refused]]
"""Makes one request, by the rules of the destination that needs the token."""


class TokenError(Exception):
    """No token can be had; `refused` is what becomes of the request that needs it."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.detail)
        self.refused = refused


class Filled(NamedTuple):
    """A request with tokens in the places of their markers, and which token of each connection that is."""

    request: Request
    used: dict[Connection, str]


class _Failure(NamedTuple):
    refused: Refused
    at: float

    @property
    def pause_s(self) -> float:
        return SHORT_PAUSE_S if self.refused.error in RETRIED_ERRORS else PAUSE_S


class _Token(msgspec.Struct):
    text: str = ""
    got_at: float = 0.0
    expires_at: float = 0.0
    refresh_token: str = ""
    renewal: "asyncio.Task[None] | None" = None
    failures: dict[Hashable, _Failure] = msgspec.field(default_factory=dict[Hashable, _Failure])
    """By the way that the question took; what the vendor answered is under None, for it is the same on every way."""


class Tokens:
    """All tokens of a transport, by connection."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Has none yet."""
        self._clock = clock
        self._tokens: dict[Connection, _Token] = {}

    async def filled(
        self, request: Request, connections: Iterable[Connection], send: Send, way: Hashable = "", wait_s: float = 60
    ) -> Filled:
        """Put the tokens in.

        Args:
            request: It may hold markers.
            connections: Those whose markers it may hold.
            send: Asks for a token, if it has to be asked for.
            way: What is particular to the way that `send` takes: that another one is closed means nothing for it.
            wait_s: So long at most for one token.

        Raises:
            TokenError: there is none.
        """
        used: dict[Connection, str] = {}
        for connection in connections:
            if _holds(request, connection.marker):
                used[connection] = await self._token(connection, send, way, wait_s)
                request = _with_token(request, connection.marker, used[connection])
        return Filled(request, used)

    def refuse(self, used: Mapping[Connection, str]) -> bool:
        """A request with these tokens was answered by 401: forget them; whether others may do better."""
        better = False
        for connection, text in used.items():
            token = self._tokens[connection]
            if token.text == text:
                if self._within(token.got_at, FRESH_S):
                    continue
                token.text = ""
            # Else it has been replaced, or is about to be, because of another request that was out with it.
            better = True
        return better

    def _within(self, since: float, seconds: float) -> bool:
        """Whether it is no longer ago. What lies in the future was noted before the clock was set back."""
        return 0 <= self._clock() - since <= seconds

    async def _token(self, connection: Connection, send: Send, way: Hashable, wait_s: float) -> str:
        token = self._tokens.setdefault(connection, _Token())
        life_s = token.expires_at - token.got_at
        if token.text and self._within(token.got_at, life_s - min(max(MIN_EARLY_S, EARLY * life_s), life_s / 2)):
            return token.text
        end = time.monotonic() + wait_s
        while (failed := self._failed(token, way)) is None:
            if token.renewal is None:
                renewal = self._renew(connection, token, send, way)
                token.renewal = asyncio.get_running_loop().create_task(renewal)
            if self._is_good(token):
                return token.text
            # Whoever waits may be cancelled, or have no more time; the others go on waiting.
            await asyncio.wait((token.renewal,), timeout=max(0.0, end - time.monotonic()) + _GRACE_S)
            if self._is_good(token):
                return token.text
            if time.monotonic() >= end:
                waited = f"connection '{connection.name}' had no access token within {wait_s:g} s"
                failed = self._failed(token, way) or Refused(ErrorKind.TIMEOUT, waited)
                break
        if self._is_good(token):
            return token.text
        raise TokenError(failed)

    def _is_good(self, token: _Token) -> bool:
        return bool(token.text) and self._within(token.got_at, token.expires_at - token.got_at)

    def _failed(self, token: _Token, way: Hashable) -> Refused | None:
        """Why it is not asked for at this moment."""
        for failure in (token.failures.get(way), token.failures.get(None)):
            if failure is not None and self._within(failure.at, failure.pause_s):
                return failure.refused
        return None

    async def _renew(self, connection: Connection, token: _Token, send: Send, way: Hashable) -> None:
        answer: Response | Refused | None = None
        try:
            request = self._request(connection, token)
            answer = await send(request)
            failed = answer if isinstance(answer, Refused) else self._taken(connection, token, request, answer)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait have to hear of it
            failed = Refused(ErrorKind.CODE, type(error).__name__)
        finally:
            token.renewal = None
        if failed is None:
            token.failures.clear()
            return
        failed = msgspec.structs.replace(
            failed, detail=f"connection '{connection.name}' gets no access token: {failed.detail}"
        )
        key = way if isinstance(answer, Refused) else None
        before = token.failures.get(key)
        if before is None or before.refused.detail != failed.detail:
            _log.error("%s", failed.detail)
        token.failures[key] = _Failure(failed, self._clock())

    def _taken(self, connection: Connection, token: _Token, asked: Request, answer: Response) -> Refused | None:
        """Keep what was answered; why it is no token, if it is none."""
        found = _object(answer.body)
        text = found.get("access_token")
        if not 200 <= answer.status < 300 or not isinstance(text, str) or not text:
            words = [found.get(key) for key in ("error", "error_description", "message")]
            said = " ".join(" ".join(word for word in words if isinstance(word, str)).split())
            form = [value for key, value in parse_qsl(asked.body.decode()) if key not in _OPEN]
            kind = ErrorKind.CONNECT if answer.status >= 500 or answer.status == 429 else ErrorKind.CODE
            said = _masked(said, [*form, *(connection.basic or ())])
            return Refused(kind, f"answered {answer.status} {said[:_SHOWN]}".strip())
        life = found.get("expires_in")
        token.text, token.got_at = text, self._clock()
        token.expires_at = token.got_at + (_seconds(life) or DEFAULT_LIFE_S)
        if isinstance(renewed := found.get("refresh_token"), str) and renewed:
            token.refresh_token = renewed
        return None

    def _request(self, connection: Connection, token: _Token) -> Request:
        form = dict(connection.form)
        if token.refresh_token and "refresh_token" in form:
            form["refresh_token"] = token.refresh_token
        if connection.assertion is not None:
            form["assertion"] = _signed(connection.assertion, self._clock())
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if connection.basic is not None:
            # Source: RFC 6749, section 2.3.1: both are form-encoded first.
            pair = ":".join(quote(part, safe="") for part in connection.basic)
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return Request("POST", connection.token_url, headers, urlencode(form).encode())


def without_tokens(response: Response, used: Mapping[Connection, str]) -> Response:
    """The answer with `***` where it repeats a token that was sent."""
    body, headers = response.body, response.headers
    for text in used.values():
        body = body.replace(text.encode(), b"***")
        if any(text in value for value in headers.values()):
            headers = {name: value.replace(text, "***") for name, value in headers.items()}
    if body is response.body and headers is response.headers:
        return response
    return msgspec.structs.replace(response, body=body, headers=headers)


def _signed(assertion: Assertion, now: float) -> str:
    claims = dict(assertion.claims) | {"iat": int(now), "exp": int(now) + _ASSERTION_S}
    return jwt.encode(claims, assertion.key, "RS256", {"kid": assertion.key_id} if assertion.key_id else None)


def _holds(request: Request, marker: str) -> bool:
    return (
        marker in request.url
        or any(marker in value for value in request.headers.values())
        or marker.encode() in request.body
    )


def _with_token(request: Request, marker: str, token: str) -> Request:
    is_form = any(
        "form-urlencoded" in value for name, value in request.headers.items() if name.lower() == "content-type"
    )
    in_body = quote(token, safe="") if is_form else json.dumps(token)[1:-1]
    return msgspec.structs.replace(
        request,
        url=request.url.replace(marker, quote(token, safe="")),
        headers={name: value.replace(marker, token) for name, value in request.headers.items()},
        body=request.body.replace(marker.encode(), in_body.encode()),
    )


def _masked(text: str, secrets: Iterable[str]) -> str:
    """A vendor may repeat what it was sent."""
    for secret in secrets:
        if len(secret) >= _SECRET_CHARS:
            text = text.replace(secret, "***")
    return text


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(value: object) -> float | None:
    """What a vendor means by `expires_in`; some write it as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if 1 <= seconds < 1e9 else None

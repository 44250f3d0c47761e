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
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final
from urllib.parse import quote, urlencode

import jwt
import msgspec

from connectors.http_request import Refused
from records import ErrorKind, Request, Response
from records.hidden import Assertion, Connection

EARLY: Final = 0.2
"""A token is renewed when so much of its life is left; the old one is good meanwhile."""
MIN_EARLY_S: Final = 60.0
DEFAULT_LIFE_S: Final = 3600.0
"""Of a token whose answer does not say."""
PAUSE_S: Final = 10.0
"""So long after a failed renewal none is tried."""
FRESH_S: Final = 30.0
"""A token that is younger is not renewed because of a 401: another one would be refused as well."""
_ASSERTION_S: Final = 3600
_SHOWN: Final = 200
_SECRET_CHARS: Final = 6
"""Shorter texts of a form are words, such as its grant type."""
_log = logging.getLogger(__name__)

Send = Callable[[Request], Awaitable[Response | Refused]]
"""Makes one request, by the rules of the destination that needs the token."""


class TokenError(Exception):
    """No token can be had; `refused` is what becomes of the request that needs it."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.detail)
        self.refused = refused


class _Token(msgspec.Struct):
    text: str = ""
    got_at: float = 0.0
    expires_at: float = 0.0
    refresh_token: str = ""
    renewal: "asyncio.Task[None] | None" = None
    failed: Refused | None = None
    failed_at: float = float("-inf")


class Tokens:
    """All tokens of a transport, by connection."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Has none yet."""
        self._clock = clock
        self._tokens: dict[Connection, _Token] = {}

    async def filled(self, request: Request, connections: Iterable[Connection], send: Send) -> Request:
        """The request with tokens in the places of their markers; raises TokenError."""
        for connection in connections:
            if _holds(request, connection.marker):
                request = _with_token(request, connection.marker, await self._token(connection, send))
        return request

    def without_tokens(self, response: Response, connections: Iterable[Connection]) -> Response:
        """The answer with `***` where it repeats a token."""
        body = response.body
        for connection in connections:
            token = self._tokens.get(connection)
            if token is not None and token.text:
                body = body.replace(token.text.encode(), b"***")
        return response if body is response.body else msgspec.structs.replace(response, body=body)

    def refuse(self, connections: Iterable[Connection]) -> bool:
        """A request was answered by 401: forget what may have been revoked; whether there was anything to forget."""
        forgotten = False
        for connection in connections:
            token = self._tokens.get(connection)
            if token is not None and token.text and self._clock() - token.got_at > FRESH_S:
                token.text, forgotten = "", True
        return forgotten

    async def _token(self, connection: Connection, send: Send) -> str:
        now = self._clock()
        token = self._tokens.setdefault(connection, _Token())
        good = token.text and now < token.expires_at
        if good and now < token.expires_at - max(MIN_EARLY_S, EARLY * (token.expires_at - token.got_at)):
            return token.text
        if token.failed is None or now >= token.failed_at + PAUSE_S:
            if token.renewal is None:
                token.renewal = asyncio.get_running_loop().create_task(self._renew(connection, token, send))
            if not good:
                # Whoever waits may be cancelled; the others go on waiting.
                await asyncio.shield(token.renewal)
        if token.text and self._clock() < token.expires_at:
            return token.text
        raise TokenError(token.failed or Refused(ErrorKind.CODE, f"connection '{connection.name}' has no token"))

    async def _renew(self, connection: Connection, token: _Token, send: Send) -> None:
        try:
            failed = self._taken(connection, token, await send(self._request(connection, token)))
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait have to hear of it
            failed = Refused(ErrorKind.CODE, type(error).__name__)
        finally:
            token.renewal = None
        if failed is None:
            token.failed = None
            return
        failed = msgspec.structs.replace(
            failed, detail=f"connection '{connection.name}' gets no access token: {failed.detail}"
        )
        token.failed_at = self._clock()
        if token.failed is None or token.failed.detail != failed.detail:
            _log.error("%s", failed.detail)
        token.failed = failed

    def _taken(self, connection: Connection, token: _Token, answer: Response | Refused) -> Refused | None:
        """Keep what was answered; why it is no token, if it is none."""
        if isinstance(answer, Refused):
            return answer
        found = _object(answer.body)
        text = found.get("access_token")
        if not 200 <= answer.status < 300 or not isinstance(text, str) or not text:
            said = " ".join(
                str(found[key]) for key in ("error", "error_description") if isinstance(found.get(key), str)
            )
            kind = ErrorKind.CONNECT if answer.status >= 500 or answer.status == 429 else ErrorKind.CODE
            said = _masked(said, [*dict(connection.form).values(), *(connection.basic or ()), token.refresh_token])
            return Refused(kind, f"answered {answer.status} {said[:_SHOWN]}".strip())
        life = found.get("expires_in")
        life_s = float(life) if isinstance(life, int | float | str) and _is_number(life) else DEFAULT_LIFE_S
        token.text, token.got_at = text, self._clock()
        token.expires_at = token.got_at + life_s
        if isinstance(renewed := found.get("refresh_token"), str):
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


def _is_number(value: float | str) -> bool:
    try:
        return 0 < float(value) < 1e9
    except ValueError:
        return False

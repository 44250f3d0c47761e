"""One request, one answer: the aiohttp session behind the HTTP transport.

It makes exactly one attempt: it follows no redirect, repeats nothing, keeps no cookie, reads no proxy variable and
decompresses nothing. It enforces no total time-out: whoever calls cancels.

Units: seconds and bytes. At most `BODY_LIMIT` bytes of a response body are kept; a longer one closes the connection.
"""

import asyncio
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from io import BytesIO
from ipaddress import ip_address

from aiohttp import (
    AddrInfoType,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult

from connectors.http_errors import AddressRefusedError, ProxyAnswerError
from connectors.http_guard import Guard
from connectors.http_protocol import BoundedHandler
from connectors.http_request import Prepared
from connectors.http_route import Routes
from records import CUT_MARGIN_BYTES, KEPT_BODY_BYTES, Policy, Response

BODY_LIMIT = KEPT_BODY_BYTES + CUT_MARGIN_BYTES
_WHOLE_BODY = 512 * 1024
_SWITCHING_PROTOCOLS = 101
_PROXY_AUTHENTICATION = 407

_NAME_LOOKUPS = 16
"""Names looked up at once. Each may block its thread for as long as the machine's resolver waits, mostly 10 s."""


class Wire:
    """What the transport wants to know about a request beyond its answer; one per worker, reset for each request."""

    __slots__ = ("reused",)

    def __init__(self) -> None:
        """As before any request."""
        self.reused = True


_wire: ContextVar[Wire] = ContextVar("wire")


class GuardedResolver(AbstractResolver):
    """Looks names up and lets none pass that has a single address which the guard refuses.

    The connection is then made to one of these very addresses, so a name that changes its answer gains nothing.
    """

    def __init__(self, guard: Guard) -> None:
        """Threads of its own: the event loop's four would let four dead name servers stop every lookup."""
        self._guard = guard
        self._threads = ThreadPoolExecutor(_NAME_LOOKUPS, thread_name_prefix="name-lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name.

        Raises:
            AddressRefusedError: one of them is refused.
            OSError: there is none, or the lookup failed.
        """
        loop = asyncio.get_running_loop()
        answers = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        )
        found: list[ResolveResult] = []
        for kind, _, proto, _, address in answers:
            text = str(address[0])
            if self._guard.refuses(ip_address(text)):
                raise AddressRefusedError(ip_address(text))
            numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
            found.append(ResolveResult(hostname=host, host=text, port=port, family=kind, proto=proto, flags=numeric))
        return found

    async def close(self) -> None:
        """Starts no further lookup. One that hangs keeps its thread until the machine's resolver gives up."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class HttpClient:
    """A session with its connection pool. It lives on one event loop; make it and close it there."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext | None) -> None:
        """`tls` replaces the system's trusted certificates."""
        self._resolver = GuardedResolver(guard)
        connector = TCPConnector(
            limit=0,
            resolver=self._resolver,
            socket_factory=_new_socket,
            ssl=tls if tls is not None else True,
        )
        # The one door to the reader of responses, and not a public one; tests/connectors/test_http_attacks.py notices.
        connector._factory = partial(BoundedHandler, loop=asyncio.get_running_loop())  # type: ignore[assignment]
        self._session = ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("content-type",),
            timeout=ClientTimeout(total=None),
        )
        self._routes = Routes(guard)
        self._timeouts: dict[float, ClientTimeout] = {}

    def enter(self) -> Wire:
        """Once per task, before its first request: where that task's requests leave what they saw."""
        wire = Wire()
        _wire.set(wire)
        return wire

    async def exchange(self, prepared: Prepared, policy: Policy) -> Response:
        """Sends one request and reads its answer.

        Raises:
            Exception: whatever aiohttp raises, or one of `http_errors`; `http_errors.explain` names it.
        """
        route = self._routes.plain(prepared, policy) or await self._routes.of(prepared, policy)
        target = prepared.target.url
        try:
            response = await self._session.request(
                prepared.method,
                target,
                data=_payload(prepared.body),
                headers=route.headers,
                proxy=route.proxy,
                proxy_headers=route.proxy_headers,
                ssl=route.tls,
                allow_redirects=False,
                timeout=self._timeout(policy.connect_timeout_s),
                middlewares=None if prepared.method in _NEVER_REPEATED else (_send_once,),
            )
        except _BrokenError as error:
            raise error.__cause__ or error from None
        try:
            if response.status == _PROXY_AUTHENTICATION and route.proxy is not None and target.scheme == "http":
                raise ProxyAnswerError(response.status)
            body = await _read(response)
        finally:
            if not response.closed:
                response.close()
        truncated = len(body) > BODY_LIMIT
        return Response(response.status, _headers(response), body[:BODY_LIMIT] if truncated else body, truncated)

    async def close(self) -> None:
        """Closes every connection."""
        self._routes.close()
        await self._session.close()
        await self._resolver.close()

    def _timeout(self, connect_s: float) -> ClientTimeout:
        timeout = self._timeouts.get(connect_s)
        if timeout is None:
            # ceil_threshold: aiohttp would round longer time-outs up to whole seconds.
            timeout = ClientTimeout(total=None, connect=connect_s, ceil_threshold=float("inf"))
            self._timeouts[connect_s] = timeout
        return timeout


def _new_socket(address: AddrInfoType) -> socket.socket:
    """Called for each new connection, in the context of the task whose request needs it."""
    family, kind, proto, _, _ = address
    _wire.get().reused = False
    return socket.socket(family, kind, proto)


# aiohttp repeats requests of every other method by itself when a kept-alive connection breaks.
_NEVER_REPEATED = frozenset(("POST", "PATCH"))


class _BrokenError(Exception):
    """Carries an error past aiohttp's retry, which looks for two classes of error only."""


def _payload(body: bytes | None) -> bytes | BytesIO | None:
    """A large body is written in pieces, so that the other requests get their turn."""
    return BytesIO(body) if body is not None and len(body) > _WHOLE_BODY else body


async def _send_once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    try:
        return await handler(request)
    except (ClientOSError, ServerDisconnectedError) as error:
        raise _BrokenError from error


async def _read(response: ClientResponse) -> bytes:
    """The body, read no further than a little past the limit."""
    if response.status == _SWITCHING_PROTOCOLS:
        return b""
    content = response.content
    if content.is_eof():
        return content.read_nowait(-1)
    chunks: list[bytes] = []
    size = 0
    while size <= BODY_LIMIT:
        chunk = await content.readany()
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def _headers(response: ClientResponse) -> dict[str, str]:
    """Names in lower case; values of a repeated header are joined; bytes that are not UTF-8 are replaced."""
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        lower = name.lower()
        clean = value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        headers[lower] = f"{headers[lower]}, {clean}" if lower in headers else clean
    return headers

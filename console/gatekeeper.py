"""Stands in front of every request and socket: who is it, may they, and does it come from a page of ours?

An ASGI middleware, because it has to see sockets, too. It tells the application by `scope["account"]`.
"""

from http.cookies import CookieError, SimpleCookie
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from console.access import LOCAL, Access, Account
from console.problem import problem

COOKIE: Final = "offramp_session"
LOGIN: Final = "/login"
_OPEN: Final = frozenset({LOGIN, "/healthz"})
_OPEN_FOLDERS: Final = ("/_nicegui/",)
"""The same files for everybody."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
HERE: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Gatekeeper:
    """Lets through whom it knows."""

    def __init__(self, app: ASGIApp, access: Access, hosts: frozenset[str] = frozenset()) -> None:
        """`hosts` are the names that a browser may call us by; without any, those of this machine.

        A page elsewhere whose name suddenly means our address is not let in by that name.
        """
        self._app = app
        self._access = access
        self._hosts = hosts or HERE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        headers, path = connection.headers, scope["path"]
        if _host_name(headers.get("host", "")) not in self._hosts and "*" not in self._hosts:
            await _refuse(scope, receive, send, problem(421, "This console is not known by that name."))
            return
        account, by_cookie = self._account(headers)
        changes = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if changes and by_cookie and not _is_same_origin(headers):
            await _refuse(scope, receive, send, problem(403, "The request comes from a page of another origin."))
            return
        is_open = path in _OPEN or path.startswith(_OPEN_FOLDERS)
        if account is None and not is_open:
            await _refuse(scope, receive, send, _sent_away(scope, path))
            return
        scope["account"] = account
        await self._app(scope, receive, send)

    def _account(self, headers: Headers) -> tuple[Account | None, bool]:
        """Who it is, and whether a browser may have said so by itself."""
        if self._access.is_open:
            return LOCAL, True
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._access.by_token(token.strip()), False
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            cookie = None
        return (None if cookie is None else self._access.by_session(cookie.value)), True


def _is_same_origin(headers: Headers) -> bool:
    """A browser says where a request comes from; a program need not."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") in ("same-origin", "none")
    return origin.partition("://")[2] == headers.get("host")


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()


def _sent_away(scope: Scope, path: str) -> Response:
    if scope["type"] == "http" and not path.startswith("/api/") and scope["method"] in _SAFE:
        return RedirectResponse(LOGIN, 303)
    detail = "Say who you are: a session, or `Authorization: Bearer TOKEN`."
    return problem(401, detail, {"WWW-Authenticate": "Bearer"})


async def _refuse(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await response(scope, receive, send)

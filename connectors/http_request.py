"""Turns a rendered request into what goes on the wire, or says why it cannot be sent. Pure: it opens nothing.

It changes as little as it can: the path and query go out as they were written, and only characters that no URL may hold
are percent-encoded. It never shows more of a URL than scheme, host and port: the rest may hold secrets.
"""

import re
from functools import lru_cache
from ipaddress import IPv6Address
from urllib.parse import quote

import msgspec
from yarl import URL

from connectors.http_guard import METADATA, Address, Guard, embedded, literal
from records import CONNECTION_HEADERS, ErrorKind, Request

_SPLIT = re.compile(r"(https?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_IN_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NAME = re.compile(r"(?!.{254})([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
_URL_CHARACTERS = "%:/?[]@!$&'()*+,;=~"
_BODILESS = frozenset(("GET", "HEAD"))


class Refused(msgspec.Struct, frozen=True, gc=False):
    """Why a request is not sent."""

    error: ErrorKind
    detail: str


class Target(msgspec.Struct, frozen=True, gc=False):
    """Where a request goes. `origin` is the part of the URL that may be shown to people."""

    url: URL
    origin: str
    has_userinfo: bool


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """A request as the client takes it."""

    method: str
    target: Target
    headers: dict[str, str]
    body: bytes | None


class Preparer:
    """Prepares requests against one address guard. It remembers the URLs that it has seen last."""

    def __init__(self, guard: Guard, user_agent: str) -> None:
        """`user_agent` goes out where a request brings none of its own."""
        self._guard = guard
        self._defaults = {"user-agent": user_agent, "accept": "*/*", "accept-encoding": "identity"}
        self._target = lru_cache(2048)(self._parse)

    def prepare(self, invocation_id: str, request: Request | None) -> Prepared | Refused:
        """What to send for an invocation, or why nothing can be sent."""
        if request is None:
            return _invalid("The invocation has no request: its inputs could not be rendered.")
        target = self._target(request.url)
        if isinstance(target, Refused):
            return target
        method = request.method.upper()
        if not _TOKEN.fullmatch(method) or method == "CONNECT":
            return _invalid("The method is not one that a request can have; use GET, POST, PUT, PATCH or DELETE.")
        headers = self._headers(invocation_id, request.headers)
        if isinstance(headers, Refused):
            return headers
        if target.has_userinfo and any(name.lower() == "authorization" for name in headers):
            return _invalid("The URL carries a user and the headers an Authorization; remove one of the two.")
        body = request.body if request.body or method not in _BODILESS else None
        return Prepared(method, target, headers, body)

    def _headers(self, invocation_id: str, given: dict[str, str]) -> dict[str, str] | Refused:
        headers: dict[str, str] = {}
        absent = self._defaults.copy()
        for name, value in given.items():
            lower = _lower_name(name)
            if isinstance(lower, Refused):
                return lower
            if lower == "webhook-id":
                continue
            if _CONTROL_IN_HEADER.search(value):
                return _invalid(
                    f"The value of the header '{name}' holds a line break, another control character or half a"
                    " surrogate pair; remove it in the template."
                )
            absent.pop(lower, None)
            headers[name] = value
        headers.update(absent)
        headers["webhook-id"] = invocation_id
        return headers

    def _parse(self, text: str) -> Target | Refused:
        text = text.strip()
        if _CONTROL.search(text) or _SURROGATE.search(text):
            return _invalid("The URL holds a control character or half a surrogate pair; encode the value first.")
        parts = _SPLIT.fullmatch(text)
        if parts is None:
            return _invalid("The URL does not start with http:// or https://; write it with its scheme.")
        scheme, authority, path, query = parts.groups()
        scheme = scheme.lower()
        userinfo, _, host_port = authority.rpartition("@")
        host, port = _split_host(scheme, host_port)
        if host is None or "\\" in authority:  # a backslash: programs disagree on where the host ends
            return _invalid("The URL has no valid host and port after its scheme; write https://host/path.")
        try:
            address = literal(host)
        except ValueError as error:
            return _invalid(f"The URL's host '{host}' cannot be used: {error}.")
        if address is not None:
            host = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
        elif not _NAME.fullmatch(host):
            return _invalid("The URL's host is neither a name nor an address; write https://host/path.")
        origin = f"{scheme}://{host}:{port}"
        if address is not None and self._guard.refuses(address):
            return Refused(ErrorKind.BLOCKED, blocked(origin, address))
        user = f"{quote(userinfo, safe=_URL_CHARACTERS)}@" if userinfo else ""
        url = URL.build(
            scheme=scheme,
            authority=f"{user}{host}:{port}",
            path=quote(path, safe=_URL_CHARACTERS),
            query_string=quote(query or "", safe=_URL_CHARACTERS),
            encoded=True,
        )
        return Target(url, origin, bool(userinfo))


def blocked(origin: str, address: Address) -> str:
    """The sentence about an address that the guard refuses."""
    entry = f"{address}/{address.max_prefixlen}"
    if address in METADATA or embedded(address) in METADATA:
        return (
            f"{origin} is at {address}, a cloud metadata address, and was not contacted; only --allow {entry} opens it."
        )
    return f"{origin} is at {address}, which is not a public address, and was not contacted; --allow {entry} opens it."


@lru_cache(1024)
def _lower_name(name: str) -> str | Refused:
    if not _TOKEN.fullmatch(name):
        return _invalid("A header's name holds a character that no name may hold; use letters, digits and '-'.")
    lower = name.lower()
    if lower in CONNECTION_HEADERS:
        return _invalid(f"The header '{name}' cannot be set, because it governs the connection; remove it.")
    return lower


def _split_host(scheme: str, host_port: str) -> tuple[str | None, int]:
    """Host (lower case, names in their ASCII form) and port; the host is None when they are not valid."""
    try:
        url = URL(f"{scheme}://{host_port}")
        return url.raw_host or None, url.port or 0
    except ValueError:
        return None, 0


def _invalid(detail: str) -> Refused:
    return Refused(ErrorKind.INVALID, detail)

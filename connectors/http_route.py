"""The way that requests of a destination take: through its proxy and with its certificates, if it has them.

Connections are kept by the way they were made: aiohttp's pool goes by host, port, TLS context, proxy and the proxy's
headers, so that no request goes out over a connection that was made with other credentials.
"""

import ssl
from functools import lru_cache
from typing import NamedTuple

from yarl import URL

from connectors.http_errors import AddressRefusedError, PrivateNameError
from connectors.http_guard import Guard, is_private_name, literal
from connectors.http_request import Prepared
from connectors.http_tls import TlsContexts
from records import Policy
from records.hidden import Proxy


class Route(NamedTuple):
    """What aiohttp is told of it."""

    headers: dict[str, str]
    """Headers of the request."""
    tls: ssl.SSLContext | bool = True
    proxy: URL | None = None
    proxy_headers: dict[str, str] | None = None
    """Sent with CONNECT; where there is none, they go out with the request itself."""


class Routes:
    """Finds the route of a request; the address guard has the say over each proxy, as over each destination."""

    def __init__(self, guard: Guard) -> None:
        """`guard` also judges the addresses that names of proxies resolve to, in the resolver."""
        self._guard = guard
        self._contexts = TlsContexts()
        self._proxy_url = lru_cache(256)(self._url_of)

    def plain(self, prepared: Prepared, policy: Policy) -> Route | None:
        """The route of a destination that has nothing of its own; None for one that has."""
        return Route(prepared.headers) if policy.proxy is None and policy.certificates is None else None

    async def of(self, prepared: Prepared, policy: Policy) -> Route:
        """The route for a request of a destination.

        Raises:
            AddressRefusedError: the proxy's address is refused.
            PrivateNameError: the proxy would look up a name of a private network.
            TlsSetupError: the certificates cannot be used.
        """
        url = prepared.target.url
        tls: ssl.SSLContext | bool = True
        if policy.certificates is not None and url.scheme == "https":
            tls = await self._contexts.of(policy.certificates)
        return Route(prepared.headers, tls) if policy.proxy is None else self._through(policy.proxy, prepared, tls)

    def close(self) -> None:
        """No request goes out any more."""
        self._contexts.close()

    def _through(self, proxy: Proxy, prepared: Prepared, tls: ssl.SSLContext | bool) -> Route:
        url = prepared.target.url
        # Its address is the proxy's to find, so the name is all there is to judge; a literal address was judged before.
        if literal(url.raw_host or "") is None and is_private_name(url.raw_host or ""):
            raise PrivateNameError
        headers = prepared.headers
        credentials = None if proxy.authorization is None else {"Proxy-Authorization": proxy.authorization}
        if credentials is not None and url.scheme == "http":
            kept = {name: value for name, value in headers.items() if name.lower() != "proxy-authorization"}
            headers = kept | credentials
        return Route(headers, tls, self._proxy_url(proxy), credentials)

    def _url_of(self, proxy: Proxy) -> URL:
        try:
            address = literal(proxy.host)
        except ValueError:
            address = None  # No name either: the lookup will say so.
        if address is not None and self._guard.refuses(address):
            raise AddressRefusedError(address)
        return URL.build(scheme="http", host=str(address or proxy.host), port=proxy.port)

"""Names what went wrong with a request: which kind of error it was, and one sentence for whoever reads the log.

No sentence holds a header, a body or more of the URL than its origin. A response that breaks the rules of HTTP counts
as RESET: the connection is closed before the response is complete, and another attempt may meet a healthier server.
"""

import errno
import socket

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientHttpProxyError,
    ClientOSError,
    ClientPayloadError,
    ClientResponseError,
    ConnectionTimeoutError,
    ServerDisconnectedError,
)
from aiohttp.http_exceptions import HttpProcessingError

from connectors.http_guard import Address
from connectors.http_request import Refused, Target, blocked
from records import ErrorKind, Policy

_UNREACHABLE = frozenset((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN))
_OUT_OF_FILES = frozenset((errno.EMFILE, errno.ENFILE))


UNANSWERED = (ServerDisconnectedError, ClientOSError)
"""The connection was gone before a response began."""


class AddressRefusedError(Exception):
    """A name resolved to an address that the guard refuses.

    Not an OSError: aiohttp would take it for a failed lookup.
    """

    def __init__(self, address: Address) -> None:
        """`address` is the first refused one of the answer."""
        super().__init__(str(address))
        self.address = address


class PrivateNameError(Exception):
    """A proxy would have been asked for a name of a private network."""


class TlsSetupError(Exception):
    """The destination's certificates cannot be used. Its text is for people, and holds nothing of them."""


class BrokenResponseError(Exception):
    """A response goes beyond what any needs, or breaks HTTP. Its text says how, and holds nothing of it."""


class ProxyAnswerError(Exception):
    """The proxy itself has answered a request that it should have passed on."""

    def __init__(self, status: int) -> None:
        """`status` of its answer."""
        super().__init__(str(status))
        self.status = status


def explain(error: Exception, target: Target, policy: Policy) -> Refused | None:
    """The kind and the sentence for an error of the client; None for one that nobody expected."""
    proxy = policy.proxy
    origin = _far(target, policy)
    # Whose name is looked up, and who is connected to.
    near = origin if proxy is None else f"The proxy {proxy.origin}"
    match error:
        case AddressRefusedError():
            return Refused(ErrorKind.BLOCKED, blocked(near, error.address))
        case TlsSetupError():
            return _connect(f"{origin} was not contacted: {error}.")
        case PrivateNameError():
            return Refused(
                ErrorKind.BLOCKED,
                f"{target.origin} has a name of a private network, which no proxy is asked for, and was not contacted;"
                " write its address, which --allow can open, or leave the proxy out.",
            )
        case ConnectionTimeoutError():
            return _connect(
                f"{origin} could not be connected to within {policy.connect_timeout_s:g} s; check the host, the port"
                " and the firewalls on the way."
            )
        case ClientConnectorDNSError():
            return _connect(_name_failure(target.origin if proxy is None else proxy.origin, error.os_error))
        case ClientHttpProxyError(status=status) | ProxyAnswerError(status=status):
            hint = _PROXY_HINTS.get(status, "check that it is a proxy, and that it may reach this host")
            return _connect(f"{near} did not pass the request on to {target.origin}, it answered {status}; {hint}.")
        case ClientConnectorCertificateError():
            return _connect(_certificate_failure(origin, error.certificate_error))
        case ClientConnectorError() if target.url.scheme == "https" and isinstance(
            error.os_error, ConnectionResetError
        ):
            return _connect(f"{origin} broke the connection while TLS was agreed on; {_client_certificate(policy)}.")
        case ClientConnectorSSLError():
            return _connect(f"{origin} could not agree on TLS; check that this port speaks HTTPS and its TLS versions.")
        case ClientConnectorError():
            return _connect(_connect_failure(near, error.os_error.errno))
        case BrokenResponseError():
            return _reset(f"{origin} {error}; {_MEND}.")
        case ClientResponseError() | HttpProcessingError():  # The second where the head has been read already.
            return _reset(_response_failure(origin, error))
        case ClientPayloadError():
            return _reset(f"{origin} broke the connection in the middle of its response.")
        case ServerDisconnectedError() if target.url.scheme == "https":
            return _reset(f"{origin} closed the connection without a response; {_client_certificate(policy)}.")
        case ServerDisconnectedError():
            return _reset(f"{origin} closed the connection without a response.")
        case ClientOSError() if target.url.scheme == "https":
            # With TLS 1.3 a server learns of the client's certificate, and refuses it, when the request is on its way.
            return _reset(
                f"{origin} reset the connection before its response was complete; {_client_certificate(policy)}."
            )
        case ClientOSError():
            return _reset(f"{origin} reset the connection before its response was complete.")
    return None


def _certificate_failure(origin: str, error: Exception) -> str:
    reason = getattr(error, "verify_message", "") or "it does not match"
    hint = _CERTIFICATE_HINTS.get(getattr(error, "verify_code", 0), "renew it, or trust its issuer by `delivery.ca`")
    return f"The certificate of {origin} was not accepted: {reason.rstrip('.')}; {hint}."


_TRUST = "if it is the right one, trust its issuer by `delivery.ca`"
# Source: OpenSSL's x509_vfy.h, 2026-11.
_CERTIFICATE_HINTS = {
    9: "check this machine's clock",
    10: "it has to be renewed there",
    18: _TRUST,
    19: _TRUST,
    20: f"{_TRUST}, or have the server send the whole chain",
    21: f"{_TRUST}, or have the server send the whole chain",
    62: "write the name that it is for into the URL",
    64: "write the name that it is for into the URL",
}


def _client_certificate(policy: Policy) -> str:
    """A server that does not like its client in TLS 1.3 just hangs up: that is all there is to see."""
    if policy.certificates is not None and policy.certificates.cert is not None:
        return "check that it accepts the certificate in `delivery.client_cert`"
    return "if it wants a client certificate, name one in `delivery.client_cert`"


_MEND = "the server, or what stands before it, has to be mended"

_PROXY_HINTS = {
    403: "it does not allow this host or port",
    407: "check the user and the password in `delivery.proxy`",
    502: "it cannot reach the host",
    503: "it cannot reach the host",
    504: "it cannot reach the host",
}


def _far(target: Target, policy: Policy) -> str:
    """Who answers, and by which way."""
    return target.origin if policy.proxy is None else f"{target.origin} (through the proxy {policy.proxy.origin})"


def timed_out(target: Target, policy: Policy) -> Refused:
    """The whole request took longer than the destination's policy allows."""
    return Refused(
        ErrorKind.TIMEOUT,
        f"{_far(target, policy)} did not answer completely within {policy.timeout_s:g} s; make it answer faster, or"
        " let it answer first and work afterwards.",
    )


def _name_failure(origin: str, error: OSError) -> str:
    if error.errno == socket.EAI_AGAIN:
        return f"The name in {origin} could not be looked up just now; check this machine's DNS."
    return f"The name in {origin} does not exist or has no address; check its spelling."


def _connect_failure(origin: str, number: int | None) -> str:
    if number == errno.ECONNREFUSED:
        return f"{origin} refused the connection; check that the service runs and that the port is right."
    if number in _UNREACHABLE:
        return f"{origin} cannot be reached from this machine; check its address and the network's routes."
    if number in _OUT_OF_FILES:
        return f"{origin} was not contacted: this process has no file descriptor left; raise its open-files limit."
    if number == errno.ECONNRESET:
        return f"{origin} reset the connection while it was being made; check that the port is right."
    reason = errno.errorcode.get(number, "unknown error") if number is not None else "unknown error"
    return f"{origin} could not be connected to ({reason}); check the host, the port and the network."


def _response_failure(origin: str, error: ClientResponseError | HttpProcessingError) -> str:
    if "more than" in error.message or "Too many" in error.message:
        return f"{origin} answered with headers that are too long (at most 128 lines of 8 KB are read)."
    return f"{origin} answered with something that is not HTTP/1.1; check that the port is right."


def _connect(detail: str) -> Refused:
    return Refused(ErrorKind.CONNECT, detail)


def _reset(detail: str) -> Refused:
    return Refused(ErrorKind.RESET, detail)

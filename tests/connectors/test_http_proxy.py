"""Destinations behind a proxy: what it is asked for, and what it is never asked for."""

import base64
import socket
import ssl
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from connectors.http import HttpTransport
from connectors.http_guard import is_private_name
from records import Attempt, ErrorKind, Policy
from records.hidden import Proxy
from tests.connectors.certificates import authority, needs_openssl, signed
from tests.connectors.sending import LOOPBACK, invocation, one, running
from tests.proxy import TunnelProxy
from tests.receiver import Answer, Receiver

BASIC = "Basic " + base64.b64encode(b"me:s3cret/pw").decode()


@pytest.fixture
def proxy() -> Iterator[Receiver]:
    """For http:// a receiver is a proxy that answers by itself."""
    with Receiver() as listening:
        yield listening


def through(port: int, authorization: str | None = BASIC, host: str = "127.0.0.1", **more: float) -> Policy:
    return Policy(proxy=Proxy(host, port, authorization), **more)  # type: ignore[arg-type]


def test_http_arrives_with_its_whole_url_and_the_credentials(transport: HttpTransport, proxy: Receiver) -> None:
    for number in range(2):
        headers = {"proxy-authorization": "theirs", "X-Plan": "pro"}
        sent = invocation("http://crm.example/a%2Fb?x=%20+&y=ü#top", number, headers=headers, body=b"hello")
        assert one(transport, sent, through(proxy.port)).response is not None
    first, second = proxy.requests
    assert first.target in ("http://crm.example/a%2Fb?x=%20+&y=%C3%BC", "http://crm.example:80/a%2Fb?x=%20+&y=%C3%BC")
    assert (first.header("host"), first.body, first.header("x-plan")) == ("crm.example", b"hello", "pro")
    for request in (first, second):
        assert [v for n, v in request.headers if n.lower() == "proxy-authorization"] == [BASIC]
    assert first.connection == second.connection


def test_a_proxy_without_credentials_gets_none(transport: HttpTransport, proxy: Receiver) -> None:
    one(transport, invocation("http://crm.example/"), through(proxy.port, None))
    assert proxy.requests[0].header("proxy-authorization") is None


def test_connections_are_not_shared_between_ways(transport: HttpTransport, proxy: Receiver) -> None:
    with Receiver() as other:
        url = f"http://127.0.0.1:{other.port}/"
        direct, here, there = Policy(), through(proxy.port), through(proxy.port, "Basic other")
        for policy in (direct, here, there, direct, there, here):
            assert one(transport, invocation(url), policy).response is not None
        assert [request.target for request in other.requests] == ["/", "/"]
        assert {request.connection for request in other.requests} == {1}
    by_credentials = {(request.header("proxy-authorization"), request.connection) for request in proxy.requests}
    assert len(by_credentials) == 2
    assert proxy.connections == 2


@needs_openssl
def test_https_goes_through_a_tunnel(tmp_path: Path) -> None:
    ca = authority(tmp_path)
    server = signed(tmp_path, "crm", ca, alt="DNS:crm.example").server()
    trusting = HttpTransport(allow=LOOPBACK, tls=ssl.create_default_context(cafile=str(ca.cert)))
    with (
        Receiver(tls=server) as crm,
        TunnelProxy({"crm.example:443": crm.port}) as proxy,
        running(trusting) as transport,
    ):
        for number in range(2):
            sent = invocation("https://crm.example/hook", number, headers={"Authorization": "Bearer s3cret"})
            assert one(transport, sent, through(proxy.port)).error is None
        assert [head[0] for head in proxy.heads] == ["CONNECT crm.example:443 HTTP/1.1"]
        assert proxy.authorizations == [BASIC]
        assert "s3cret" not in str(proxy.heads)
        for request in crm.requests:
            assert (request.target, request.header("proxy-authorization")) == ("/hook", None)
        one(transport, invocation("https://crm.example/hook"), through(proxy.port, "Basic other"))
        assert proxy.authorizations == [BASIC, "Basic other"]


@needs_openssl
def test_the_certificate_is_that_of_the_target(tmp_path: Path) -> None:
    ca = authority(tmp_path)
    server = signed(tmp_path, "other", ca, alt="DNS:other.example").server()
    trusting = HttpTransport(allow=LOOPBACK, tls=ssl.create_default_context(cafile=str(ca.cert)))
    with (
        Receiver(tls=server) as other,
        TunnelProxy({"crm.example:443": other.port}) as proxy,
        running(trusting) as sender,
    ):
        attempt = one(sender, invocation("https://crm.example/"), through(proxy.port))
    assert attempt.error is ErrorKind.CONNECT
    assert "The certificate of https://crm.example:443 (through the proxy http://127.0.0.1:" in attempt.detail
    assert "Hostname mismatch" in attempt.detail


def refused(attempt: Attempt) -> tuple[ErrorKind | None, str]:
    assert "s3cret" not in attempt.detail
    assert BASIC not in attempt.detail
    return attempt.error, attempt.detail


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (407, "check the user and the password in `delivery.proxy`"),
        (403, "it does not allow this host or port"),
        (502, "it cannot reach the host"),
        (418, "check that it is a proxy, and that it may reach this host"),
    ],
)
def test_a_proxy_that_makes_no_tunnel(transport: HttpTransport, status: int, hint: str) -> None:
    with TunnelProxy({}, b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status) as proxy:
        found = refused(one(transport, invocation("https://crm.example/?key=s3cret"), through(proxy.port)))
    assert found == (
        ErrorKind.CONNECT,
        f"The proxy http://127.0.0.1:{proxy.port} did not pass the request on to https://crm.example:443,"
        f" it answered {status}; {hint}.",
    )


def test_credentials_that_a_proxy_refuses_for_http_are_no_answer(transport: HttpTransport, proxy: Receiver) -> None:
    proxy.default = Answer(407)
    kind, detail = refused(one(transport, invocation("http://crm.example/"), through(proxy.port)))
    assert kind is ErrorKind.CONNECT
    assert detail.endswith("it answered 407; check the user and the password in `delivery.proxy`.")
    assert one(transport, invocation(proxy.url)).response is not None  # of an endpoint itself it is one


def test_a_proxy_that_is_not_there_or_hangs(transport: HttpTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for url in ("http://crm.example/", "https://crm.example/"):
        assert refused(one(transport, invocation(url), through(port))) == (
            ErrorKind.CONNECT,
            f"The proxy http://127.0.0.1:{port} refused the connection; check that the service runs and that the port"
            " is right.",
        )
    with TunnelProxy({}, b"") as hanging:
        policy = through(hanging.port, connect_timeout_s=0.2)
        kind, detail = refused(one(transport, invocation("https://crm.example/"), policy))
    assert (kind, "could not be connected to within 0.2 s" in detail) == (ErrorKind.CONNECT, True)


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000])
def test_what_is_no_proxy(transport: HttpTransport, answer: bytes) -> None:
    with TunnelProxy({}, answer) as proxy:
        kind, detail = refused(one(transport, invocation("https://crm.example/"), through(proxy.port)))
    assert kind is ErrorKind.RESET
    assert detail.startswith(f"https://crm.example:443 (through the proxy http://127.0.0.1:{proxy.port}) answered with")


def test_the_name_of_a_proxy_that_does_not_exist(transport: HttpTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert refused(one(transport, invocation("http://crm.example/"), through(3128, host="proxy.example"))) == (
        ErrorKind.CONNECT,
        "The name in http://proxy.example:3128 does not exist or has no address; check its spelling.",
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "::1", "::ffff:127.0.0.1"])
def test_the_guard_judges_the_address_of_the_proxy(proxy: Receiver, host: str) -> None:
    with running(HttpTransport()) as closed:
        kind, detail = refused(one(closed, invocation("http://crm.example/"), through(proxy.port, host=host)))
    assert kind is ErrorKind.BLOCKED
    assert detail.startswith("The proxy http://")
    assert "which is not a public address, and was not contacted; --allow" in detail
    assert proxy.connections == 0


def test_the_guard_judges_what_the_name_of_the_proxy_resolves_to(
    proxy: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(_: str, port: int, **__: object) -> list[tuple[object, ...]]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.1", "169.254.169.254")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    with running(HttpTransport(allow=[ip_network("0.0.0.0/0")])) as open_:
        found = refused(one(open_, invocation("http://crm.example/"), through(proxy.port, host="proxy.example")))
    assert found == (
        ErrorKind.BLOCKED,
        f"The proxy http://proxy.example:{proxy.port} is at 169.254.169.254, a cloud metadata address, and was not"
        " contacted; only --allow 169.254.169.254/32 opens it.",
    )
    assert proxy.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/", "https://10.0.0.1/", "http://0xa9fea9fe/", "http://[::ffff:10.0.0.1]/", "https://[fd00::1]/",
        "http://[64:ff9b::a9fe:a9fe]/", "http://localhost/", "https://localhost/", "http://a.LOCALHOST./",
        "http://redis/", "https://db.internal/", "http://metadata.google.internal/", "http://metadata.goog/",
    ],
)  # fmt: skip
def test_a_proxy_is_not_asked_for_what_is_private(transport: HttpTransport, proxy: Receiver, url: str) -> None:
    assert refused(one(transport, invocation(url), through(proxy.port)))[0] is ErrorKind.BLOCKED
    assert proxy.connections == 0


def test_the_sentence_about_a_private_name(transport: HttpTransport, proxy: Receiver) -> None:
    assert refused(one(transport, invocation("http://db.internal/s3cret"), through(proxy.port))) == (
        ErrorKind.BLOCKED,
        "http://db.internal:80 has a name of a private network, which no proxy is asked for, and was not contacted;"
        " write its address, which --allow can open, or leave the proxy out.",
    )


def test_an_allowed_address_passes(transport: HttpTransport, proxy: Receiver) -> None:
    assert one(transport, invocation("http://127.0.0.9/"), through(proxy.port)).response is not None


@pytest.mark.parametrize(
    ("name", "private"),
    [
        ("localhost", True),
        ("db", True),
        ("crm.cluster.local", True),
        ("crm.default.svc", True),
        ("x.home.arpa.", True),
        ("metadata.tencentyun.com", True),
        ("localhost.example.com", False),
        ("internal.example.com", False),
        ("xlocal.com", False),
        ("crm.example", False),
        ("1e100.net", False),
    ],
)
def test_names_of_private_networks(name: str, private: bool) -> None:
    assert is_private_name(name) is private

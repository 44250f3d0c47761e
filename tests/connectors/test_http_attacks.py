"""Servers that do harm, by malice or mistake: each costs its destination one attempt, and nobody else anything."""

import contextlib
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_network

import pytest

from connectors.http import HttpTransport
from connectors.http_client import BODY_LIMIT
from delivery.retry import decide
from records import Attempt, ErrorKind, Policy, Verdict
from tests.connectors.sending import collected, invocation, one, running
from tests.raw_server import Handler, RawServer, answering, endless, request_of
from tests.receiver import Answer, Break, Receiver

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
QUICK = Policy(timeout_s=0.5, connect_timeout_s=0.4)
MEND = "; the server, or what stands before it, has to be mended."


def attacked(transport: HttpTransport, handler: Handler, policy: Policy = QUICK, body: bytes = b"{}") -> Attempt:
    """How a request ends; its slot must be free then."""
    with RawServer(handler) as server:
        attempt = one(transport, invocation(server.url + "/?key=s3cret", body=body), policy)
        assert "s3cret" not in attempt.detail
        assert transport.in_flight("crm") == 0
        return Attempt(
            attempt.invocation,
            attempt.started_at,
            attempt.duration_ms,
            attempt.response,
            attempt.error,
            attempt.detail.replace(server.url, "URL"),
            attempt.reused,
        )


@cache
def bomb() -> bytes:
    """A gigabyte of zeros in a megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(1024)) + packer.flush()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_nothing_is_decompressed(transport: HttpTransport, encoding: str) -> None:
    packed = bomb() if encoding == "gzip" else bytes(range(256)) * 8192
    head = OK + f"Content-Encoding: {encoding}\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    attempt = attacked(transport, answering(head, packed))
    assert attempt.response is not None
    assert (attempt.response.body, attempt.response.truncated) == (packed[:BODY_LIMIT], True)
    assert attempt.duration_ms < 300


def test_nothing_is_decompressed_by_the_transfer_either(transport: HttpTransport) -> None:
    packed = bomb()
    head = OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n%x\r\n" % len(packed)
    attempt = attacked(transport, answering(head, packed, b"\r\n0\r\n\r\n"))
    assert attempt.response is not None
    assert attempt.response.body == packed[:BODY_LIMIT]


@pytest.mark.parametrize(
    "handler",
    [
        endless(OK + b"Content-Length: 1073741824\r\n\r\n", bytes(65536)),
        endless(OK + b"\r\n", bytes(65536)),
        endless(CHUNKED, b"10000\r\n" + bytes(65536) + b"\r\n"),
        endless(CHUNKED, b"1\r\n\0\r\n" * 10_000),
    ],
    ids=["length", "until-close", "chunks", "chunks-of-one-byte"],
)
def test_a_body_without_end_is_cut(transport: HttpTransport, handler: Handler) -> None:
    attempt = attacked(transport, handler, Policy(timeout_s=5))
    assert attempt.response is not None
    assert (attempt.response.body, attempt.response.truncated) == (bytes(BODY_LIMIT), True)


LONG = "URL answered with headers that are too long (at most 128 lines of 8 KB are read)."
NO_CONTENT = f"URL sends bytes without end that are no content{MEND}"
INFORMATIONAL = f"URL sends informational responses (1xx) without end, more than 100{MEND}"
NOT_HTTP = "URL answered with something that is not HTTP/1.1; check that the port is right."


@pytest.mark.parametrize(
    ("first", "again", "detail"),
    [
        (OK, b"X-A: a\r\n" * 1000, LONG),
        (OK + b"X-A: ", b"a" * 65536, LONG),
        (OK, b"a" * 65536, LONG),
        (b"HTTP/1.1 200 ", b"a" * 65536, LONG),
        (CHUNKED + b"0\r\n", b"X-A: b\r\n" * 8192, LONG),
        (b"", b"a" * 65536, NOT_HTTP),
        (b"", b"\r\n" * 32768, NO_CONTENT),
        (CHUNKED, b"0" * 65536, NO_CONTENT),
        (CHUNKED + b"3;", b"a" * 65536, NO_CONTENT),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000, INFORMATIONAL),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2000, INFORMATIONAL),
        (b"", b"HTTP/1.1 102 \r\n\r\n", INFORMATIONAL),
    ],
)
def test_what_has_no_end_ends(transport: HttpTransport, first: bytes, again: bytes, detail: str) -> None:
    attempt = attacked(transport, endless(first, again), Policy(timeout_s=5))
    assert (attempt.error, attempt.detail) == (ErrorKind.RESET, detail)
    assert attempt.duration_ms < 1000


@pytest.mark.parametrize(
    "handler",
    [
        endless(OK, b"X: a\r\n", 0.05),
        endless(OK + b"Content-Length: 1000\r\n\r\n", b"x", 0.05),
        endless(CHUNKED, b"1\r\nx\r\n", 0.05),
        endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n", 0.05),
        endless(OK + b"Content-Length: 100\r\n\r\nfewer", b"", 0.05),
    ],
    ids=["headers", "body", "chunks", "informational", "too-few-bytes"],
)
def test_what_drips_is_ended_in_time(transport: HttpTransport, handler: Handler) -> None:
    attempt = attacked(transport, handler)
    assert attempt.error is ErrorKind.TIMEOUT
    assert 450 < attempt.duration_ms < 800


def test_a_byte_at_a_time_is_ended_in_time(transport: HttpTransport) -> None:
    with Receiver(default=Answer(drip_headers_s=0.05)) as receiver:
        attempt = one(transport, invocation(receiver.url), QUICK)
    assert attempt.error is ErrorKind.TIMEOUT
    assert 450 < attempt.duration_ms < 800


def breaks(what: str) -> str:
    return f"URL answers with what breaks HTTP/1.1 ({what}){MEND}"


MORE = f"URL sends more bytes than its headers announce{MEND}"
MIDDLE = "URL broke the connection in the middle of its response."
SIZE = "Invalid character in chunk size"


@pytest.mark.parametrize(
    ("parts", "detail"),
    [
        ((OK + b"Content-Length: 3\r\n\r\nabcdef",), MORE),
        ((b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",), MORE),
        ((OK + b"Content-Length: 30\r\n\r\nabcdef",), MIDDLE),
        ((OK + b"Content-Length: -1\r\n\r\nabcdef",), breaks("Invalid character in Content-Length")),
        ((OK + b"Content-Length: 3\r\nContent-Length: 6\r\n\r\nabcdef",), breaks("Duplicate Content-Length")),
        ((OK + b"Content-Length: 99999999999999999999999\r\n\r\n",), breaks("Content-Length overflow")),
        ((OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",),
         breaks("Transfer-Encoding can't be present with Content-Length")),
        ((CHUNKED + b"zz\r\nabc\r\n",), breaks(SIZE)),
        ((CHUNKED + b"3\r\nabc\r\n", b"zz\r\nabc\r\n"), breaks(SIZE)),
        ((CHUNKED + b"3\r\nabc\r\n", b"-1\r\nabc\r\n"), breaks(SIZE)),
        ((CHUNKED + b"fffffffffffffffffff\r\nabc",), breaks("Chunk size overflow")),
        ((CHUNKED + b"7fffffffffffffff\r\nabc",), MIDDLE),
        ((CHUNKED + b"3\r\nabc\r\n", b"0\r\n" + b"X-A: b\r\n" * 8192), LONG),
        ((CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n",), breaks("Expected LF after chunk data")),
        ((OK + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",), breaks("Invalid HTTP header")),
        ((b"HTTP/1.1 99 No\r\nContent-Length: 0\r\n\r\n",), NOT_HTTP),
        ((b"\0\0\x12\4\0\0\0\0\0",), NOT_HTTP),
    ],
)  # fmt: skip
def test_what_breaks_the_rules_is_said_to(transport: HttpTransport, parts: tuple[bytes, ...], detail: str) -> None:
    attempt = attacked(transport, answering(*parts, pause_s=0.03))
    assert (attempt.error, attempt.detail) == (ErrorKind.RESET, detail)
    assert attempt.duration_ms < 400


def test_a_reset_in_the_middle_of_a_body(transport: HttpTransport) -> None:
    def handle(client: socket.socket) -> None:
        request_of(client)
        client.sendall(OK + b"Content-Length: 100000\r\n\r\n" + bytes(5000))
        time.sleep(0.05)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    attempt = attacked(transport, handle)
    assert (attempt.error, attempt.detail) == (ErrorKind.RESET, MIDDLE)


def test_an_answer_before_the_body_has_been_read(transport: HttpTransport) -> None:
    stop = threading.Event()

    def handle(client: socket.socket) -> None:
        request_of(client)
        client.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
        stop.wait(5)

    with RawServer(handle) as server:
        for number in range(2):
            attempt = one(transport, invocation(server.url, number, body=bytes(50_000_000)), Policy(timeout_s=5))
            assert attempt.response is not None
            assert (attempt.response.status, attempt.response.body) == (413, b"no")
        # What is left of a body must not be taken for the next request.
        assert server.connections == 2
        stop.set()


def test_a_protocol_that_nobody_asked_for(transport: HttpTransport) -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    attempt = attacked(transport, endless(switch, bytes(65536)))
    assert attempt.response is not None
    assert (attempt.response.status, attempt.response.body) == (101, b"")


def test_what_comes_unasked_answers_no_request(transport: HttpTransport) -> None:
    def handle(client: socket.socket) -> None:
        request_of(client)
        client.sendall(OK + b"Content-Length: 5\r\n\r\nasked")
        time.sleep(0.05)
        client.sendall(OK + b"Content-Length: 7\r\n\r\nunasked")
        time.sleep(2)

    with RawServer(handle) as server:
        for number in range(3):
            attempt = one(transport, invocation(server.url, number))
            assert attempt.response is not None
            assert (attempt.response.body, attempt.reused) == (b"asked", False)
            time.sleep(0.1)
        assert server.connections == 3


@pytest.mark.parametrize("reset", [None, Break.BEFORE_STATUS])
@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
def test_a_kept_connection_that_is_gone_is_worth_one_retry_at_once(
    transport: HttpTransport, method: str, reset: Break | None
) -> None:
    with Receiver() as receiver:
        receiver.on("/", Answer(), Answer(reset=reset, raw=b"" if reset is None else None), Answer())
        first, second = (one(transport, invocation(receiver.url + "/", n, method)) for n in range(2))
        assert first.response is not None
        decision = decide(second, 0, Policy(), 1000.0, 0.5)
        assert (decision.verdict, decision.instant, decision.retry_at) == (Verdict.RETRYING, True, 1000.0)
        again = decide(second, 0, Policy(), 1000.0, 0.5, instant_made=True)
        assert (again.instant, again.retry_at) == (False, 1001.0)
        assert one(transport, invocation(receiver.url + "/", 2, method)).response is not None


def test_an_answer_that_breaks_off_was_one(transport: HttpTransport) -> None:
    with Receiver() as receiver:
        receiver.on("/", Answer(), Answer(body=b"x" * 100, reset=Break.MID_BODY))
        one(transport, invocation(receiver.url + "/"))
        attempt = one(transport, invocation(receiver.url + "/"))
    assert attempt.error is ErrorKind.RESET
    assert not decide(attempt, 0, Policy(), 1000.0, 0.5).instant


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["http://169.254.169.254/latest/", "http://127.0.0.1:PORT/there", "//10.0.0.1/"])
def test_redirects_are_answers(transport: HttpTransport, status: int, location: str) -> None:
    with Receiver() as receiver:
        to = location.replace("PORT", str(receiver.port))
        receiver.on("/here", Answer(status, headers=[("Location", to)]))
        attempt = one(transport, invocation(receiver.url + "/here"))
        assert attempt.response is not None
        assert (attempt.response.status, attempt.response.headers["location"]) == (status, to)
        assert [request.path for request in receiver.requests] == ["/here"]


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
        (CHUNKED, b"0" * 65536),
        (b"", b"\r\n" * 32768),
        (OK + b"\r\n", bytes(65536)),
        (b"", (OK + b"Content-Length: 0\r\n\r\n") * 2000),
    ],
    ids=["informational", "chunk-size", "newlines", "body", "responses"],
)
def test_the_others_notice_nothing(transport: HttpTransport, first: bytes, again: bytes) -> None:
    with RawServer(endless(first, again)) as server, Receiver() as receiver:
        sick = Policy(concurrency=8, timeout_s=5)
        transport.submit("sick", sick, [invocation(server.url, number) for number in range(100)])
        took = [one(transport, invocation(receiver.url, number)).duration_ms for number in range(20)]
        collected(transport, 100, "sick", within_s=30)
    assert sorted(took)[10] < 100
    assert max(took) < 400


def test_a_name_that_changes_its_mind_is_connected_to_where_it_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the first answer is open, every later one is not."""
    lookups: list[str] = []

    def answers(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        lookups.append(host)
        address = "127.0.0.1" if len(lookups) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with (
        Receiver() as receiver,
        _shut("127.0.0.2", receiver.port),
        running(HttpTransport(allow=[ip_network("127.0.0.1/32")])) as transport,
    ):
        monkeypatch.setattr(socket, "getaddrinfo", answers)
        for number in range(3):
            assert one(transport, invocation(f"http://rebind.example:{receiver.port}/", number)).response is not None
        assert lookups == ["rebind.example"]
        assert len(receiver.requests) == 3


@contextlib.contextmanager
def _shut(address: str, port: int) -> Iterator[None]:
    """Whoever connects there fails the test."""
    with contextlib.suppress(OSError), socket.create_server((address, port)) as server:
        server.setblocking(False)
        yield
        with pytest.raises(BlockingIOError):
            server.accept()
        return
    yield  # the system has no such loopback address


@pytest.mark.parametrize(
    "addresses",
    [
        ["8.8.8.8", "10.0.0.1"],
        ["10.0.0.1", "8.8.8.8"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a00:1"],
        ["2002:a00:1::1"],
        ["8.8.8.8", "169.254.169.254"],
        ["fd00:ec2::254"],
        ["100.100.100.200"],
        ["2606:4700::1111", "fe80::1"],
        ["0.0.0.0"],
    ],
)
def test_one_private_address_in_the_answer_is_enough(
    transport: HttpTransport, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    def answers(_: str, port: int, **__: object) -> list[tuple[object, ...]]:
        kinds = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
        return [(kind, socket.SOCK_STREAM, 6, "", (a, port)) for kind, a in zip(kinds, addresses, strict=True)]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    assert one(transport, invocation("http://crm.example/")).error is ErrorKind.BLOCKED


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "0xA9FEA9FE", "2852039166"])
def test_a_broad_allow_entry_opens_no_metadata(host: str) -> None:
    with running(HttpTransport(allow=[ip_network("0.0.0.0/0"), ip_network("::/0")])) as open_:
        attempt = one(open_, invocation(f"http://{host}/latest/meta-data/"))
    assert attempt.error is ErrorKind.BLOCKED
    assert "a cloud metadata address" in attempt.detail

"""The HTTP transport against a receiver that behaves well or badly, over real sockets."""

import logging
import socket
import threading
import time
from collections.abc import Callable
from ipaddress import ip_network

import pytest

from connectors.http import HttpTransport
from connectors.http_request import Preparer
from records import Attempt, ErrorKind, Invocation, Policy, Request
from tests.receiver import Answer, Break, Receiver

LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
QUICK = Policy(timeout_s=0.3, connect_timeout_s=0.2)


def invocation(
    url: str, number: int = 0, method: str = "POST", headers: dict[str, str] | None = None, body: bytes = b"{}"
) -> Invocation:
    request = Request(method, url, headers or {}, body)
    return Invocation(f"msg_{number}", "crm", "file:x", 0, number, 0, "uuid", "event", "someone", request)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "waited for 10 s in vain"
        time.sleep(0.005)


def collected(transport: HttpTransport, count: int, destination: str = "crm") -> list[Attempt]:
    attempts: list[Attempt] = []

    def enough() -> bool:
        attempts.extend(transport.collect(destination))
        return len(attempts) >= count

    until(enough)
    assert len(attempts) == count
    return attempts


def one(transport: HttpTransport, sent: Invocation, policy: Policy | None = None) -> Attempt:
    transport.submit("crm", policy or Policy(), [sent])
    [attempt] = collected(transport, 1)
    assert attempt.invocation is sent
    return attempt


def test_a_request_arrives_exactly_as_rendered(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.on("/a%2Fb", Answer(201, b"made", [("X-One", "1"), ("X-ONE", "2"), ("Set-Cookie", "a=b")]))
    sent = invocation(receiver.url + "/a%2Fb?x=%20+", headers={"Content-Type": "text/plain", "X-Plan": "grüße"})
    attempt = one(transport, sent)
    assert attempt.error is None
    assert attempt.response is not None
    assert (attempt.response.status, attempt.response.body, attempt.response.truncated) == (201, b"made", False)
    assert attempt.response.headers == {"content-length": "4", "x-one": "1, 2", "set-cookie": "a=b"}
    assert abs(attempt.started_at - time.time()) < 60
    assert attempt.duration_ms > 0
    [request] = receiver.requests
    assert (request.method, request.target, request.body) == ("POST", "/a%2Fb?x=%20+", b"{}")
    assert request.headers == [
        ("Host", f"127.0.0.1:{receiver.port}"),
        ("Content-Type", "text/plain"),
        ("X-Plan", "grüße".encode().decode("latin-1")),
        ("user-agent", "offramp/test"),
        ("accept", "*/*"),
        ("accept-encoding", "identity"),
        ("webhook-id", "msg_0"),
        ("Content-Length", "2"),
    ]


def test_a_replayed_request_says_so_under_its_first_id(transport: HttpTransport, receiver: Receiver) -> None:
    again = invocation(receiver.url)
    again.replayed = True
    for sent in (invocation(receiver.url), again):
        one(transport, sent)
    assert [(r.header("webhook-id"), r.header("offramp-replayed")) for r in receiver.requests] == [
        ("msg_0", None),
        ("msg_0", "true"),
    ]


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", b"", None),
        ("HEAD", b"", None),
        ("GET", b"x", "1"),
        ("POST", b"", "0"),
        ("PUT", b"\0\xff", "2"),
        ("DELETE", b"{}", "2"),
        ("PATCH", b"{}", "2"),
        ("purge", b"{}", "2"),
        ("POST", b"x" * 3_000_000, "3000000"),
    ],
)
def test_any_method_and_body(
    transport: HttpTransport, receiver: Receiver, method: str, body: bytes, length: str | None
) -> None:
    attempt = one(transport, invocation(receiver.url, method=method, body=body))
    assert attempt.response is not None
    [request] = receiver.requests
    assert (request.method, request.body, request.header("content-length")) == (method.upper(), body, length)
    assert request.header("content-type") is None


def test_redirects_are_answers_and_cookies_are_forgotten(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.on("/here", Answer(302, headers=[("Location", receiver.url + "/there"), ("Set-Cookie", "a=b")]))
    for _ in range(2):
        attempt = one(transport, invocation(receiver.url + "/here"))
        assert attempt.response is not None
        assert (attempt.response.status, attempt.response.headers["location"]) == (302, receiver.url + "/there")
    assert [(request.path, request.header("cookie")) for request in receiver.requests] == [("/here", None)] * 2


def test_proxy_variables_are_not_read(
    transport: HttpTransport, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert one(transport, invocation(receiver.url)).response is not None


def test_a_user_in_the_url_becomes_an_authorization(transport: HttpTransport, receiver: Receiver) -> None:
    assert one(transport, invocation(f"http://me:pw@127.0.0.1:{receiver.port}/")).response is not None
    assert receiver.requests[0].header("authorization") == "Basic bWU6cHc="


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("size", "kept", "truncated"),
    [(270_336, 270_336, False), (270_337, 270_336, True), (1 << 30, 270_336, True)],
)
def test_a_body_is_read_up_to_the_limit(
    transport: HttpTransport, receiver: Receiver, size: int, kept: int, truncated: bool, chunked: bool
) -> None:
    receiver.default = Answer(size=size, chunked=chunked)
    response = one(transport, invocation(receiver.url)).response
    assert response is not None
    assert (len(response.body), response.truncated) == (kept, truncated)


def test_a_compressed_body_stays_as_it_is(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.default = Answer(body=b"not even gzip", headers=[("Content-Encoding", "gzip")])
    response = one(transport, invocation(receiver.url)).response
    assert response is not None
    assert response.body == b"not even gzip"


def test_connections_are_kept_and_a_break_on_one_is_told(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.default = Answer()
    receiver.on("/", Answer(), Answer(reset=Break.BEFORE_STATUS), Answer())
    first = one(transport, invocation(receiver.url + "/", method="GET", body=b""))
    second = one(transport, invocation(receiver.url + "/", method="GET", body=b""))
    third = one(transport, invocation(receiver.url + "/", method="GET", body=b""))
    assert [(attempt.error, attempt.reused) for attempt in (first, second, third)] == [
        (None, False),
        (ErrorKind.RESET, True),
        (None, False),
    ]
    assert [request.connection for request in receiver.requests] == [1, 1, 2]


@pytest.mark.parametrize("size", [0, 2, 5_000, 200_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_one_connection_serves_one_request_after_the_other(
    transport: HttpTransport, receiver: Receiver, size: int, chunked: bool
) -> None:
    receiver.default = Answer(body=b"x" * size, chunked=chunked)
    for number in range(5):
        response = one(transport, invocation(receiver.url, number)).response
        assert response is not None
        assert len(response.body) == size
    assert receiver.connections == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_nothing_is_repeated(transport: HttpTransport, receiver: Receiver, method: str) -> None:
    receiver.on("/", Answer(), Answer(reset=Break.BEFORE_STATUS))
    one(transport, invocation(receiver.url + "/", method=method))
    assert one(transport, invocation(receiver.url + "/", method=method)).error is ErrorKind.RESET
    assert len(receiver.requests) == 2


ORIGIN = "http://127.0.0.1:PORT"
CUT = f"{ORIGIN} broke the connection in the middle of its response."
LATE = (
    f"{ORIGIN} did not answer completely within 0.3 s;"
    " make it answer faster, or let it answer first and work afterwards."
)
NOT_HTTP = f"{ORIGIN} answered with something that is not HTTP/1.1; check that the port is right."
LONG = f"{ORIGIN} answered with headers that are too long (at most 128 lines of 8 KB are read)."


@pytest.mark.parametrize(
    ("answer", "kind", "detail"),
    [
        (Answer(hang=True), ErrorKind.TIMEOUT, LATE),
        (Answer(delay_s=5), ErrorKind.TIMEOUT, LATE),
        (Answer(body=b"x" * 100, drip_s=0.05), ErrorKind.TIMEOUT, LATE),
        (Answer(body=b"x" * 100, drip_s=0.05, chunked=True), ErrorKind.TIMEOUT, LATE),
        (Answer(drip_headers_s=0.05), ErrorKind.TIMEOUT, LATE),
        (
            Answer(reset=Break.BEFORE_STATUS),
            ErrorKind.RESET,
            f"{ORIGIN} reset the connection before its response was complete.",
        ),
        (Answer(body=b"x" * 10, reset=Break.BEFORE_BODY), ErrorKind.RESET, CUT),
        (Answer(body=b"x" * 10, reset=Break.MID_BODY), ErrorKind.RESET, CUT),
        (Answer(body=b"x" * 10, reset=Break.MID_BODY, chunked=True), ErrorKind.RESET, CUT),
        (Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), ErrorKind.RESET, CUT),
        (Answer(raw=b""), ErrorKind.RESET, f"{ORIGIN} closed the connection without a response."),
        (Answer(raw=b"SSH-2.0-OpenSSH_9\r\n"), ErrorKind.RESET, NOT_HTTP),
        (Answer(raw=b"HTTP/1.1 abc\r\n\r\n"), ErrorKind.RESET, NOT_HTTP),
        (Answer(headers=[("X-Big", "a" * 100_000)]), ErrorKind.RESET, LONG),
        (Answer(headers=[(f"X-{number}", "a") for number in range(300)]), ErrorKind.RESET, LONG),
    ],
    ids=lambda value: value.name if isinstance(value, ErrorKind) else "",
)
def test_what_goes_wrong_at_the_endpoint(
    transport: HttpTransport, receiver: Receiver, answer: Answer, kind: ErrorKind, detail: str
) -> None:
    receiver.on("/path", answer)
    sent = invocation(receiver.url + "/path?key=secret", headers={"Authorization": "secret"}, body=b"secret")
    attempt = one(transport, sent, QUICK)
    assert (attempt.error, attempt.detail) == (kind, detail.replace("PORT", str(receiver.port)))
    assert attempt.response is None
    assert one(transport, invocation(receiver.url + "/well")).response is not None


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_what_goes_wrong_on_the_way(transport: HttpTransport) -> None:
    port = closed_port()
    refused = one(transport, invocation(f"http://127.0.0.1:{port}/?key=secret"))
    assert (refused.error, refused.reused) == (ErrorKind.CONNECT, False)
    assert refused.detail == (
        f"http://127.0.0.1:{port} refused the connection; check that the service runs and that the port is right."
    )
    invalid = one(transport, invocation("nowhere"))
    assert (invalid.error, invalid.detail) == (
        ErrorKind.INVALID,
        "The URL does not start with http:// or https://; write it with its scheme.",
    )


def test_a_name_that_does_not_exist(transport: HttpTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    attempt = one(transport, invocation("http://nowhere.example/?key=secret"))
    assert (attempt.error, attempt.detail) == (
        ErrorKind.CONNECT,
        "The name in http://nowhere.example:80 does not exist or has no address; check its spelling.",
    )


def test_a_connection_that_is_never_accepted(transport: HttpTransport) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        # The kernel answers no further connection attempt once the backlog is full.
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        attempt = one(transport, invocation(f"http://127.0.0.1:{port}/"), Policy(connect_timeout_s=0.2))
        for filler in fillers:
            filler.close()
    assert (attempt.error, attempt.detail) == (
        ErrorKind.CONNECT,
        f"http://127.0.0.1:{port} could not be connected to within 0.2 s; check the host, the port and the firewalls on"
        " the way.",
    )


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Names resolve to these addresses."""

    def answers(_: str, port: int, **__: object) -> list[tuple[object, ...]]:
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", answers)


def test_a_name_is_judged_by_the_addresses_it_resolves_to(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = HttpTransport(allow=[ip_network("127.0.0.1/32")])
    strict.start()
    resolving(monkeypatch, "127.0.0.1")
    assert one(strict, invocation(f"http://open.example:{receiver.port}/")).response is not None
    assert receiver.requests[0].header("host") == f"open.example:{receiver.port}"
    resolving(monkeypatch, "127.0.0.1", "127.0.0.2")
    attempt = one(strict, invocation(f"http://one-bad-address.example:{receiver.port}/?key=secret"))
    strict.close()
    assert (attempt.error, attempt.detail) == (
        ErrorKind.BLOCKED,
        f"http://one-bad-address.example:{receiver.port} is at 127.0.0.2, which is not a public address, and was not"
        " contacted; --allow 127.0.0.2/32 opens it.",
    )
    assert len(receiver.requests) == 1


def test_metadata_behind_a_name_stays_closed(transport: HttpTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "::ffff:169.254.169.254")
    assert one(transport, invocation("http://metadata.example/")).error is ErrorKind.BLOCKED


def test_without_an_allow_list_loopback_is_closed(receiver: Receiver) -> None:
    closed = HttpTransport()
    closed.start()
    assert one(closed, invocation(receiver.url)).error is ErrorKind.BLOCKED
    assert one(closed, invocation(f"http://localhost:{receiver.port}/")).error is ErrorKind.BLOCKED
    closed.close()
    assert receiver.connections == 0


def test_plain_http_where_tls_is_expected(transport: HttpTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def greet() -> None:
            connection, _ = server.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.recv(10_000)
            connection.close()

        thread = threading.Thread(target=greet)
        thread.start()
        attempt = one(transport, invocation(f"https://127.0.0.1:{port}/"))
        thread.join()
    assert (attempt.error, attempt.detail) == (
        ErrorKind.CONNECT,
        f"https://127.0.0.1:{port} could not agree on TLS; check that this port speaks HTTPS and its TLS versions.",
    )


def test_a_destination_stays_within_its_concurrency(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.default = Answer(delay_s=0.01)
    transport.submit("crm", Policy(concurrency=3), [invocation(receiver.url + "/", number) for number in range(30)])
    attempts = collected(transport, 30)
    assert {attempt.invocation.id for attempt in attempts} == {f"msg_{number}" for number in range(30)}
    assert receiver.peak("/") == 3
    assert receiver.connections == 3


def test_hanging_destinations_do_not_stop_a_well_one(receiver: Receiver) -> None:
    transport = HttpTransport(allow=LOOPBACK, total=8)
    transport.start()
    receiver.on("/hang", Answer(hang=True))
    for name in ("sick1", "sick2", "sick3"):
        transport.submit(name, Policy(concurrency=8), [invocation(receiver.url + "/hang") for _ in range(20)])
    until(lambda: receiver.active("/hang") == 8)
    transport.submit("crm", Policy(), [invocation(receiver.url + "/well", number) for number in range(200)])
    collected(transport, 200)
    until(lambda: all(transport.in_flight(name) == 8 for name in ("sick1", "sick2", "sick3")))
    assert transport.collect("sick1") == []
    transport.close()


def test_what_is_not_taken_back_in_time_is_sent(
    transport: HttpTransport, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.http._CLOSE_S", 0.05)
    go_on = threading.Event()
    transport._command(go_on.wait)  # a loop that is late
    transport.submit("crm", Policy(), [invocation(receiver.url, number) for number in range(100)])
    assert transport.cancel_queued("crm") == []
    go_on.set()
    assert len(collected(transport, 100)) == 100


def test_what_is_queued_can_be_taken_back(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.default = Answer(hang=True)
    transport.submit("crm", Policy(concurrency=2), [invocation(receiver.url, number) for number in range(5)])
    receiver.wait(2)
    assert transport.cancel_queued("crm") == ["msg_2", "msg_3", "msg_4"]
    assert transport.in_flight("crm") == 2
    assert transport.cancel_queued("unknown") == []


def test_what_was_submitted_before_the_start_goes_out(receiver: Receiver) -> None:
    transport = HttpTransport(allow=LOOPBACK)
    transport.submit("crm", Policy(), [invocation(receiver.url, 1), invocation(receiver.url, 2)])
    transport.start()
    collected(transport, 2)
    transport.close()


def test_a_forgotten_destination_is_silent_and_may_come_back(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.on("/slow", Answer(delay_s=0.2))
    transport.submit("crm", Policy(concurrency=1), [invocation(receiver.url + "/slow", n) for n in range(3)])
    receiver.wait(1)
    transport.forget("crm")
    transport.submit("crm", Policy(concurrency=1), [invocation(receiver.url + "/new", 9)])
    assert [attempt.invocation.id for attempt in collected(transport, 1)] == ["msg_9"]
    until(lambda: receiver.active("/slow") == 0)
    assert len(receiver.of("/slow")) == 1
    assert transport.collect("crm") == []


def test_once_nothing_is_in_flight_every_attempt_is_there(transport: HttpTransport, receiver: Receiver) -> None:
    for number in range(50):
        transport.submit("crm", Policy(), [invocation(receiver.url, number)])
        receiver.wait(number + 1)
        until(lambda: transport.in_flight("crm") == 0)
        assert len(transport.collect("crm")) == 1


def test_an_unexpected_error_is_an_attempt_and_is_logged_once(
    transport: HttpTransport, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("holds a secret")

    with monkeypatch.context() as patch, caplog.at_level(logging.INFO):
        patch.setattr(Preparer, "prepare", broken)
        transport.submit("crm", Policy(concurrency=2), [invocation(receiver.url, number) for number in range(20)])
        attempts = collected(transport, 20)
    assert {(attempt.error, attempt.detail) for attempt in attempts} == {
        (ErrorKind.RESET, "The HTTP client failed unexpectedly (RuntimeError); see the log.")
    }
    assert len(caplog.records) == 1
    assert "secret" not in caplog.text
    assert one(transport, invocation(receiver.url)).response is not None


def test_close_cancels_what_is_out_and_may_be_called_again(receiver: Receiver) -> None:
    transport = HttpTransport(allow=LOOPBACK)
    transport.start()
    receiver.default = Answer(hang=True)
    transport.submit("crm", Policy(concurrency=2), [invocation(receiver.url, number) for number in range(5)])
    receiver.wait(2)
    transport.close()
    transport.close()
    transport.submit("crm", Policy(), [invocation(receiver.url, 9)])
    transport.forget("crm")
    assert transport.collect("crm") == []
    assert transport.cancel_queued("crm") == []
    until(lambda: sum(receiver.active(path) for path in ("", "/")) == 0)
    assert len(receiver.requests) == 2


def test_close_without_a_start() -> None:
    transport = HttpTransport()
    transport.close()
    assert transport.cancel_queued("crm") == []

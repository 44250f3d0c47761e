"""The receiver that other tests rely on, against the standard library's client."""

import http.client

import pytest

from tests.receiver import Answer, Receiver


def test_records_a_request_exactly_and_plays_its_script() -> None:
    with Receiver() as receiver:
        receiver.on("/a", Answer(503, b"no"), Answer(200, b"yes", [("X-A", "b")]))
        client = http.client.HTTPConnection("127.0.0.1", receiver.port)
        seen = []
        for _ in range(3):
            client.request("POST", "/a?b=%20", b'{"c":1}', {"X-Case": "Kept"})
            answer = client.getresponse()
            seen.append((answer.status, answer.read(), answer.getheader("x-a")))
        client.close()
        assert seen == [(503, b"no", None), (200, b"yes", "b"), (200, b"yes", "b")]
        request = receiver.wait(3, path="/a")[0]
        assert (request.method, request.target, request.path) == ("POST", "/a?b=%20", "/a")
        assert ("X-Case", "Kept") in request.headers
        assert (request.header("x-case"), request.header("x-none"), request.json()) == ("Kept", None, {"c": 1})
        assert (receiver.connections, receiver.peak("/a"), receiver.active("/a")) == (1, 1, 0)


def test_reads_chunked_bodies_and_closes_behind_the_nth_answer() -> None:
    with Receiver(default=Answer(body=b"whole", chunked=True), keep_alive=1) as receiver:
        for _ in range(2):
            client = http.client.HTTPConnection("127.0.0.1", receiver.port)
            client.request("PUT", "/", iter([b"ab", b"c"]), encode_chunked=True)
            assert client.getresponse().read() == b"whole"
            assert client.sock.recv(1) == b""
            client.close()
        assert [(request.body, request.connection) for request in receiver.wait(2)] == [(b"abc", 1), (b"abc", 2)]


def test_says_how_many_requests_came() -> None:
    with Receiver() as receiver, pytest.raises(AssertionError, match=r"^0 of 1 requests arrived within 0.01 s$"):
        receiver.wait(1, timeout=0.01)

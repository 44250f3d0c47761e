"""Compressed request bodies, as they arrive."""

import gzip

import pytest

from connectors.http import HttpTransport
from records import Policy
from tests.connectors.sending import collected, invocation, one
from tests.receiver import Receiver

GZIP = Policy(compress=True)
JSON = b'{"event":"$pageview","distinct_id":"ada"}'


@pytest.mark.parametrize("size", [1024, 1025, 32 * 1024, 32 * 1024 + 1, 3_000_000])
def test_a_body_of_a_kilobyte_or_more_is_compressed(transport: HttpTransport, receiver: Receiver, size: int) -> None:
    body = (JSON * (size // len(JSON) + 1))[:size]
    assert one(transport, invocation(receiver.url, body=body), GZIP).response is not None
    [request] = receiver.requests
    assert request.header("content-encoding") == "gzip"
    assert request.header("content-length") == str(len(request.body))
    assert len(request.body) < size
    assert gzip.decompress(request.body) == body


@pytest.mark.parametrize(
    ("headers", "body", "policy"),
    [
        ({}, b"x" * 1023, GZIP),
        ({}, b"", GZIP),
        ({}, b"x" * 5000, Policy()),
        ({"CONTENT-encoding": "br"}, b"x" * 5000, GZIP),
        ({"Content-Encoding": "identity"}, b"x" * 50_000, GZIP),
    ],
)
def test_a_body_goes_out_as_it_is(
    transport: HttpTransport, receiver: Receiver, headers: dict[str, str], body: bytes, policy: Policy
) -> None:
    assert one(transport, invocation(receiver.url, headers=headers, body=body), policy).response is not None
    [request] = receiver.requests
    encodings = [value for name, value in request.headers if name.lower() == "content-encoding"]
    assert (request.body, encodings) == (body, list(headers.values()))


def test_the_same_body_is_the_same_bytes_each_time(transport: HttpTransport, receiver: Receiver) -> None:
    one(transport, invocation(receiver.url, body=JSON * 100), GZIP)
    assert receiver.requests[0].body[4:8] == bytes(4)  # where gzip has the time it was made at


def test_large_bodies_do_not_hold_up_the_loop(transport: HttpTransport, receiver: Receiver) -> None:
    large = b"".join(b"%d," % number for number in range(1_200_000))  # 9 MB: most of a second in all
    transport.submit("large", GZIP, [invocation(receiver.url + "/large", n, body=large) for n in range(4)])
    worst = 0.0
    while not (ended := transport.collect("large")):
        worst = max(worst, one(transport, invocation(receiver.url + "/small")).duration_ms)
    collected(transport, 4 - len(ended), "large")
    assert worst < 150

"""What the tests of the HTTP transport share: an invocation, a transport that may reach loopback, its one answer."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network

from connectors.http import HttpTransport
from records import Attempt, Invocation, Policy, Request

LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]


def invocation(
    url: str, number: int = 0, method: str = "POST", headers: dict[str, str] | None = None, body: bytes = b"{}"
) -> Invocation:
    request = Request(method, url, headers or {}, body)
    return Invocation(f"msg_{number}", "crm", "file:x", 0, number, 0, "uuid", "event", "someone", request)


@contextmanager
def running(transport: HttpTransport | None = None) -> Iterator[HttpTransport]:
    """A started transport; by default one that may reach loopback."""
    started = transport or HttpTransport(allow=LOOPBACK, user_agent="offramp/test")
    started.start()
    try:
        yield started
    finally:
        started.close()


def collected(transport: HttpTransport, count: int, destination: str = "crm", within_s: float = 10) -> list[Attempt]:
    attempts: list[Attempt] = []
    end = time.monotonic() + within_s
    while len(attempts) < count:
        assert time.monotonic() < end, f"{len(attempts)} of {count} attempts ended within {within_s} s"
        time.sleep(0.005)
        attempts += transport.collect(destination)
    assert len(attempts) == count
    return attempts


def one(transport: HttpTransport, sent: Invocation, policy: Policy | None = None, destination: str = "crm") -> Attempt:
    transport.submit(destination, policy or Policy(), [sent])
    [attempt] = collected(transport, 1, destination)
    assert attempt.invocation is sent
    return attempt

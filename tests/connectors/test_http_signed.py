"""Requests of destinations that have a signing secret, checked as their receivers check them."""

import base64
import gzip
import hashlib
import hmac
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from connectors.http import HttpTransport
from records import Code, Invocation, Policy
from records.hidden import SigningKeys
from tests.connectors.sending import invocation, one
from tests.receiver import Answer, Received, Receiver

OLD, NEW = b"o" * 24, b"n" * 32
SIGNED = Policy(signing=SigningKeys((NEW,)), retries=3, backoff_s=0.01)


def signatures(request: Received) -> set[str]:
    [values] = [value for name, value in request.headers if name.lower() == "webhook-signature"]
    return set(values.split(" "))


def expected(request: Received, key: bytes) -> str:
    """Written from the specification, not with what is tested."""
    signed = f"{request.header('webhook-id')}.{request.header('webhook-timestamp')}.".encode() + request.body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_what_arrives_verifies(transport: HttpTransport, receiver: Receiver) -> None:
    assert one(transport, invocation(receiver.url, body=b'{"a": 1}'), SIGNED).response is not None
    [request] = receiver.requests
    assert request.header("webhook-id") == "msg_0"
    assert signatures(request) == {expected(request, NEW)}


def test_while_a_secret_is_replaced_both_sign(transport: HttpTransport, receiver: Receiver) -> None:
    one(transport, invocation(receiver.url), Policy(signing=SigningKeys((NEW, OLD))))
    [request] = receiver.requests
    assert signatures(request) == {expected(request, NEW), expected(request, OLD)}


def test_a_body_is_signed_as_it_goes_over_the_wire(transport: HttpTransport, receiver: Receiver) -> None:
    policy = Policy(signing=SigningKeys((NEW,)), compress=True)
    one(transport, invocation(receiver.url, body=b"x" * 100_000), policy)
    [request] = receiver.requests
    assert gzip.decompress(request.body) == b"x" * 100_000
    assert signatures(request) == {expected(request, NEW)}


def test_a_template_cannot_sign_instead(transport: HttpTransport, receiver: Receiver) -> None:
    headers = {"Webhook-Signature": "v1,theirs", "WEBHOOK-TIMESTAMP": "1", "Webhook-Id": "theirs", "X-Plan": "pro"}
    one(transport, invocation(receiver.url, headers=headers), SIGNED)
    [request] = receiver.requests
    names = [name.lower() for name, _ in request.headers if name.lower().startswith("webhook-")]
    assert sorted(names) == ["webhook-id", "webhook-signature", "webhook-timestamp"]
    assert signatures(request) == {expected(request, NEW)}
    assert request.header("x-plan") == "pro"


def test_each_attempt_is_signed_afresh(
    transport: HttpTransport, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for now in (1000.0, 2000.0):
        with monkeypatch.context() as patch:
            patch.setattr("connectors.http.time.time", partial(float, now))
            one(transport, invocation(receiver.url), SIGNED)
    first, second = receiver.requests
    assert [request.header("webhook-timestamp") for request in (first, second)] == ["1000", "2000"]
    assert first.header("webhook-id") == second.header("webhook-id")
    for request in (first, second):
        assert signatures(request) == {expected(request, NEW)}


def program(url: str, *options: dict[str, Any]) -> Invocation:
    """A program that fetches once with each of the options."""

    def evaluate(effects: Mapping[str, Any], _: object) -> None:
        for each in options:
            effects["fetch"](url, each)

    code = Code(evaluate, {"key": base64.b64encode(OLD).decode()}, {"properties": {}})
    return Invocation("msg_0", "crm", "file:x", 0, 0, 0, "uuid", "event", "someone", code)


def test_every_request_of_a_program_is_signed(transport: HttpTransport, receiver: Receiver) -> None:
    receiver.on("/", Answer(503), Answer())
    one(transport, program(receiver.url + "/", {"body": "a"}, {"body": "b"}), SIGNED)
    requests = receiver.requests
    assert [request.header("webhook-id") for request in requests] == ["msg_0", "msg_0", "msg_0_2"]
    for request in requests:
        assert signatures(request) == {expected(request, NEW)}


def test_a_fetch_that_signs_by_itself_does(transport: HttpTransport, receiver: Receiver) -> None:
    one(transport, program(receiver.url, {"standard_webhooks": {"secret_input": "key"}}), SIGNED)
    [request] = receiver.requests
    assert signatures(request) == {expected(request, OLD)}

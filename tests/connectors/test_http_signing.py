"""Signatures against the examples that their specifications publish."""

from ipaddress import ip_network
from typing import Any

import pytest

from connectors.http_guard import Guard
from connectors.http_request import Prepared, Preparer
from connectors.http_signing import aws_sigv4, secret_headers, signed_headers, standard_webhooks, webhook_signatures
from destinations.signing import key_of
from hog import Failure
from records import Request
from records.hidden import AwsKeys

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def prepared(url: str, method: str = "POST", body: bytes = b"", headers: dict[str, str] | None = None) -> Prepared:
    request = Request(method, url, headers or {}, body)
    made = Preparer(Guard([ip_network("0.0.0.0/0")]), "test").prepare("msg_p5jXN8AQM9LWM0D4loKWxJek", request)
    assert isinstance(made, Prepared), made
    return made


def test_the_example_of_the_standard_webhooks_libraries() -> None:
    # Source: the reference libraries of standard-webhooks, their common test, 2026-11.
    headers = standard_webhooks(prepared("https://a.example/", body=b'{"test": 2432232314}'), SECRET, 1614265330)
    assert headers == {
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_each_key_makes_a_signature_of_its_own() -> None:
    request = prepared("https://a.example/", body=b'{"test": 2432232314}')
    headers = webhook_signatures(request, (key_of(SECRET), key_of("a plain secret of some length")), 1614265330)
    published, other = headers["webhook-signature"].split(" ")
    assert published == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert other.startswith("v1,")


def test_the_example_of_the_aws_documentation() -> None:
    # Source: AWS General Reference, "Signature Version 4 signing process", the request ListUsers, 2026-11.
    url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"
    request = prepared(url, "GET", headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
    key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    headers = aws_sigv4(request, AwsKeys("iam", "us-east-1", "AKIDEXAMPLE", key), 1440938160)
    assert headers == {
        "x-amz-date": "20150830T123600Z",
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    }


def test_each_attempt_is_signed_at_its_own_time_with_the_keys_that_the_inputs_hold() -> None:
    options = {"standard_webhooks": {"secret_input": "key"}}
    inputs = {"key": SECRET}
    first, second = (signed_headers(prepared("https://a.example/"), options, inputs, now) for now in (1.0, 2.0))
    assert first.keys() == {"webhook-timestamp", "webhook-signature"}
    assert first["webhook-signature"] != second["webhook-signature"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"standard_webhooks": {}}, "'standard_webhooks' needs `secret_input`, the name of an input"),
        ({"standard_webhooks": {"secret_input": "gone"}}, "needs `secret_input`, the name of an input that holds text"),
        ({"standard_webhooks": {"secret_input": "short"}}, "the signing secret has 3 bytes; at least 24 are needed"),
        ({"standard_webhooks": {"secret_input": "junk"}}, "the signing secret is not base64"),
        ({"aws_sigv4": {"access_key_id_input": "key"}}, "needs `secret_access_key_input`"),
        (
            {"aws_sigv4": {"access_key_id_input": "key", "secret_access_key_input": "key"}},
            "needs `service` and `region`",
        ),
    ],
)
def test_nothing_is_sent_unsigned(options: dict[str, Any], problem: str) -> None:
    inputs = {"key": SECRET, "short": "YWJj", "junk": "!"}
    with pytest.raises(Failure, match=problem):
        signed_headers(prepared("https://a.example/"), options, inputs, 0)


def test_secret_headers_are_those_of_an_input() -> None:
    inputs = {"key": SECRET, "more": {"X-Key": "k", "X-Number": 5}}
    assert secret_headers({"secret_headers_input": "more"}, inputs) == {"X-Key": "k"}
    assert secret_headers({}, inputs) == {}
    with pytest.raises(Failure, match="names no input that is a dictionary"):
        secret_headers({"secret_headers_input": "key"}, inputs)


def test_the_query_and_the_body_are_covered() -> None:
    def signature(url: str, body: bytes) -> str:
        made = aws_sigv4(prepared(url, body=body), AwsKeys("kinesis", "eu-west-1", "A", "S", "T"), 0)
        assert made["x-amz-security-token"] == "T"
        return made["authorization"]

    urls = ("https://k.example/p?a=1&b=%20x", "https://k.example/p?a=1&b=%20y", "https://k.example/q?a=1&b=%20x")
    assert len({signature(url, body) for url in urls for body in (b"", b"x")}) == 6
    assert signature("https://k.example/?a=1&b=2", b"") == signature("https://k.example/?b=2&a=1", b"")

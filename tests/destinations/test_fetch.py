from typing import Any

import pytest

from destinations.fetch import read_call
from hog import Failure
from records import Request

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("options", "request_"),
    [
        (None, Request("POST", "u", JSON)),
        ({"body": {"a": 1}}, Request("POST", "u", JSON, b'{"a":1}')),
        ({"body": "text", "headers": {}}, Request("POST", "u", {}, b"text")),
        ({"method": "put", "headers": {"X": "y", "N": 5}, "body": [1]}, Request("PUT", "u", {"X": "y"}, b"[1]")),
        ({"method": "GET", "body": "left out"}, Request("GET", "u", JSON)),
    ],
)
def test_what_a_call_asks_for(options: Any, request_: Request) -> None:
    assert read_call("u", options).request == request_


def test_signing_options_are_kept_apart() -> None:
    fetch = read_call("u", {"standard_webhooks": {"secret_input": "key"}, "aws_sigv4": None})
    assert fetch.signing == {"standard_webhooks": {"secret_input": "key"}}


@pytest.mark.parametrize(
    ("url", "options", "problem"),
    [
        (5, None, "needs a URL"),
        ("u", "GET", "must be a dictionary"),
        ("u", {"method": 5}, "'method' of fetch must be text"),
        ("u", {"headers": "x"}, "'headers' of fetch must be a dictionary"),
    ],
)
def test_what_is_no_call(url: Any, options: Any, problem: str) -> None:
    with pytest.raises(Failure, match=problem):
        read_call(url, options)

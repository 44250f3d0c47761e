from typing import Any

import pytest

from connectors.fetch import fetched
from connectors.http_request import Refused
from records import ErrorKind, Response


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (Response(200, {"X-A": "b"}, b'{"a": [1]}'), {"status": 200, "headers": {"x-a": "b"}, "body": {"a": [1]}}),
        (Response(204, {}, b""), {"status": 204, "headers": {}, "body": ""}),
        (Response(500, {}, b"\xffno"), {"status": 500, "headers": {}, "body": "\ufffdno"}),
        (Refused(ErrorKind.TIMEOUT, "too late"), {"status": 500, "headers": {}, "body": "timeout: too late"}),
    ],
)
def test_what_a_program_gets(outcome: Response | Refused, answer: dict[str, Any]) -> None:
    assert fetched(outcome) == answer

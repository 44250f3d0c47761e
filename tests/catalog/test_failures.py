"""What the templates take of an answer: whether it failed, in whose words, and whether it may be tried again."""

from collections.abc import Callable
from typing import Any

import pytest

import catalog
from catalog.cases import read_cases
from cli.template_case import destination_of
from hog import json_text
from records import Refusal, Response

TEMPLATES = catalog.builtin()


def failure_of(slug: str) -> Callable[[Response], Refusal | None]:
    template = TEMPLATES[slug]
    failure = destination_of(template, read_cases(template.folder)[0]).policy.failure
    assert failure is not None
    return failure


PARTLY: list[tuple[str, Any, str, bool]] = [
    (
        "aws-firehose",
        {"FailedPutCount": 1, "RequestResponses": [{"RecordId": "1"}, {"ErrorCode": "Slow", "ErrorMessage": "down."}]},
        "Slow down.",
        True,
    ),
    ("aws-sqs", {"Successful": [{"Id": "1"}], "Failed": [{"Code": "Odd", "SenderFault": True}]}, "Odd", False),
    ("aws-sqs", {"Failed": [{"Code": "A", "SenderFault": True}, {"Code": "B", "SenderFault": False}]}, "A", True),
    (
        "aws-eventbridge",
        {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "MalformedDetail", "ErrorMessage": "m"}]},
        "MalformedDetail m",
        False,
    ),
    (
        "aws-eventbridge",
        {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "InternalFailure", "ErrorMessage": "m"}]},
        "InternalFailure m",
        True,
    ),
    ("tiktok-ads", {"code": 40002, "message": "m"}, "40002 m", False),
    ("tiktok-ads", {"code": 40100, "message": "m"}, "40100 m", True),
    ("tiktok-ads", {"code": 50000, "message": "m"}, "50000 m", True),
    ("pinterest-ads", {"events": [{"status": "processed"}, {"status": "failed", "error_message": "m"}]}, "m", False),
    ("snapchat-ads", {"status": "INVALID", "reason": "m"}, "m", False),
    ("linkedin-ads", {"elements": [{"status": 201}, {"status": 400, "error": {"message": "m"}}]}, "400 m", False),
    ("linkedin-ads", {"elements": [{"status": 201}, {"status": 503}]}, "503", True),
    (
        "microsoft-ads",
        {"error": {"message": "m", "details": [{"propertyName": "p", "errorMessage": "e"}]}},
        "m p: e",
        False,
    ),
]


@pytest.mark.parametrize(("slug", "body", "reason", "retry"), PARTLY)
def test_what_is_refused_within_a_good_answer_is_told(slug: str, body: Any, reason: str, retry: bool) -> None:
    assert failure_of(slug)(Response(200, {}, json_text.dumps(body))) == Refusal(reason, retry)


THROTTLED: list[tuple[str, int, Any]] = [
    ("aws-firehose", 400, {"__type": "ThrottlingException", "message": "m"}),
    ("aws-sqs", 400, {"__type": "com.amazonaws.sqs#RequestThrottled", "message": "m"}),
    ("aws-eventbridge", 400, {"__type": "ThrottlingException", "message": "m"}),
    ("meta-ads", 400, {"error": {"message": "m", "is_transient": True}}),
]


@pytest.mark.parametrize(("slug", "status", "body"), THROTTLED)
def test_what_passes_is_tried_again_whatever_its_status(slug: str, status: int, body: Any) -> None:
    told = failure_of(slug)(Response(status, {}, json_text.dumps(body)))
    assert told is not None
    assert told.retry


REQUESTED = [slug for slug, template in TEMPLATES.items() if template.spec.delivery.get("failure")]


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b"{}", b'{"a": "b"}', b"7"])
@pytest.mark.parametrize("slug", REQUESTED)
def test_an_answer_that_nobody_has_described_is_told_as_it_is(slug: str, body: bytes) -> None:
    told = failure_of(slug)(Response(500, {}, body))
    assert told is None or "cannot be told" not in told.reason
    assert body != b"no JSON" or (told is not None and "no JSON" in told.reason)

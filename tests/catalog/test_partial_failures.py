"""What vendors answer where they take only some of the events that share a request, and what becomes of these."""

from typing import Any

import pytest

import catalog
from catalog.cases import read_cases
from cli.template_case import destination_of
from delivery.retry import DELIVERED, Decision, decide
from hog import json_text
from records import Attempt, Invocation, Request, Response, Verdict

TEMPLATES = catalog.builtin()
INVOCATION = Invocation("id", "d", "kafka:t", 0, 0, 0, "u", "e", "x", Request("POST", "https://a.example/", {}))
HALVES, AGAIN = "in halves", "as they are"
TAKEN, LATER, FAILED = Verdict.DELIVERED, Verdict.RETRYING, Verdict.FAILED
PINS = {"events": [{"status": "processed"}, {"status": "failed", "error_message": "m"}, {"status": "processed"}]}
MALFORMED, TOO_MUCH = {"status": 400, "error": "odd"}, {"status": 429, "error": "many"}


def decided(slug: str, status: int, body: Any) -> Decision:
    """About three events in one request."""
    template = TEMPLATES[slug]
    policy = destination_of(template, next(case for case in read_cases(template.folder) if case.requests)).policy
    attempt = Attempt(INVOCATION, 0, 1, Response(status, {}, json_text.dumps(body)))
    return decide(attempt, 0, policy, 0, 0.5, events=3)


def rows(*reasons: str) -> dict[str, Any]:
    """What BigQuery says of rows."""
    errors = [{"index": n, "errors": [{"reason": each, "message": "no such field"}]} for n, each in enumerate(reasons)]
    return {"insertErrors": errors}


def told(*codes: str) -> list[dict[str, str]]:
    """What AWS says of each event; no code is good news."""
    return [{"ErrorCode": code, "ErrorMessage": "not so"} if code else {"RecordId": "1"} for code in codes]


def entries(*codes: str) -> dict[str, Any]:
    return {"FailedEntryCount": sum(map(bool, codes)), "Entries": told(*codes)}


def at(key: str, *places: Any, **more: Any) -> dict[str, Any]:
    """Errors that name the places of their events."""
    return {"errors": [{key: place, "message": "odd", "type": "odd", "field": "name", **more} for place in places]}


def records(code: str) -> list[Any]:
    """What Salesforce says of a record, and of one that it would have taken."""
    codes = ("ALL_OR_NONE_OPERATION_ROLLED_BACK", code)
    return [{"success": False, "errors": [{"statusCode": each, "message": "m"}]} for each in codes]


@pytest.mark.parametrize(
    ("slug", "status", "body", "why", "sent_again"),
    [
        ("axiom", 200, {"ingested": 2, "failed": 1, "failures": [{"error": "too many fields"}]}, "too many", HALVES),
        ("axiom", 200, {"ingested": 2, "failed": 1, "failures": []}, "no reason is told", HALVES),
        ("braze", 201, {"errors": ["'name' is missing"]}, "'name' is missing", HALVES),
        ("google-bigquery", 200, rows("stopped", "invalid", "stopped"), "invalid  no such field", HALVES),
        ("google-bigquery", 200, rows("stopped", "stopped", "stopped"), "stopped", HALVES),
        ("google-bigquery", 200, rows("stopped", "backendError", "stopped"), "backendError", AGAIN),
        ("grafana-loki", 400, "entry too far behind", "entry too far behind", HALVES),
        ("grafana-loki", 260, "ingestion blocked", "ingestion blocked", AGAIN),
        ("iterable-event", 200, {"failCount": 1, "failedUpdates": {"invalidEmails": ["a"]}}, "invalidEmails", HALVES),
        ("iterable-user", 200, {"failCount": 1, "failedUpdates": {"notFoundUserIds": ["a"]}}, "notFoundUser", HALVES),
        ("jitsu", 200, {"ok": False, "errors": ["Message ID: a: event error"]}, "Message ID: a: event error", HALVES),
        ("statsig", 202, {"success": False, "message": "no user"}, "no user", HALVES),
        ("segment", 400, {"success": False, "message": "too large"}, "too large", HALVES),
        ("segment", 401, "unauthorized", "unauthorized", ""),
        ("airtable", 422, {"error": {"type": "INVALID_VALUE_FOR_COLUMN"}}, "INVALID_VALUE_FOR_COLUMN", HALVES),
        ("aws-eventbridge", 400, {"__type": "ThrottlingException", "message": "m"}, "ThrottlingException m", AGAIN),
        ("aws-eventbridge", 400, {"__type": "ValidationException", "message": "m"}, "ValidationException m", HALVES),
        ("aws-firehose", 400, {"__type": "ResourceNotFoundException", "message": "m"}, "ResourceNotFound", HALVES),
        ("aws-kinesis", 400, {"__type": "ProvisionedThroughputExceededException"}, "Throughput", AGAIN),
        ("aws-kinesis", 400, {"__type": "ValidationException", "message": "m"}, "ValidationException m", HALVES),
        ("aws-sqs", 200, {"Failed": [{"Code": "Odd", "SenderFault": True}]}, "Odd", HALVES),
        ("aws-sqs", 200, {"Failed": [{"Code": "A", "SenderFault": True}, {"SenderFault": False}]}, "A", AGAIN),
        ("aws-sqs", 400, {"__type": "com.amazonaws.sqs#RequestThrottled", "message": "m"}, "Throttled m", AGAIN),
        ("aws-sqs", 400, {"__type": "com.amazonaws.sqs#BatchRequestTooLong", "message": "m"}, "TooLong m", HALVES),
        ("google-pubsub", 400, {"error": {"message": "m"}}, "m", HALVES),
        ("matomo", 200, {"status": "success", "tracked": 1, "invalid": 2}, "invalid requests: 2", HALVES),
        ("meta-ads", 400, {"error": {"message": "m", "is_transient": False}}, "m", HALVES),
        ("meta-ads", 400, {"error": {"message": "m", "is_transient": True}}, "m", AGAIN),
        ("microsoft-ads", 200, {"error": {"details": [{"propertyName": "p", "errorMessage": "e"}]}}, "p: e", HALVES),
        ("salesforce-create", 200, records("UNABLE_TO_LOCK_ROW"), "UNABLE_TO_LOCK_ROW m", AGAIN),
        ("salesforce-upsert", 200, records("INVALID_FIELD"), "INVALID_FIELD m", HALVES),
        ("snapchat-ads", 200, {"status": "INVALID", "reason": "m"}, "m", HALVES),
        ("tiktok-ads", 200, {"code": 40002, "message": "m"}, "40002 m", HALVES),
        ("tiktok-ads", 200, {"code": 40100, "message": "m"}, "40100 m", AGAIN),
        ("tiktok-ads", 200, {"code": 50000, "message": "m"}, "50000 m", AGAIN),
    ],
)
def test_an_answer_that_is_good_for_some(slug: str, status: int, body: Any, why: str, sent_again: str) -> None:
    decision = decided(slug, status, body)
    assert why in decision.reason
    expected = {HALVES: (Verdict.RETRYING, True), AGAIN: (Verdict.RETRYING, False), "": (Verdict.FAILED, False)}
    assert (decision.verdict, decision.apart) == expected[sent_again]


@pytest.mark.parametrize(
    ("slug", "status", "body", "why", "fates"),
    [
        (
            "aws-kinesis",
            200,
            {"FailedRecordCount": 2, "Records": told("", "ProvisionedThroughputExceededException", "InternalFailure")},
            "ThroughputExceededException not so",
            (TAKEN, LATER, LATER),
        ),
        (
            "aws-firehose",
            200,
            {"FailedPutCount": 1, "RequestResponses": told("ServiceUnavailableException", "", "")},
            "ServiceUnavailableException not so",
            (LATER, TAKEN, TAKEN),
        ),
        ("aws-eventbridge", 200, entries("", "MalformedDetail", ""), "MalformedDetail not", (TAKEN, FAILED, TAKEN)),
        ("aws-eventbridge", 200, entries("", "", "ThrottlingException"), "Throttling", (TAKEN, TAKEN, LATER)),
        ("aws-eventbridge", 200, entries("MalformedDetail", "", "InternalFailure"), "Malf", (LATER, TAKEN, LATER)),
        ("braze", 201, at("index", 1, input_array="events"), "odd", (TAKEN, FAILED, TAKEN)),
        ("braze", 201, at("index", 0, 2, input_array="events"), "odd", (FAILED, TAKEN, FAILED)),
        ("customerio", 207, at("batch_index", 1, 1), "name: odd", (TAKEN, FAILED, TAKEN)),
        ("honeycomb", 200, [{"status": 202}, MALFORMED, {"status": 202}], "400 odd", (TAKEN, FAILED, TAKEN)),
        ("honeycomb", 200, [MALFORMED, {"status": 202}, TOO_MUCH], "400 odd", (LATER, TAKEN, LATER)),
        ("klime", 200, {"accepted": 2, "failed": 1, **at("index", 2)}, "odd", (TAKEN, TAKEN, FAILED)),
        (
            "linkedin-ads",
            200,
            {"elements": [{"status": 201}, {"status": 400, "error": {"message": "m"}}, {"status": 201}]},
            "400 m",
            (TAKEN, FAILED, TAKEN),
        ),
        (
            "linkedin-ads",
            200,
            {"elements": [{"status": 400}, {"status": 201}, {"status": 503}]},
            "",
            (LATER, TAKEN, LATER),
        ),
        ("mixpanel", 400, {"failed_records": [{"index": 1, "message": "m"}]}, "m", (TAKEN, FAILED, TAKEN)),
        ("pinterest-ads", 200, PINS, "m", (TAKEN, FAILED, TAKEN)),
        ("pinterest-ads", 422, {"message": "some", "details": PINS}, "m", (TAKEN, FAILED, TAKEN)),
    ],
)
def test_an_answer_names_the_events_that_it_does_not_take(
    slug: str, status: int, body: Any, why: str, fates: tuple[Verdict, ...]
) -> None:
    decision = decided(slug, status, body)
    assert why in decision.reason
    assert tuple(decision.verdict if place in decision.only else TAKEN for place in range(3)) == fates
    assert not decision.apart


@pytest.mark.parametrize(
    ("slug", "status", "body"),
    [
        ("braze", 201, at("index", 0, input_array="attributes")),
        ("braze", 201, {"errors": [*at("index", 0, input_array="events")["errors"], "'name' is missing"]}),
        ("customerio", 207, at("batch_index", None)),
        ("klime", 200, {"accepted": 1, "failed": 2, **at("index", 2)}),
        ("mixpanel", 400, {"error": "no JSON"}),
        ("mixpanel", 400, ""),
        ("mixpanel", 400, False),
        ("pinterest-ads", 422, {"message": "some"}),
        ("pinterest-ads", 422, ""),
    ],
)
def test_where_not_all_are_named_that_it_does_not_take_none_is_delivered(slug: str, status: int, body: Any) -> None:
    decision = decided(slug, status, body)
    assert (decision.verdict, decision.apart, decision.only) == (LATER, True, frozenset())


@pytest.mark.parametrize(
    ("slug", "status", "body"),
    [
        ("axiom", 200, {"ingested": 3, "failed": 0, "failures": []}),
        ("braze", 201, {"message": "success", "events_processed": 3}),
        ("customerio", 200, {}),
        ("google-bigquery", 200, {"kind": "bigquery#tableDataInsertAllResponse"}),
        ("grafana-loki", 204, ""),
        ("honeycomb", 200, [{"status": 202}] * 3),
        ("iterable-event", 200, {"successCount": 3, "failCount": 0, "disallowedEventNames": []}),
        ("jitsu", 200, {"ok": True, "receivedEvents": 3, "okEvents": 3}),
        ("klime", 200, {"accepted": 3, "failed": 0}),
        ("mixpanel", 200, {"code": 200, "num_records_imported": 3}),
        ("aws-eventbridge", 200, {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}] * 3}),
        ("aws-kinesis", 200, {"FailedRecordCount": 0, "Records": [{"SequenceNumber": "1"}] * 3}),
        ("aws-firehose", 200, {"FailedPutCount": 0, "RequestResponses": [{"RecordId": "1"}] * 3}),
        ("aws-sqs", 200, {"Successful": [{"Id": "1"}] * 3, "Failed": []}),
        ("aws-sqs", 200, {"Successful": [{"Id": "1"}] * 3}),
        ("linkedin-ads", 200, {"elements": [{"status": 201}] * 3}),
        ("matomo", 200, {"status": "success", "tracked": 3, "invalid": 0}),
        ("microsoft-ads", 200, {"eventsReceived": 3, "error": {"details": [{"isWarning": True}]}}),
        ("pinterest-ads", 200, {"num_events_processed": 3, "events": [{"status": "processed"}] * 3}),
        ("salesforce-create", 200, [{"success": True, "errors": []}] * 3),
        ("sendgrid-contacts", 202, {"job_id": "1"}),
        ("tiktok-ads", 200, {"code": 0, "message": "OK"}),
    ],
)
def test_an_answer_that_is_good_for_all(slug: str, status: int, body: Any) -> None:
    assert decided(slug, status, body) == DELIVERED


JUDGED = [slug for slug, template in TEMPLATES.items() if template.spec.delivery.get("failure")]


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b"{}", b'{"a": "b"}', b"7"])
@pytest.mark.parametrize("slug", JUDGED)
def test_an_answer_that_nobody_has_described_is_told_as_it_is(slug: str, body: bytes) -> None:
    case = next(case for case in read_cases(TEMPLATES[slug].folder) if case.requests)
    failure = destination_of(TEMPLATES[slug], case).policy.failure
    assert failure is not None
    told = failure(Response(500, {}, body))
    assert told is None or "cannot be told" not in told.reason
    assert body != b"no JSON" or (told is not None and "no JSON" in told.reason)

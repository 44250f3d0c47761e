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


@pytest.mark.parametrize(
    ("slug", "status", "body", "why", "sent_again"),
    [
        ("axiom", 200, {"ingested": 2, "failed": 1, "failures": [{"error": "too many fields"}]}, "too many", HALVES),
        ("axiom", 200, {"ingested": 2, "failed": 1, "failures": []}, "no reason is told", HALVES),
        ("braze", 201, {"errors": [{"type": "'time' is bad", "input_array": "events", "index": 1}]}, "'time'", HALVES),
        ("braze", 201, {"errors": ["'name' is missing"]}, "'name' is missing", HALVES),
        ("customerio", 207, {"errors": [{"batch_index": 1, "field": "name", "reason": "bad"}]}, "name: bad", HALVES),
        ("google-bigquery", 200, rows("stopped", "invalid", "stopped"), "invalid  no such field", HALVES),
        ("google-bigquery", 200, rows("stopped", "stopped", "stopped"), "stopped", HALVES),
        ("google-bigquery", 200, rows("stopped", "backendError", "stopped"), "backendError", AGAIN),
        ("grafana-loki", 400, "entry too far behind", "entry too far behind", HALVES),
        ("grafana-loki", 260, "ingestion blocked", "ingestion blocked", AGAIN),
        ("honeycomb", 200, [{"status": 202}, {"status": 400, "error": "too long"}, {"status": 202}], "400 too", HALVES),
        ("honeycomb", 200, [{"status": 400, "error": "a"}, {"status": 429, "error": "b"}], "400 a", AGAIN),
        ("iterable-event", 200, {"failCount": 1, "failedUpdates": {"invalidEmails": ["a"]}}, "invalidEmails", HALVES),
        ("iterable-user", 200, {"failCount": 1, "failedUpdates": {"notFoundUserIds": ["a"]}}, "notFoundUser", HALVES),
        ("jitsu", 200, {"ok": False, "errors": ["Message ID: a: event error"]}, "Message ID: a: event error", HALVES),
        ("klime", 200, {"accepted": 2, "failed": 1, "errors": [{"index": 1, "message": "no name"}]}, "no name", HALVES),
        ("statsig", 202, {"success": False, "message": "no user"}, "no user", HALVES),
        ("segment", 400, {"success": False, "message": "too large"}, "too large", HALVES),
        ("segment", 401, "unauthorized", "unauthorized", ""),
    ],
)
def test_an_answer_that_is_good_for_some(slug: str, status: int, body: Any, why: str, sent_again: str) -> None:
    decision = decided(slug, status, body)
    assert why in decision.reason
    expected = {HALVES: (Verdict.RETRYING, True), AGAIN: (Verdict.RETRYING, False), "": (Verdict.FAILED, False)}
    assert (decision.verdict, decision.apart) == expected[sent_again]


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
    ],
)
def test_an_answer_that_is_good_for_all(slug: str, status: int, body: Any) -> None:
    assert decided(slug, status, body) == DELIVERED

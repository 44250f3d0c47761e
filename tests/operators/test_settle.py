"""What became of each attempt, as the journal keeps it."""

from typing import Any

import pytest

from operators.settle import MAX_MESSAGE_CHARS, records_of, settle
from records import Failure, FailuresTaken, HealthChange, LogLine, Metric, Outcome, Status, Verdict
from tests.operators.stand import run_through

MINUTE = 1_000_020


def outcome(verdict: Verdict, at: float = MINUTE + 1.5, destination: str = "crm", **others: Any) -> Outcome:
    return Outcome(
        destination=destination,
        invocation="msg_1",
        verdict=verdict,
        at=at,
        attempts=others.pop("attempts", 1),
        stream="kafka:events",
        partition=3,
        offset=42,
        event_uuid="u1",
        event_name="$pageview",
        **others,
    )


@pytest.mark.parametrize(
    ("settled", "metric", "level", "message"),
    [
        (
            outcome(Verdict.RETRYING, reason="answered 503 Service Unavailable", body=b"busy"),
            ("other", "retried"),
            "warn",
            "answered 503 Service Unavailable; attempt 1, will be tried again "
            "(event '$pageview' u1 at kafka:events/3:42)",
        ),
        (
            outcome(Verdict.FAILED, reason="answered 404 Not Found: check the input 'url'", body=b"busy"),
            ("failure", "failed"),
            "error",
            "answered 404 Not Found: check the input 'url' (event '$pageview' u1 at kafka:events/3:42)",
        ),
        (
            outcome(Verdict.SKIPPED, reason="given up", body=b"busy"),
            ("other", "skipped"),
            "error",
            "given up (event '$pageview' u1 at kafka:events/3:42)",
        ),
    ],
)
def test_what_is_not_delivered_has_a_line_and_a_count(
    settled: Outcome, metric: tuple[str, str], level: str, message: str
) -> None:
    records = [record for record in records_of([settled]) if not isinstance(record, Failure)]
    assert records == [
        LogLine("crm", MINUTE + 1.5, level, message, "msg_1", b"busy"),
        Metric("crm", MINUTE, *metric, 1),
    ]


def test_only_what_failed_for_good_enters_the_ledger() -> None:
    failed = outcome(Verdict.FAILED, reason="answered 404 Not Found", status=404, body=b"x" * 5000, attempts=2)
    others = [outcome(Verdict.RETRYING), outcome(Verdict.DELIVERED), outcome(Verdict.SKIPPED)]
    [entry] = [record for record in records_of([*others, failed]) if isinstance(record, Failure)]
    assert (entry.destination, entry.invocation, entry.stream, entry.partition, entry.offset) == (
        "crm", "msg_1", "kafka:events", 3, 42
    )  # fmt: skip
    assert (entry.reason, entry.status, entry.attempts, len(entry.body)) == ("answered 404 Not Found", 404, 2, 4096)


def test_a_change_of_health_is_a_line_a_count_and_itself() -> None:
    change = HealthChange("degraded", "quarantined", MINUTE + 2, "20 errors in a row", "oops", "crm")
    assert records_of([change]) == [
        change,
        LogLine("crm", MINUTE + 2, "warn", "degraded -> quarantined: 20 errors in a row", "", b"oops"),
        Metric("crm", MINUTE, "other", "quarantined", 1),
    ]


def test_what_is_delivered_is_only_counted() -> None:
    assert records_of([outcome(Verdict.DELIVERED)]) == [Metric("crm", MINUTE, "success", "succeeded", 1)]


def test_counts_of_a_batch_are_added_up_by_destination_and_minute() -> None:
    batch = [outcome(Verdict.DELIVERED, at) for at in (MINUTE, MINUTE + 59.9, MINUTE + 60)]
    assert records_of([*batch, outcome(Verdict.DELIVERED, MINUTE, "ads")]) == [
        Metric("crm", MINUTE, "success", "succeeded", 2),
        Metric("crm", MINUTE + 60, "success", "succeeded", 1),
        Metric("ads", MINUTE, "success", "succeeded", 1),
    ]


def test_a_message_has_a_bound() -> None:
    line = records_of([outcome(Verdict.FAILED, reason="x" * 20_000)])[0]
    assert isinstance(line, LogLine)
    assert line.message == "x" * MAX_MESSAGE_CHARS


def test_in_a_flow_keys_go_and_a_status_passes_as_it_is() -> None:
    status = Status("crm", "CRM", "live", 1.0, matched=1, delivered=1)
    items = [("crm", status), ("crm", outcome(Verdict.DELIVERED)), ("crm", outcome(Verdict.DELIVERED))]
    assert run_through(lambda up: settle("settle", up), items, batch_size=3) == [
        status,
        Metric("crm", MINUTE, "success", "succeeded", 2),
    ]


def test_what_the_ledger_has_leaves_it_when_it_is_delivered_after_all() -> None:
    taken = FailuresTaken("crm", "kafka:events", 3, [42])
    assert taken in records_of([outcome(Verdict.DELIVERED, listed=True)])
    assert taken not in records_of([outcome(Verdict.DELIVERED)])

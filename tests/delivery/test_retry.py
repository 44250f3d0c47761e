"""Each kind of answer, and what becomes of it."""

import pytest

from delivery.retry import backoff_s, decide, retry_after_s
from records import Attempt, ErrorKind, Invocation, Policy, Request, Response, Verdict

NOW = 1_700_000_000.0
INVOCATION = Invocation("id", "d", "kafka:t", 0, 0, 0, "u", "e", "x", Request("POST", "http://h/", {}))


def answered(status: int, headers: dict[str, str] | None = None) -> Attempt:
    return Attempt(INVOCATION, NOW, 5.0, Response(status, headers or {}, b""))


def broke(kind: ErrorKind, reused: bool = False) -> Attempt:
    return Attempt(INVOCATION, NOW, 5.0, error=kind, detail="connection refused", reused=reused)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_delivered(status: int) -> None:
    assert decide(answered(status), 0, Policy(), NOW, 0.5).verdict is Verdict.DELIVERED


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_not_now_is_tried_again(status: int) -> None:
    decision = decide(answered(status), 0, Policy(), NOW, 0.5)
    assert decision.verdict is Verdict.RETRYING
    assert decision.retry_at == NOW + 1.0


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 404, 405, 409, 410, 413, 422, 425, 501, 505, 520])
def test_not_like_this_fails_at_once(status: int) -> None:
    decision = decide(answered(status), 0, Policy(), NOW, 0.5)
    assert decision.verdict is Verdict.FAILED
    assert str(status) in decision.reason


@pytest.mark.parametrize("kind", [ErrorKind.TIMEOUT, ErrorKind.CONNECT, ErrorKind.RESET])
def test_network_errors_are_tried_again(kind: ErrorKind) -> None:
    assert decide(broke(kind), 2, Policy(), NOW, 0.5).verdict is Verdict.RETRYING


@pytest.mark.parametrize("kind", [ErrorKind.BLOCKED, ErrorKind.INVALID])
def test_what_cannot_be_sent_is_not_tried_again(kind: ErrorKind) -> None:
    assert decide(broke(kind), 0, Policy(), NOW, 0.5).verdict is Verdict.FAILED


def test_retries_end() -> None:
    decision = decide(answered(503), 3, Policy(), NOW, 0.5)
    assert decision.verdict is Verdict.FAILED
    assert decision.reason == "answered 503 Service Unavailable; given up after 4 attempts"


def test_a_reset_kept_alive_connection_is_used_again_at_once_and_only_once() -> None:
    first = decide(broke(ErrorKind.RESET, reused=True), 0, Policy(), NOW, 0.5)
    assert (first.verdict, first.instant, first.retry_at) == (Verdict.RETRYING, True, NOW)
    second = decide(broke(ErrorKind.RESET, reused=True), 0, Policy(), NOW, 0.5, instant_made=True)
    assert (second.verdict, second.instant, second.retry_at) == (Verdict.RETRYING, False, NOW + 1.0)


def test_backoff_doubles_within_twenty_percent_up_to_the_cap() -> None:
    policy = Policy()
    assert [backoff_s(n, policy, 0.5) for n in range(6)] == [1, 2, 4, 8, 16, 30]
    assert backoff_s(0, policy, 0.0) == pytest.approx(0.8)
    assert backoff_s(0, policy, 1.0) == pytest.approx(1.2)
    assert backoff_s(10_000, policy, 1.0) == 30


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        (" 12 ", 12),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("٣", None),
    ],
)
def test_retry_after_in_seconds_and_as_a_date(header: str, seconds: float | None) -> None:
    assert retry_after_s(Response(429, {"Retry-After": header}, b""), NOW) == seconds


def test_retry_after_is_honoured_up_to_five_minutes() -> None:
    assert decide(answered(429, {"retry-after": "17"}), 0, Policy(), NOW, 0.5).retry_at == NOW + 17
    assert decide(answered(503, {"Retry-After": "86400"}), 0, Policy(), NOW, 0.5).retry_at == NOW + 300


@pytest.mark.parametrize(
    ("attempt", "reason"),
    [
        (answered(401), "answered 401 Unauthorized: the credential is missing or wrong"),
        (
            answered(302),
            "answered 302 Found: redirects are not followed, put the final address into the input 'url'",
        ),
        (answered(799), "answered 799"),
        (broke(ErrorKind.BLOCKED), "connection refused"),
    ],
)
def test_the_reason_says_what_happened_and_what_to_do(attempt: Attempt, reason: str) -> None:
    assert decide(attempt, 0, Policy(), NOW, 0.5).reason == reason


@pytest.mark.parametrize("date", ["Mon, 1 Jan 99999999999 00:00:00 GMT", "Mon, 99 Foo 2026 25:61:61 GMT"])
def test_a_date_that_no_calendar_has_counts_as_no_wish(date: str) -> None:
    assert retry_after_s(Response(503, {"retry-after": date}, b""), 0.0) is None

"""The one place that decides what an attempt means: delivered, try again (when), or failed for good (why).

Pure: time and chance are passed in.
"""

from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import msgspec

from records import Attempt, ErrorKind, Policy, Refusal, Response, Verdict

_OF_CONTENT = frozenset({400, 413, 422})
RETRIED_ERRORS = frozenset({ErrorKind.TIMEOUT, ErrorKind.CONNECT, ErrorKind.RESET})


class Decision(msgspec.Struct, frozen=True, gc=False):
    """`retry_at` (seconds since the epoch) is set when the verdict is RETRYING. `reason` is empty when delivered."""

    verdict: Verdict
    reason: str = ""
    retry_at: float = 0.0
    instant: bool = False
    """A retry that is not counted: the kept-alive connection was gone, so the request never reached anybody."""
    apart: bool = False
    """A retry that is not counted: of several events in one request only some may be to blame."""
    only: frozenset[int] = frozenset()
    """Of several events in one request those that it is about, from 0; the others are delivered. Empty is all."""


DELIVERED = Decision(Verdict.DELIVERED)


def decide(
    attempt: Attempt,
    retries_made: int,
    policy: Policy,
    now: float,
    jitter: float,
    instant_made: bool = False,
    events: int = 1,
) -> Decision:
    """Say what becomes of an invocation after this attempt.

    Args:
        attempt: How the request ended.
        retries_made: Counted retries before this attempt: 0 for the first.
        policy: Of the destination.
        now: Seconds since the epoch.
        jitter: From 0 to 1, uniformly chosen by the caller.
        instant_made: Whether the uncounted retry has been used already.
        events: How many were in the request.
    """
    response = attempt.response
    if response is None and attempt.error is None:
        # A program that came to its end: what its requests were answered is for it to judge.
        return DELIVERED
    told = policy.failure(response) if response is not None and policy.failure is not None else None
    if response is not None and response.status in policy.success and told is None:
        return DELIVERED
    reason = explain(attempt, "" if told is None else told.reason)
    retried = is_retried(attempt, policy) or (told is not None and told.retry)
    only = _only(attempt, told, policy, events)
    if events > 1 and not only and not retried and _is_of_content(attempt, policy):
        return Decision(Verdict.RETRYING, f"{reason}; the {events} events are sent again in halves", now, apart=True)
    if attempt.error is ErrorKind.RESET and attempt.reused and not instant_made:
        # A server may close an idle connection at the very moment that it is used again: nobody has seen the request.
        return Decision(Verdict.RETRYING, reason, now, instant=True)
    if not retried:
        return Decision(Verdict.FAILED, reason, only=only)
    if retries_made >= policy.retries:
        return Decision(Verdict.FAILED, f"{reason}; given up after {retries_made + 1} attempts", only=only)
    wait_s = backoff_s(retries_made, policy, jitter)
    asked_s = retry_after_s(response, now) if response is not None else None
    if asked_s is not None:
        # The server knows better than our curve, within reason: a longer wish is cut, never ignored.
        # A wish of next to nothing is none: retries at once would all meet the same second.
        wait_s = min(asked_s, policy.retry_after_cap_s) if asked_s >= 1.0 else max(asked_s, wait_s)
    return Decision(Verdict.RETRYING, reason, now + wait_s, only=only)


def is_retried(attempt: Attempt, policy: Policy) -> bool:
    """Whether a later attempt could end differently."""
    if attempt.response is not None:
        return attempt.response.status in policy.retry_on
    return attempt.error in RETRIED_ERRORS


def _only(attempt: Attempt, told: Refusal | None, policy: Policy, events: int) -> frozenset[int]:
    """Of an answer that is good for some events, those that it is not good for; empty where it names none of them."""
    is_good = attempt.response is not None and attempt.response.status in policy.success
    named = frozenset(told.failed) if told is not None and is_good else frozenset()
    return named if named <= frozenset(range(events)) else frozenset()


def _is_of_content(attempt: Attempt, policy: Policy) -> bool:
    """Whether the endpoint minds what the request holds, and not who sends it or when."""
    status = attempt.response.status if attempt.response is not None else 0
    return status in policy.success or status in _OF_CONTENT


def backoff_s(retries_made: int, policy: Policy, jitter: float) -> float:
    """Doubling wait in seconds, ± 20 % so that what failed together does not return together."""
    doubled: float = policy.backoff_s * 2.0 ** min(retries_made, 32)
    return min(doubled * (0.8 + 0.4 * jitter), policy.backoff_cap_s)


def retry_after_s(response: Response, now: float) -> float | None:
    """Seconds that the `Retry-After` header asks for (a number or a date); None without a usable one."""
    text = next((v for k, v in response.headers.items() if k.lower() == "retry-after"), "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, moment.timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        # The last two come of dates that no calendar has, such as a year of eleven digits.
        return None


def explain(attempt: Attempt, told: str = "") -> str:
    """One sentence for people: what happened, and what to do where that is known.

    `told` is what the answer says itself, see `Policy.failure`.
    """
    if attempt.response is None:
        # Its full stop goes: what became of the attempt may follow.
        return attempt.detail.removesuffix(".") or f"no answer ({attempt.error})"
    status = attempt.response.status
    try:
        answer = f"answered {status} {HTTPStatus(status).phrase}"
    except ValueError:
        answer = f"answered {status}"
    if told:
        return f"{answer}: {told.removesuffix('.')}"
    if hint := _HINTS.get(status):
        return f"{answer}: {hint}"
    if 300 <= status < 400 and status != HTTPStatus.NOT_MODIFIED:
        return f"{answer}: redirects are not followed, put the final address into the input 'url'"
    return answer


_HINTS = {
    400: "the endpoint refuses the request's form, compare the body with what it expects",
    401: "the credential is missing or wrong",
    403: "the credential is not allowed to do this",
    404: "nothing is there, check the input 'url'",
    405: "the endpoint does not take this method",
    410: "the endpoint is gone, disable the destination or give it a new address",
    413: "the body is too large for the endpoint",
    429: "too many requests for the endpoint",
}

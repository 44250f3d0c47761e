"""When requests may leave, with a clock of our own."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.pacing import Pacer
from records import Policy, Response

NOW = 1_800_000_000.0
FREE = Policy()
RATED = Policy(rate=100)


def leave(pacer: Pacer, policy: Policy, now: float) -> int:
    """Let as many leave as may."""
    count = pacer.allowance(policy, now)
    assert count != math.inf
    pacer.leaving(int(count), now)
    return int(count)


def test_without_a_rate_nothing_is_held_back() -> None:
    assert Pacer().allowance(FREE, NOW) == math.inf


@given(st.lists(st.floats(0, 0.3), min_size=1, max_size=100), st.sampled_from([0.5, 3, 100, 5000]))
def test_within_any_time_no_more_leave_than_the_rate_and_a_tenth_of_a_second(waits: list[float], rate: float) -> None:
    pacer, policy, now = Pacer(), Policy(rate=rate), NOW
    pacer.allowance(policy, now)
    left: list[tuple[float, int]] = []
    for wait in waits:
        now += wait
        left.append((now, leave(pacer, policy, now)))
    for first, (begin, _) in enumerate(left):
        for end, _ in left[first:]:
            count = sum(n for at, n in left if begin <= at <= end)
            assert count <= rate * (end - begin) + max(1.0, rate * 0.1) + 1e-6


def test_a_rate_is_used_up_whole_when_it_is_looked_at_often() -> None:
    pacer = Pacer()
    pacer.allowance(RATED, NOW)
    assert sum(leave(pacer, RATED, NOW + n / 100) for n in range(1, 1001)) == pytest.approx(1000, abs=12)


def test_it_says_when_the_next_one_may_leave() -> None:
    pacer, policy = Pacer(), Policy(rate=2)
    leave(pacer, policy, NOW)
    assert pacer.allowance(policy, NOW) == 0
    assert pacer.next_at(policy, NOW) == pytest.approx(NOW + 0.5)
    assert pacer.allowance(policy, NOW + 0.51) == 1


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [
        (429, {"Retry-After": "7"}, 7),
        (503, {"Retry-After": "7"}, 7),
        (200, {"Retry-After": "7"}, None),
        (429, {"Retry-After": "100000"}, 300),
        (200, {"RateLimit-Remaining": "0", "RateLimit-Reset": "12"}, 12),
        (200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW) + 30)}, 30),
        (200, {"RateLimit-Remaining": "3", "RateLimit-Reset": "12"}, None),
        (200, {"RateLimit-Remaining": "0", "RateLimit-Reset": "soon"}, None),
        (200, {"RateLimit-Remaining": "0"}, None),
    ],
)
def test_an_endpoint_that_says_when_to_come_back_is_left_alone_until_then(
    status: int, headers: dict[str, str], wait_s: float | None
) -> None:
    pacer = Pacer()
    assert pacer.answered(Response(status, headers, b""), FREE, NOW) is (wait_s is not None)
    if wait_s is None:
        assert pacer.allowance(FREE, NOW) == math.inf
        return
    assert pacer.allowance(FREE, NOW + wait_s - 0.1) == 0
    assert pacer.next_at(FREE, NOW) == pytest.approx(NOW + wait_s)
    assert pacer.allowance(FREE, NOW + wait_s + 0.1) == math.inf


def test_a_429_without_a_word_halves_the_rate_and_time_gives_it_back() -> None:
    pacer = Pacer()
    for n in range(50):
        pacer.allowance(FREE, NOW + n / 10)
        pacer.leaving(10, NOW + n / 10)
    now = NOW + 5
    assert pacer.answered(Response(429, {}, b""), FREE, now)
    assert not pacer.answered(Response(429, {}, b""), FREE, now + 0.1), "one complaint"
    pacer.allowance(FREE, now)
    left = sum(leave(pacer, FREE, now + n / 100) for n in range(1, 101))
    assert left == pytest.approx(50, abs=10)
    assert pacer.allowance(FREE, now + 30) == math.inf


def test_a_429_with_a_rate_goes_below_it() -> None:
    pacer = Pacer()
    pacer.answered(Response(429, {}, b""), RATED, NOW)
    pacer.allowance(RATED, NOW)
    assert sum(leave(pacer, RATED, NOW + n / 100) for n in range(1, 101)) < 10

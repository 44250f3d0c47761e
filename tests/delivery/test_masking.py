"""The windows of a frequency cap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.masking import MaskError, Masks
from records import Cap


def passed(times: list[float], threshold: int | None = None, ttl_s: float = 60) -> list[float]:
    masks = Masks()
    return [at for at in times if masks.passes(Cap(1, ttl_s, threshold), at)]


@pytest.mark.parametrize(
    ("times", "threshold", "out"),
    [
        ([0, 1, 59], None, [0]),
        ([0, 59, 60, 61, 119], None, [0, 60]),
        # Fixed from the first: what is held back does not prolong it.
        ([0, 50, 61, 100, 121], None, [0, 61, 121]),
        ([0, 1, 2, 3, 4, 5, 6], 3, [0, 3, 6]),
        ([0, 1, 2, 61, 62], 3, [0, 61]),
        ([0, 1, 2], 1, [0, 1, 2]),
    ],
)
def test_which_go_out(times: list[float], threshold: int | None, out: list[float]) -> None:
    assert passed(times, threshold) == out


def test_a_clock_that_was_wrong_holds_nothing_back_for_long() -> None:
    ahead = 4 * 365 * 86_400
    # Set right again, also behind a restart: the window that began then would last for four years.
    masks = Masks()
    assert [masks.passes(Cap(1, 60), at) for at in (ahead, ahead + 1)] == [True, False]
    masks = Masks(masks.snapshot())
    assert [masks.passes(Cap(1, 60), at) for at in (10, 11, 70)] == [True, False, True]
    # A clock that goes back a little is no reason to send twice.
    assert passed([100, 99.9, 95, 159]) == [100]


def test_a_time_that_was_made_much_shorter_counts_at_once() -> None:
    masks = Masks()
    assert masks.passes(Cap(1, 86_400), 0)
    assert [masks.passes(Cap(1, 60), at) for at in (10, 11, 70)] == [True, False, True]


def test_each_key_has_a_window_of_its_own() -> None:
    masks = Masks()
    assert [masks.passes(Cap(key, 60), 0) for key in (1, 2, 1, 2)] == [True, True, False, False]


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 40)), max_size=60), st.none() | st.integers(1, 4))
def test_it_is_the_rule_whatever_happens_and_over_restarts(
    steps: list[tuple[int, float]], threshold: int | None
) -> None:
    masks, now = Masks(), 0.0
    began: dict[int, float] = {}
    hits: dict[int, int] = {}
    for key, wait in steps:
        now += wait
        if key not in began or now >= began[key] + 60:
            began[key], hits[key] = now, 0
        hits[key] += 1
        expected = hits[key] == 1 or (threshold is not None and hits[key] % threshold == 1 % threshold)
        masks.forget(now)
        assert masks.passes(Cap(key, 60, threshold), now) is expected
        masks = Masks(masks.snapshot())


def test_what_has_ended_is_forgotten_and_the_rest_is_bounded() -> None:
    masks = Masks(most=3)
    for key in range(5):
        assert masks.passes(Cap(key, 60), key)
    assert (len(masks), masks.next_end()) == (3, 62)
    # The oldest was forgotten early, the newest was not.
    assert [masks.passes(Cap(key, 60), 5) for key in (4, 0)] == [False, True]
    masks.forget(64)
    assert (len(masks), masks.next_end()) == (1, 65)


def test_a_snapshot_of_another_version_is_refused() -> None:
    with pytest.raises(MaskError, match="version 9, this Offramp reads 1"):
        Masks(b"\x92\x09\x80")
    with pytest.raises(MaskError, match="cannot be read"):
        Masks(b"\xff")

"""Windows move with the clock that is passed in and count what is in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.windows import Window


def test_an_empty_window_has_no_quantile_and_no_errors() -> None:
    window = Window()
    assert window.samples(0) == 0
    assert window.error_rate(0) == 0
    assert window.quantile_ms(0, 0.5) is None


def test_what_is_older_than_the_window_no_longer_counts() -> None:
    window = Window(60)
    window.add(1000, 5, error=True)
    window.add(1050, 5, error=False)
    assert (window.samples(1050), window.error_rate(1050)) == (2, 0.5)
    assert (window.samples(1070), window.error_rate(1070)) == (1, 0)
    assert window.samples(2000) == 0


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99]))
def test_quantiles_are_right_within_ten_percent(durations: list[float], q: float) -> None:
    window = Window()
    for duration in durations:
        window.add(0, duration, error=False)
    ordered = sorted(durations)
    exact = ordered[min(len(ordered) - 1, int(-(-q * len(ordered) // 1)) - 1)]
    assert window.quantile_ms(0, q) == pytest.approx(exact, rel=0.1)

import math

from bench.ages import back_at, quantile


def test_quantile() -> None:
    assert [quantile([3.0, 1.0, 2.0], q) for q in (0.0, 0.5, 1.0)] == [1.0, 2.0, 3.0]
    assert math.isnan(quantile([], 0.5))


def test_it_is_back_when_the_last_late_one_has_come() -> None:
    arrivals = [(9.0, 8.0), (12.0, 5.0), (13.0, 0.1), (14.0, 2.0), (15.0, 0.2)]
    assert back_at(arrivals, 10.0) == 14.0
    assert back_at(arrivals, 10.0, until=14.0) == 12.0


def test_where_nothing_was_late_it_is_back_with_the_first() -> None:
    assert back_at([(13.0, 0.2), (12.0, 0.1)], 10.0) == 12.0


def test_nobody_knows_when_it_is_back_before_something_young_has_come() -> None:
    assert back_at([(12.0, 5.0)], 10.0) is None
    assert back_at([(9.0, 0.1)], 10.0) is None

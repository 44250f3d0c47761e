import pytest

from bench.isolation_recovery import Recovery, recovery_of

HEALTHY = [(95.0, 0.9), (101.0, 0.9), (110.0, 0.02), (112.0, 0.01), (120.0, 0.9)]


def test_the_figures_of_a_recovery() -> None:
    # One came before the endpoint was healed, one twice.
    sick_ok = [(90.0, 0.1, "a"), (110.0, 30.0, "b"), (111.0, 20.0, "c"), (112.0, 1.5, "b"), (113.0, 0.1, "d")]
    record = {"healed_at": 100.0, "healthy": HEALTHY, "sick_ok": sick_ok}
    assert recovery_of(record, 5) == Recovery(back_s=12.0, missed=3, drain_s=2.0, missing=1, twice=1, p99_ms=10.0)


def test_what_has_not_recovered_has_no_figures() -> None:
    record = {"healed_at": 100.0, "healthy": HEALTHY, "sick_ok": [(110.0, 30.0, "a")]}
    with pytest.raises(ValueError, match="was late"):
        recovery_of(record, 1)

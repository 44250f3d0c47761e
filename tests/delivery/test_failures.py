"""Which failures of the ledger are in the account, and which come again by themselves."""

import pytest

from delivery.failures import KnownFailures
from delivery.positions import Position

AT = Position("kafka:events", 0, 7)


@pytest.mark.parametrize(
    ("boundary", "failed_at", "sent"),
    [
        # A snapshot that knows of all until 50, and a life that began at 100.
        (50, 40, "counted"),
        (50, 50, "counted"),
        # In no count; whether it comes again by itself nobody knows for sure.
        (50, 51, "other"),
        (50, 100, "counted"),
        # No snapshot.
        (None, 40, "other"),
        (None, 100, "counted"),
    ],
)
def test_what_a_replay_of_a_failure_means(boundary: float | None, failed_at: float, sent: str) -> None:
    known = KnownFailures(100, boundary)
    counted, others = known.to_send([(AT, failed_at)], owed=lambda _: False)
    assert ("counted" if counted else "other" if others else "anyway") == sent


@pytest.mark.parametrize("boundary", [None, 0.0, 50])
def test_what_leaves_the_ledger_is_sent_unless_it_is_owed(boundary: float | None) -> None:
    known = KnownFailures(100, boundary)
    assert known.to_send([(AT, 60)], owed=lambda _: False) == (set(), {AT})
    assert known.to_send([(AT, 60)], owed=lambda _: True) == (set(), set())


@pytest.mark.parametrize("owed", [True, False])
def test_what_was_owed_at_the_snapshot_is_sent_anyway_if_it_still_is(owed: bool) -> None:
    known = KnownFailures(100, 50, before=[AT])
    assert known.to_send([(AT, 40)], owed=lambda _: owed) == (set() if owed else {AT}, set())
    # It may have failed again before the crash: then the ledger has an entry anew.
    assert known.settled(AT)


def test_an_entry_of_before_is_told_of_once_when_its_delivery_ends() -> None:
    known = KnownFailures(100, 50, listed=[AT])
    assert [known.settled(AT), known.settled(AT)] == [True, False]

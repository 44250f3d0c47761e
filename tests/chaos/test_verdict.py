"""The verdict finds what it is there to find."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.chaos.verdict import Case, Event, Kill, Receipt, Verdict, judge

EVENTS = [Event(f"u{number}", number, "d1", 0.0) for number in range(3)]
KILL = Kill(100.0, 100.1)
NOTHING: Mapping[str, Any] = {}
BATCH = {"batch": True}
REPLAYED = {"replayed": EVENTS[:1]}


def receipt(number: int, at: float = 10.0, status: int | None = 200, webhook_id: str = "", **more: Any) -> Receipt:
    return Receipt(f"u{number}", webhook_id or f"msg_{number}", at, at + 0.01, status, **more)


def batch(webhook_id: str, *numbers: int, at: float = 10.0, status: int = 200) -> list[Receipt]:
    together = tuple(f"u{number}" for number in numbers)
    return [receipt(number, at, status, webhook_id, together=together) for number in numbers]


def verdict(
    receipts: Sequence[Receipt],
    ledger: Sequence[int] = (),
    *kills: Kill,
    of: Mapping[str, Any] = NOTHING,
    **counts: int,
) -> Verdict:
    """`of` is what else there is to the case."""
    status: dict[str, Any] = {"matched": 3, "delivered": 3, "failed": 0, "owed": 0, "expired": 0, "skipped": 0} | counts
    entries = [{"event_uuid": f"u{number}"} for number in ledger]
    return judge([Case("crm", EVENTS, status, entries, **of)], {"crm": receipts}, kills, 2.0)


ALL = [receipt(0), receipt(1), receipt(2)]


def test_all_is_well() -> None:
    assert verdict(ALL).problems == []
    assert verdict(ALL[:2], [2], delivered=2, failed=1).problems == []
    assert verdict([*ALL[:2], receipt(2, status=None)], delivered=2, owed=1).problems == []
    again = verdict([*ALL[:2], receipt(2, 99.0), receipt(2, 101.0)], (), KILL)
    assert (again.problems, again.duplicates) == ([], 1)
    # The same ones together again, then each with others.
    batches = [*batch("a", 0, 1, 2, status=500), *batch("a", 0, 1, 2, at=11, status=500), *batch("b", 2, 0, at=12)]
    assert verdict([*batches, *batch("c", 1, at=13)], of=BATCH).problems == []
    replayed = verdict([*ALL, receipt(0, 11.0)], of=REPLAYED, matched=4, delivered=4)
    assert (replayed.problems, replayed.duplicates) == ([], 0)
    twice = [receipt(0, 99.0), receipt(0, 101.0), *ALL]
    assert verdict(twice, (), KILL, of=REPLAYED, matched=4, delivered=4).duplicates == 1


@pytest.mark.parametrize(
    ("found", "of"),
    [
        ("no good answer and no entry", verdict(ALL[:2])),
        ("no good answer and no entry", verdict([*ALL[:2], receipt(2, status=500)], delivered=2)),
        ("answered well again", verdict([*ALL, receipt(2, 11.0)])),
        ("answered well again", verdict([*ALL, receipt(2, 101.0)], (), KILL)),
        ("answered well and are in the ledger", verdict(ALL, [2], delivered=2, failed=1)),
        ("webhook-ids", verdict([*ALL, receipt(2, 11.0, 500, "msg_x")])),
        ("is that of", verdict([*ALL[:2], receipt(2, webhook_id="msg_1")])),
        ("for the same", verdict([*batch("a", 0, 1, status=500), *batch("b", 0, 1), *ALL[2:]], of=BATCH)),
        ("is that of", verdict([*batch("a", 0, 1), *batch("a", 2)], of=BATCH)),
        ("not compressed", verdict([*ALL[:2], receipt(2, gzip=True)], of={"gzip": True})),
        ("not answered well again", verdict(ALL, of=REPLAYED, matched=4, delivered=4)),
        ("answered well again", verdict([*ALL, *ALL[:1], *ALL[:1]], of=REPLAYED, matched=4, delivered=4)),
        ("1 that were replayed", verdict([*ALL, *ALL[:1]], of=REPLAYED, delivered=4)),
        ("does not want", verdict([*ALL, receipt(9)])),
        ("2 delivered", verdict(ALL, delivered=2)),
        ("1 failed", verdict(ALL, failed=1)),
        ("4 matched", verdict(ALL, matched=4)),
        (
            "earlier one of the same person",
            verdict([receipt(1), receipt(0, 11.0), receipt(2, 12.0)], of={"ordered": True}),
        ),
    ],
)
def test_what_is_wrong_is_found(found: str, of: Verdict) -> None:
    assert found in "\n".join(of.problems)

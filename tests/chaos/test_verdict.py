"""The verdict finds what it is there to find."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.chaos.verdict import Case, Event, Kill, Receipt, Verdict, judge

EVENTS = [Event(f"u{number}", number, "d1", 0.0) for number in range(3)]
KILL = Kill(100.0, 100.1)


def receipt(number: int, at: float = 10.0, status: int | None = 200, webhook_id: str = "") -> Receipt:
    return Receipt(f"u{number}", webhook_id or f"msg_{number}", at, at + 0.01, status)


def verdict(
    receipts: Sequence[Receipt], ledger: Sequence[int] = (), *kills: Kill, ordered: bool = False, **counts: int
) -> Verdict:
    status: dict[str, Any] = {"matched": 3, "delivered": 3, "failed": 0, "owed": 0, "expired": 0, "skipped": 0} | counts
    entries = [{"event_uuid": f"u{number}"} for number in ledger]
    return judge([Case("crm", EVENTS, status, entries, ordered=ordered)], {"crm": receipts}, kills, 2.0)


ALL = [receipt(0), receipt(1), receipt(2)]


def test_all_is_well() -> None:
    assert verdict(ALL).problems == []
    assert verdict(ALL[:2], [2], delivered=2, failed=1).problems == []
    assert verdict([*ALL[:2], receipt(2, status=None)], delivered=2, owed=1).problems == []
    again = verdict([*ALL[:2], receipt(2, 99.0), receipt(2, 101.0)], (), KILL)
    assert (again.problems, again.duplicates) == ([], 1)


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
        ("does not want", verdict([*ALL, receipt(9)])),
        ("2 delivered", verdict(ALL, delivered=2)),
        ("1 failed", verdict(ALL, failed=1)),
        ("4 matched", verdict(ALL, matched=4)),
        ("earlier one of the same person", verdict([receipt(1), receipt(0, 11.0), receipt(2, 12.0)], ordered=True)),
    ],
)
def test_what_is_wrong_is_found(found: str, of: Verdict) -> None:
    assert found in "\n".join(of.problems)

"""One destination's logic between the flow, a transport in memory and the log. Time is passed in; nothing sleeps."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, TestingSource, run_main

from delivery import Reread, read_state
from delivery.positions import Positions
from operators.deliver import DeliverLogic, Delivery, deliver
from records import Batch, EndOfInput, Invocation, Outcome, Policy, RangeRead, Status, Verdict
from tests.operators.deliver_bench import CRM, OFF, Bench, MemoryTransport
from tests.operators.stand import SECRET, STREAM, URL, invocation


@pytest.fixture
def bench() -> Bench:
    return Bench()


def verdicts(results: list[Any]) -> list[tuple[int, str]]:
    return [(item.offset, item.verdict.value) for item in results if isinstance(item, Outcome)]


def offsets(*numbers: int, reread: bool = False) -> list[Invocation]:
    return [invocation(number, reread=reread) for number in numbers]


def test_matches_leave_at_once_and_are_settled_when_they_are_answered(bench: Bench) -> None:
    assert verdicts(bench.give(*offsets(1, 2))) == []
    assert bench.transport.submitted == [1, 2]
    bench.transport.answer()
    assert verdicts(bench.wake()) == [(1, "delivered"), (2, "delivered")]
    status = bench.status()
    assert (status.id, status.name, status.state, status.matched, status.delivered, status.owed) == (
        "crm", "CRM", "live", 2, 2, 0,
    )  # fmt: skip


def test_without_a_request_it_fails_at_once_and_nothing_is_sent(bench: Bench) -> None:
    broken = invocation(1)
    broken.work, broken.error = None, "input 'url': the URL is empty"
    (outcome,) = bench.give(broken)
    status = bench.status()
    assert (outcome.verdict, outcome.reason) == (Verdict.FAILED, "input 'url': the URL is empty")
    assert (status.failed, status.owed, bench.transport.submitted) == (1, 0, [])


def test_a_retry_leaves_when_it_is_due_as_the_same_invocation() -> None:
    bench = Bench(Policy(retries=1))
    bench.give(invocation(1))
    (first,) = bench.transport.wire
    bench.transport.answer(503)
    assert verdicts(bench.wake()) == [(1, "retrying")]
    bench.wake(0.7)
    assert bench.transport.wire == []
    bench.wake(0.6)
    assert [one.id for one in bench.transport.wire] == [first.id]
    bench.transport.answer(503)
    (outcome,) = bench.wake()
    assert (outcome.verdict, outcome.attempts) == (Verdict.FAILED, 2)
    assert outcome.reason == "answered 503 Service Unavailable; given up after 2 attempts"


def test_it_is_awake_soon_while_answers_are_due_later_while_a_retry_waits_and_else_asleep(bench: Bench) -> None:
    bench.give(invocation(1))
    soon = bench.awake_at()
    assert soon is not None
    assert soon - bench.clock() < 0.1
    bench.transport.answer(503)
    bench.wake(1.0)
    later = bench.awake_at()
    assert later is not None
    assert 0.8 <= later - bench.clock() <= 1.1
    bench.wake(1.3)
    bench.transport.answer()
    bench.wake(1.0)
    assert bench.awake_at() is None


def behind(bench: Bench, upto: int) -> None:
    """Give it more than it can hold while its endpoint is slow."""
    bench.transport.slow = 50
    bench.give(*offsets(*range(upto)))


def test_what_was_read_while_it_was_off_for_a_moment_stays_owed() -> None:
    bench = Bench(Policy(outbox=4))
    behind(bench, 10)
    bench.transport.slow = 0
    bench.transport.answer()
    bench.wake()
    assert bench.wishes() == [Reread("crm", STREAM, 0, 4, 9, limit=4)]
    bench.configured.put("crm", OFF)
    bench.wake(0.1)
    bench.configured.put("crm", CRM)
    bench.wake(0.1)
    bench.give(RangeRead("crm", STREAM, 0, 10))
    assert (bench.status().owed, bench.status().skipped) == (6, 0)
    bench.wishes()
    bench.give(RangeRead("crm", STREAM, 0, 10))
    assert (bench.status().owed, bench.status().skipped) == (0, 6)


def test_what_was_read_while_it_was_off_stays_owed_although_what_is_behind_it_came() -> None:
    bench = Bench(Policy(outbox=4))
    behind(bench, 8)
    bench.transport.slow = 0
    bench.transport.answer()
    bench.wake()
    assert bench.wishes() == [Reread("crm", STREAM, 0, 4, 7, limit=4)]
    bench.give(invocation(4, reread=True))
    bench.transport.answer()
    # Off and on again between two turns: 5 and 6 came in that moment.
    bench.configured.put("crm", OFF)
    bench.configured.put("crm", CRM)
    bench.give(invocation(7, reread=True), RangeRead("crm", STREAM, 0, 8))
    assert (bench.status().owed, bench.status().skipped) == (3, 0)
    assert bench.wishes() == [Reread("crm", STREAM, 0, 5, 7, limit=4)]


def test_what_the_ledger_cannot_take_at_the_end_is_owed_in_the_snapshot() -> None:
    bench = Bench(Policy(retries=0))
    bench.shared = replace(bench.shared, listed=lambda _: 0.0)
    bench.logic = DeliverLogic(bench.shared, None)
    bench.give(invocation(1))
    bench.transport.answer(404)
    bench.wake()
    bench.logic.on_eof()
    restarted = read_state(bench.logic.snapshot())
    assert (restarted.failed, restarted.held) == (0, [Positions(STREAM, 0, [1], 1000.0)])


def test_a_run_that_ends_by_itself_waits_for_its_ledger() -> None:
    listed = [0.0]
    bench = Bench(Policy(retries=0))
    bench.shared = replace(bench.shared, listed=lambda _: listed[0])
    bench.logic = DeliverLogic(bench.shared, None)
    bench.give(invocation(1))
    bench.transport.answer(404)
    bench.wake()
    assert not bench.progress.drained()
    listed[0] = bench.clock()
    bench.wake()
    assert bench.progress.drained()


def test_the_part_of_the_account_that_no_outcome_tells_of_is_counted_once() -> None:
    bench = Bench(Policy(outbox=4))
    behind(bench, 10)
    bench.status()
    bench.restart()
    bench.give(RangeRead("crm", STREAM, 0, 1))
    bench.wishes()
    bench.give(RangeRead("crm", STREAM, 0, 4))
    bench.wishes()
    bench.give(RangeRead("crm", STREAM, 0, 10, missing=6))
    status = bench.status()
    assert (status.matched, status.skipped, status.expired, status.owed) == (10, 4, 6, 0)
    assert bench.counted == {"matched": 10, "skipped": 4, "expired": 6}


def test_of_one_that_does_not_run_at_present_the_counts_are_told(bench: Bench) -> None:
    bench.give(*offsets(1, 2))
    bench.configured.put("crm", OFF)
    bench.transport.answer()
    status = bench.status()
    assert (status.name, status.delivered, status.owed) == ("", 2, 0)


def test_what_does_not_fit_is_owed_wished_for_when_there_is_room_and_then_it_is_live_again() -> None:
    bench = Bench(Policy(outbox=4))
    behind(bench, 10)
    assert (bench.transport.submitted, bench.wishes()) == ([0, 1, 2, 3], [])
    assert (bench.status().state, bench.status().owed) == ("behind", 10)

    bench.transport.slow = 0
    bench.transport.answer()
    bench.wake()
    assert bench.wishes() == [Reread("crm", STREAM, 0, 4, 9, limit=4)]
    bench.give(invocation(10))
    assert bench.transport.wire == [], "what is new waits its turn"

    bench.give(*offsets(4, 5, 6, 7, reread=True), RangeRead("crm", STREAM, 0, 8))
    assert bench.transport.submitted == list(range(8))
    bench.transport.answer()
    bench.wake()
    assert bench.wishes() == [Reread("crm", STREAM, 0, 8, 10, limit=4)]
    bench.give(*offsets(8, 9, 10, reread=True), RangeRead("crm", STREAM, 0, 11))
    bench.transport.answer()
    status = bench.status()
    assert (status.state, status.matched, status.delivered, status.owed) == ("live", 11, 11, 0)
    bench.give(invocation(11))
    assert [one.offset for one in bench.transport.wire] == [11]


def test_answers_that_come_late_because_this_process_is_at_its_limit_put_nobody_behind() -> None:
    bench = Bench(busy=True)
    bench.give(*offsets(*range(2000)))
    bench.transport.late = 50
    bench.wake(0.01)
    bench.give(*offsets(*range(2000, 2500)))
    assert not bench.progress.may_read(), "the sources wait for it"
    assert bench.status().backlog == 0


def test_after_a_restart_it_asks_for_what_was_held_and_for_what_was_owed() -> None:
    bench = Bench(Policy(outbox=4))
    behind(bench, 6)
    bench.transport.slow = 0
    bench.restart()
    assert bench.awake_at() is not None, "it needs no new match to begin"
    bench.wake()
    assert bench.transport.submitted == []
    assert bench.wishes() == [Reread("crm", STREAM, 0, 0, 3, limit=4, only=frozenset({0, 1, 2, 3}))]
    bench.give(*offsets(0, 1, 2, 3, reread=True), RangeRead("crm", STREAM, 0, 4))
    bench.transport.answer()
    bench.wake()
    assert bench.wishes() == [Reread("crm", STREAM, 0, 4, 5, limit=4)]
    bench.give(*offsets(4, 5, reread=True), RangeRead("crm", STREAM, 0, 6))
    bench.transport.answer()
    status = bench.status()
    assert (status.matched, status.delivered, status.owed) == (6, 6, 0)


def test_a_snapshot_holds_no_secret_and_no_event(bench: Bench) -> None:
    bench.give(*offsets(1, 2))
    bench.transport.answer(503, SECRET.encode())
    bench.wake()
    bench.give(invocation(3))
    snapshot = bench.logic.snapshot()
    assert b"crm" in snapshot
    for hidden in (SECRET.encode(), b"a.example", b"anna", b"$pageview", b"msg_"):
        assert hidden not in snapshot


def test_an_outcome_holds_no_secret(bench: Bench) -> None:
    bench.give(invocation(1))
    bench.transport.answer(400, f"bad token {SECRET}".encode())
    (outcome,) = bench.wake()
    assert outcome.body == b"bad token ***"
    bench.give(invocation(2))
    bench.transport.break_off(f"cannot connect to {SECRET}.example")
    assert bench.wake()[0].reason == "cannot connect to ***.example"


def test_an_answer_after_disabling_still_says_what_happened_without_secrets(bench: Bench) -> None:
    bench.give(invocation(1))
    bench.configured.put("crm", OFF)
    bench.transport.answer(404, SECRET.encode())
    (outcome,) = bench.wake()
    assert outcome.reason == "answered 404 Not Found: nothing is there, check the input 'url'"
    assert outcome.body == b"***"


def test_a_removed_destination_gives_up_what_it_owes_and_is_forgotten(bench: Bench) -> None:
    bench.give(*offsets(1, 2))
    bench.configured.remove("crm")
    assert bench.logic.on_notify() == ([], True)
    assert bench.transport.forgotten == ["crm"]
    assert bench.progress.drained()


def test_a_destination_removed_while_the_job_was_down_is_discarded_without_a_match(bench: Bench) -> None:
    bench.give(invocation(1))
    bench.configured.remove("crm")
    bench.restart()
    assert bench.awake_at() is not None
    assert bench.logic.on_notify() == ([], True)


@pytest.fixture
def disabled() -> Bench:
    """Disabled with one match that waits for a retry, one on the wire and one that came just too late to be sent."""
    bench = Bench()
    bench.give(invocation(1))
    bench.transport.answer(503)
    bench.wake()
    bench.give(invocation(2))
    bench.configured.put("crm", OFF)
    bench.give(invocation(3))
    return bench


def test_a_disabled_destination_keeps_what_it_owes_until_it_is_enabled(disabled: Bench) -> None:
    disabled.transport.answer()
    assert verdicts(disabled.wake()) == [(2, "delivered")]
    disabled.wake(60.0)
    assert disabled.transport.wire == []
    assert disabled.wishes() == []
    disabled.configured.put("crm", CRM)
    disabled.wake()
    [wish] = disabled.wishes()
    assert (wish.first, wish.last, wish.only) == (1, 3, {1, 3}), "read again, to be sent as things are now"
    assert disabled.status().owed == 2


def test_what_was_on_the_road_when_it_was_disabled_is_sent_as_the_file_says_later(disabled: Bench) -> None:
    disabled.give(invocation(4))
    disabled.configured.put("crm", CRM.replace("name: CRM", "name: New"))
    disabled.wake()
    [wish] = disabled.wishes()
    assert wish.only == {1, 3, 4}


def test_what_waits_for_a_slot_when_the_file_changes_is_sent_as_the_file_says_then(bench: Bench) -> None:
    bench.give(*offsets(1, 2, 3))
    bench.transport.queued = [one for one in bench.transport.wire if one.offset != 1]
    bench.transport.wire = bench.transport.wire[:1]
    bench.configured.put("crm", CRM.replace("name: CRM", "name: New"))
    bench.wake()
    [wish] = bench.wishes()
    assert (wish.first, wish.last, wish.only) == (2, 3, {2, 3})
    bench.transport.answer()
    assert verdicts(bench.wake()) == [(1, "delivered")]
    assert bench.status().owed == 2


def test_a_disabled_destination_is_waited_for_only_while_it_is_on_the_wire(disabled: Bench) -> None:
    assert not disabled.progress.drained()
    disabled.transport.answer()
    disabled.wake()
    assert disabled.progress.drained()


def test_a_disabled_destination_stops_no_source_and_is_looked_at_once_a_second(bench: Bench) -> None:
    bench.give(invocation(0))
    bench.configured.put("crm", OFF)
    bench.transport.answer()
    bench.give(*offsets(*range(1, 700)))
    assert bench.progress.may_read()
    at = bench.awake_at()
    assert at is not None
    assert at - bench.clock() >= 1.0


def test_a_disabled_destination_asks_for_nothing_and_what_was_read_for_it_stays_owed() -> None:
    bench = Bench(Policy(outbox=4))
    behind(bench, 6)
    bench.transport.slow = 0
    bench.transport.answer()
    bench.wake()
    assert len(bench.wishes()) == 1
    bench.configured.put("crm", OFF)
    bench.give(RangeRead("crm", STREAM, 0, 6))
    assert bench.wishes() == []
    bench.configured.put("crm", CRM)
    bench.wake()
    assert bench.wishes() == [Reread("crm", STREAM, 0, 4, 5, limit=4)]


def test_the_end_of_a_partition_counts_only_after_the_load_ahead_of_it(bench: Bench) -> None:
    bench.progress.part_opened("t/0")
    bench.progress.part_ended("t/0", ["crm"])
    bench.give(invocation(1), EndOfInput("t/0", "crm"))
    assert not bench.progress.drained()
    bench.transport.answer()
    bench.wake()
    assert bench.progress.drained()


def test_a_mark_alone_starts_a_destination(bench: Bench) -> None:
    bench.give(EndOfInput("t/0", "crm"))
    other = DeliverLogic(bench.shared, None)
    assert other.on_batch([RangeRead("crm", STREAM, 0, 1)])[1] is False


def test_at_the_end_it_waits_for_what_is_on_the_wire(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operators.deliver.sleep", bench.clock.advance)
    bench.give(*offsets(1, 2))
    bench.drain_until = bench.clock() + 60
    answer_at = bench.clock() + 5
    bench.transport.looked_at = lambda: bench.transport.answer() if bench.clock() >= answer_at else None
    results, discard = bench.logic.on_eof()
    assert (verdicts(list(results)), discard) == ([(1, "delivered"), (2, "delivered")], False)
    assert bench.clock() < bench.drain_until
    last = list(results)[-1]
    assert isinstance(last, Status)
    assert (last.delivered, last.owed) == (2, 0)


def test_at_the_end_it_waits_no_longer_than_the_grace_period(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operators.deliver.sleep", bench.clock.advance)
    bench.give(*offsets(1, 2))
    bench.transport.queued = [bench.transport.wire.pop()]
    bench.drain_until = bench.clock() + 3
    results, _ = bench.logic.on_eof()
    assert bench.transport.queued == [], "what has not left is taken back"
    assert 0 <= bench.clock() - bench.drain_until < 0.1
    (status,) = results
    assert isinstance(status, Status)
    assert status.owed == 2
    bench.restart()
    bench.wake()
    assert bench.wishes()[0].only == frozenset({1, 2})


def test_at_the_end_without_a_grace_period_it_does_not_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operators.deliver.sleep", lambda _: pytest.fail("slept"))
    bench.give(invocation(1))
    bench.logic.on_eof()


class AnsweringTransport(MemoryTransport):
    def submit(self, destination: str, policy: Policy, batch: Sequence[Invocation]) -> None:
        super().submit(destination, policy, batch)
        self.answer()


def run(items: list[Any], shared: Delivery, recovery: RecoveryConfig | None = None) -> list[Any]:
    out: list[Any] = []
    flow = Dataflow("flow")
    op.output("out", deliver("deliver", op.input("in", flow, TestingSource(items)), shared), TestingSink(out))
    run_main(flow, epoch_interval=timedelta(0), recovery_config=recovery)
    return out


def test_in_a_flow_each_destination_has_its_own_outbox() -> None:
    bench = Bench()
    bench.configured.put("ads", URL)
    items = [(id, invocation(offset, id)) for offset, id in enumerate(["crm", "ads", "crm"])]
    shared = Delivery(
        AnsweringTransport(), bench.handoff, bench.progress, bench.configured.find, bench.configured.removed
    )
    out = run(items, shared)
    assert sorted((key, item.offset) for key, item in out if isinstance(item, Outcome)) == [
        ("ads", 1), ("crm", 0), ("crm", 2),
    ]  # fmt: skip
    last = {key: item for key, item in out if isinstance(item, Status)}
    assert {key: (status.name, status.delivered) for key, status in last.items()} == {
        "crm": ("CRM", 2),
        "ads": ("ads", 1),
    }


def test_in_a_flow_that_is_killed_what_was_held_is_asked_for_again(tmp_path: Path) -> None:
    init_db_dir(tmp_path, 1)
    bench = Bench()
    items = [("crm", invocation(0)), ("crm", invocation(1)), TestingSource.ABORT(), ("crm", EndOfInput("t/0", "crm"))]
    run(items, bench.shared, RecoveryConfig(tmp_path))
    assert bench.transport.submitted == [0, 1]
    again = Bench()
    run(items, again.shared, RecoveryConfig(tmp_path))
    (wish,) = again.wishes()
    assert wish.only is not None
    assert {0} <= wish.only, "the last epoch before the end may come from the source again"
    assert {0, 1} <= wish.only | set(again.transport.submitted)


@pytest.mark.parametrize(
    ("policy", "events"),
    [
        (Policy(order="person"), 2),
        (Policy(rate=1.0, batch=Batch(max=2, wait_ms=100)), 5),
        (Policy(batch=Batch(max=9, wait_ms=400)), 3),
        (Policy(rate=1.0), 3),
    ],
)
def test_what_waits_for_an_answer_or_for_its_turn_keeps_nobody_awake(policy: Policy, events: int) -> None:
    bench = Bench(policy)
    bench.give(*(invocation(offset) for offset in range(events)))
    for _ in range(30):
        at = bench.awake_at()
        assert at is not None
        assert at > bench.clock(), "it would be called again at once, for ever"
        bench.clock.now = at
        bench.wake()

"""What people ask of a destination while it runs."""

from typing import Any

from records import (
    Command,
    CommandKind,
    HealthChange,
    Invocation,
    LogLine,
    Outcome,
    Policy,
    RangeRead,
    Span,
)
from tests.operators.deliver_bench import Bench
from tests.operators.stand import STREAM, invocation

POLICY = Policy(outbox=8, retries=0)


class Asked(Bench):
    """A logic, a person, and a log that holds every position below `end`."""

    def __init__(self, policy: Policy = POLICY) -> None:
        super().__init__(policy)
        self.number = 0
        self.sent: list[tuple[int, bool]] = []

    def ask(self, kind: CommandKind, **more: Any) -> list[Any]:
        self.number += 1
        return self.give(Command(self.number, "crm", kind, "anna", **more))

    def answer(self, status: int = 200) -> list[Any]:
        self.sent += [(one.offset, one.replayed) for one in self.transport.wire]
        self.transport.answer(status)
        return self.wake()

    def read(self) -> list[Any]:
        """Let the lane do what it is asked for, and the endpoint answer, until nothing more is asked."""
        results: list[Any] = []
        for _ in range(100):
            wishes = self.wishes()
            if not wishes and not self.transport.wire:
                break
            for wish in wishes:
                found = [o for o in range(wish.first, wish.last + 1) if wish.only is None or o in wish.only][
                    : wish.limit
                ]
                nothing_left = len(found) < wish.limit or found[-1] == wish.last
                upto = wish.last + 1 if nothing_left else found[-1] + 1
                results += self.give(
                    *(self.again(o) for o in found), RangeRead("crm", wish.stream, wish.partition, upto)
                )
            results += self.answer()
        return results

    def again(self, offset: int) -> Invocation:
        return invocation(offset, reread=True)


def lines(results: list[Any]) -> list[str]:
    return [result.message for result in results if isinstance(result, LogLine)]


def test_a_paused_destination_owes_what_matches_and_sends_it_when_it_is_enabled() -> None:
    bench = Asked()
    results = bench.ask(CommandKind.PAUSE)
    assert lines(results) == ["paused by anna: what matches is owed"]
    assert [r.after for r in results if isinstance(r, HealthChange)] == ["paused"]
    bench.give(*(invocation(offset) for offset in range(20)))
    assert (bench.transport.wire, bench.wishes()) == ([], [])
    assert (bench.status().state, bench.status().owed, bench.status().command) == ("paused", 20, 1)
    assert lines(bench.ask(CommandKind.ENABLE)) == ["enabled by anna: 20 that were missed will be sent"]
    bench.read()
    assert [offset for offset, _ in bench.sent] == list(range(20))
    assert (bench.status().state, bench.status().delivered, bench.status().owed) == ("live", 20, 0)


def test_enabling_can_give_up_what_was_missed() -> None:
    bench = Asked()
    bench.ask(CommandKind.DISABLE)
    bench.give(*(invocation(offset) for offset in range(20)))
    assert lines(bench.ask(CommandKind.ENABLE, skip_missed=True)) == [
        "enabled by anna: 20 that were missed are given up"
    ]  # fmt: skip
    bench.give(invocation(20))
    bench.read()
    assert [offset for offset, _ in bench.sent] == [20]
    assert (bench.status().matched, bench.status().delivered, bench.status().skipped) == (21, 1, 20)


def test_what_arrives_of_a_reread_that_was_given_up_is_dropped() -> None:
    bench = Asked()
    bench.ask(CommandKind.PAUSE)
    bench.give(*(invocation(offset) for offset in range(20)))
    bench.ask(CommandKind.ENABLE)
    [wish] = bench.wishes()
    bench.ask(CommandKind.PAUSE)
    bench.ask(CommandKind.ENABLE, skip_missed=True)
    bench.give(*(bench.again(offset) for offset in range(8)), RangeRead("crm", STREAM, 0, 8))
    bench.read()
    assert wish.limit == 8
    assert (bench.sent, bench.status().skipped, bench.status().matched) == ([], 20, 20)


def test_a_command_that_comes_again_after_a_restart_changes_nothing() -> None:
    bench = Asked()
    bench.ask(CommandKind.PAUSE)
    bench.restart()
    bench.number = 0
    assert bench.ask(CommandKind.PAUSE) == []
    assert bench.status().state == "paused"


def test_a_replay_sends_again_what_was_sent_and_says_so() -> None:
    bench = Asked()
    bench.give(*(invocation(offset) for offset in range(5)))
    bench.answer()
    results = bench.ask(CommandKind.REPLAY, spans=[Span(STREAM, 0, 0, 99)])
    assert lines(results) == [f"replay 1 begun by anna: 100 positions ({STREAM}/0:0 to 99)"]
    [progress] = bench.status().replays
    assert (progress.id, progress.total, progress.left, progress.matched) == (1, 100, 100, 0)
    assert not bench.progress.drained()
    assert lines(bench.read()) == ["replay 1 has read all of its 100 positions, and 100 of them matched"]
    assert bench.sent[5:] == [(offset, True) for offset in range(100)]
    assert (bench.status().matched, bench.status().delivered, bench.status().replays) == (105, 105, [])
    assert bench.progress.drained()


def test_live_events_go_on_while_a_replay_is_read() -> None:
    bench = Asked()
    bench.ask(CommandKind.REPLAY, spans=[Span(STREAM, 0, 0, 99)])
    bench.give(invocation(200))
    assert bench.transport.submitted == [200]
    assert bench.status().state == "live"


def test_what_was_missed_goes_before_what_is_replayed() -> None:
    bench = Asked()
    bench.ask(CommandKind.PAUSE)
    bench.ask(CommandKind.REPLAY, spans=[Span(STREAM, 0, 0, 9)])
    bench.give(*(invocation(offset) for offset in range(50, 60)))
    bench.ask(CommandKind.ENABLE)
    bench.read()
    assert bench.sent == [*((o, False) for o in range(50, 60)), *((o, True) for o in range(10))]


def test_a_replay_of_what_failed_makes_it_owed_again() -> None:
    bench = Asked()
    bench.give(*(invocation(offset) for offset in range(5)))
    bench.answer(404)
    assert (bench.status().failed, bench.status().owed) == (5, 0)
    bench.ask(CommandKind.REPLAY, spans=[Span(STREAM, 0, 1, 3, [1, 3])], failed=True)
    assert (bench.status().failed, bench.status().owed) == (3, 2)
    bench.read()
    assert bench.sent[5:] == [(1, True), (3, True)]
    assert (bench.status().matched, bench.status().failed, bench.status().delivered) == (5, 3, 2)


def test_a_replay_survives_a_restart_and_can_be_paused_and_cancelled() -> None:
    bench = Asked()
    bench.ask(CommandKind.REPLAY, spans=[Span(STREAM, 0, 0, 49), Span(STREAM, 1, 0, 49)])
    bench.restart()
    bench.wake()
    [wish] = bench.wishes()
    bench.ask(CommandKind.PAUSE_REPLAYS)
    bench.give(RangeRead("crm", STREAM, 0, 8))
    [progress] = bench.status().replays
    assert (bench.wishes(), progress.paused, progress.total, progress.left) == ([], True, 100, 92)
    assert bench.progress.drained(), "nobody waits for what a person has to begin"
    bench.ask(CommandKind.RESUME_REPLAYS)
    assert [w.first for w in bench.wishes()] == [8]
    assert lines(bench.ask(CommandKind.CANCEL_REPLAYS)) == ["replays cancelled by anna: nothing was missed"]
    bench.give(bench.again(8), RangeRead("crm", STREAM, 0, 9))
    assert (bench.wishes(), bench.transport.wire, bench.status().replays, wish.limit) == ([], [], [], 8)
    assert bench.status().matched == 0


def test_a_destination_that_has_seen_nothing_can_be_asked() -> None:
    bench = Asked()
    results = bench.ask(CommandKind.REPLAY, spans=[Span(STREAM, 0, 0, 2)])
    assert not [r for r in results if isinstance(r, Outcome)]
    bench.read()
    assert [offset for offset, _ in bench.sent] == [0, 1, 2]

"""A sick destination: quarantined, tried out, live again; nothing is lost and nothing of it uses up its retries."""

from records import HealthChange, Outcome, Policy, Quarantine, RangeRead, Verdict
from tests.operators.deliver_bench import Bench
from tests.operators.stand import STREAM, URL, invocation

SOON = Quarantine(errors_in_a_row=4, min_samples=4, periods_s=(60, 120), probes=2, disable_after=3)
POLICY = Policy(outbox=8, retries=3, quarantine=SOON)


def changes(results: list[object]) -> list[str]:
    return [result.after for result in results if isinstance(result, HealthChange)]


def sick() -> tuple[Bench, list[object]]:
    """A destination that has just been quarantined: four of its six requests were answered 500, two still are out."""
    bench = Bench(POLICY)
    bench.give(*(invocation(offset) for offset in range(6)))
    answered, bench.transport.wire = bench.transport.wire[:4], bench.transport.wire[4:]
    left, bench.transport.wire = bench.transport.wire, answered
    bench.transport.answer(500, b"it is broken")
    bench.transport.wire = left
    return bench, bench.wake()


def read(bench: Bench) -> list[int]:
    """Let the backlog lane read what it is asked for, until nothing more is asked; the offsets it brought."""
    brought: list[int] = []
    while wishes := bench.wishes():
        for wish in wishes:
            offsets = [o for o in range(wish.first, wish.last + 1) if wish.only is None or o in wish.only]
            offsets = offsets[: wish.limit]
            brought += offsets
            bench.give(*(invocation(offset, reread=True) for offset in offsets))
            bench.give(
                RangeRead("crm", STREAM, 0, next_offset=(offsets[-1] if len(offsets) == wish.limit else wish.last) + 1)
            )
    return brought


def test_a_quarantine_is_told_and_keeps_what_is_owed() -> None:
    bench, results = sick()
    assert changes(results) == ["degraded", "quarantined"]
    assert [r.verdict for r in results if isinstance(r, Outcome)] == [Verdict.RETRYING] * 4
    status = bench.status()
    assert (status.state, status.owed, status.backlog, status.failed) == ("quarantined", 6, 4, 0)
    assert "4 errors in a row" in status.reason
    assert status.response == "it is broken"
    assert status.until == status.since + 60


def test_matches_of_a_quarantined_destination_become_ranges_and_nothing_is_sent() -> None:
    bench, _ = sick()
    bench.give(*(invocation(offset) for offset in range(6, 100)))
    bench.transport.answer(500)
    bench.wake(30)
    assert bench.transport.wire == []
    assert bench.wishes() == []
    assert (bench.status().owed, bench.status().backlog) == (100, 100)


def test_probes_go_one_at_a_time_and_good_ones_bring_everything_back() -> None:
    bench, _ = sick()
    bench.give(*(invocation(offset) for offset in range(6, 20)))
    bench.transport.answer(200)
    assert changes(bench.wake(61)) == ["probing"]
    brought = read(bench)
    assert (len(bench.transport.wire), bench.status().state) == (1, "probing")
    at = bench.awake_at()
    assert at is not None
    assert at > bench.clock(), "those behind the probe wait for its answer"
    bench.transport.answer(200)
    bench.wake()
    assert len(bench.transport.wire) == 1
    bench.transport.answer(200)
    assert changes(bench.wake()) == ["healthy"]
    for _ in range(10):
        bench.transport.answer(200)
        bench.wake(1)
        brought += read(bench)
    assert sorted(brought) == [0, 1, 2, 3, *range(6, 20)]
    status = bench.status()
    assert (status.state, status.delivered, status.owed, status.failed) == ("live", 20, 0, 0)


def test_a_failed_probe_sends_it_back_and_the_last_one_disables_it() -> None:
    bench, _ = sick()
    bench.transport.answer(500)
    bench.wake()
    assert changes(bench.wake(61)) == ["probing"]
    read(bench)
    bench.transport.answer(500)
    assert changes(bench.wake()) == ["quarantined"]
    assert (bench.status().owed, bench.status().backlog, bench.transport.wire) == (6, 6, [])
    bench.wake(121)
    read(bench)
    bench.transport.answer(500)
    assert changes(bench.wake()) == ["disabled"]
    bench.wake(10_000)
    assert (bench.status().state, bench.status().owed, bench.transport.wire, bench.wishes()) == ("disabled", 6, [], [])
    assert bench.progress.drained(), "nobody waits for what a person has to begin"


def test_a_quarantine_that_ends_is_waited_for() -> None:
    bench, _ = sick()
    assert not bench.progress.drained()
    at = bench.awake_at()
    assert at is not None
    assert at <= bench.clock() + 1.1


def test_a_quarantine_survives_a_restart() -> None:
    bench, _ = sick()
    bench.restart()
    bench.wake()
    assert (bench.status().state, bench.status().owed) == ("quarantined", 6)
    bench.give(invocation(6))
    assert bench.transport.wire == []
    assert changes(bench.wake(61)) == ["probing"]


def test_a_reread_that_comes_after_sending_was_stopped_stays_owed() -> None:
    bench = Bench(POLICY)
    bench.give(*(invocation(offset) for offset in range(4)))
    bench.restart()
    bench.wake()
    [wish] = bench.wishes()
    bench.give(*(invocation(offset) for offset in range(10, 14)))
    bench.transport.answer(500)
    assert changes(bench.wake()) == ["degraded", "quarantined"]
    bench.give(*(invocation(offset, reread=True) for offset in sorted(wish.only or ())), RangeRead("crm", STREAM, 0, 4))
    assert bench.transport.wire == []
    assert (bench.status().owed, bench.status().matched) == (8, 8)


def test_refusals_are_marked_and_a_changed_file_takes_the_mark_away() -> None:
    bench = Bench(Policy(outbox=8, quarantine=SOON))
    bench.give(*(invocation(offset) for offset in range(5)))
    bench.transport.answer(401, b"who are you")
    assert changes(bench.wake()) == ["attention"]
    status = bench.status()
    assert (status.state, status.failed, status.response) == ("live", 5, "who are you")
    assert status.attention == "answered 401 Unauthorized: the credential is missing or wrong"
    bench.configured.put("crm", URL)
    bench.wake()
    assert bench.status().attention == ""

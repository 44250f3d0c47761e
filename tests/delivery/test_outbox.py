"""The outbox under a small model of the world: a log, a lane that re-reads it, an endpoint that does as it likes."""

import dataclasses
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery import KnownFailures, Outbox, OutboxState, Position, Reread, StateError, read_state
from delivery.positions import Positions
from records import (
    CUT_MARGIN_BYTES,
    KEPT_BODY_BYTES,
    Attempt,
    Command,
    CommandKind,
    ErrorKind,
    Invocation,
    Missed,
    Policy,
    RangeRead,
    Request,
    Response,
    Span,
    Verdict,
)

POLICY = Policy(outbox=4, retries=1)


def slow(policy: Policy, state: OutboxState | None = None, **more: Any) -> Outbox:
    """An outbox whose destination is known to be slow: it goes behind as soon as it is full."""
    outbox = Outbox("d", policy, state, **more)
    outbox.slow = True
    return outbox


STREAM = "kafka:t"


def invocation(offset: int, reread: bool = False) -> Invocation:
    return Invocation(
        f"id-{offset}", "d", STREAM, 0, offset, offset * 1000, f"u{offset}", "e", "x", Request("POST", "http://h/", {}),
        reread=reread,
    )  # fmt: skip


def ok(sent: Invocation) -> Attempt:
    return Attempt(sent, 0, 1, Response(200, {}, b""))


def account(outbox: Outbox) -> tuple[int, int]:
    return outbox.matched, outbox.delivered + outbox.failed + outbox.owed + outbox.expired + outbox.skipped


def test_a_match_is_sent_and_settled() -> None:
    outbox = Outbox("d", POLICY)
    outbox.accept(invocation(1), 10)
    (sent,) = outbox.take_to_send(10)
    assert outbox.owed == 1
    (outcome,) = outbox.settle([ok(sent)], 11)
    assert (outcome.verdict, outbox.delivered, outbox.owed) == (Verdict.DELIVERED, 1, 0)


def test_an_invocation_without_a_request_fails_at_once_with_its_position() -> None:
    outbox = Outbox("d", POLICY)
    broken = invocation(7)
    broken.work, broken.error = None, "input 'url': empty"
    outcome = outbox.accept(broken, 10)
    assert outcome is not None
    assert (outcome.verdict, outcome.offset, outcome.reason) == (Verdict.FAILED, 7, "input 'url': empty")
    assert account(outbox) == (1, 1)


def test_a_retry_waits_without_being_pending_and_comes_when_it_is_due() -> None:
    outbox = Outbox("d", POLICY, chance=lambda: 0.5)
    outbox.accept(invocation(1), 10)
    (sent,) = outbox.take_to_send(10)
    (outcome,) = outbox.settle([Attempt(sent, 10, 1, Response(503, {}, b"busy"))], 10)
    assert (outcome.verdict, outcome.body) == (Verdict.RETRYING, b"busy")
    assert (outbox.held.pending, outbox.held.waiting, outbox.owed, outbox.held.next_retry_at()) == (0, 1, 1, 11)
    assert outbox.take_to_send(10.9) == []
    (again,) = outbox.take_to_send(11)
    assert again.id == sent.id
    (outcome,) = outbox.settle([Attempt(again, 11, 1, error=ErrorKind.TIMEOUT, detail="no answer")], 12)
    assert (outcome.verdict, outbox.failed, outbox.owed) == (Verdict.FAILED, 1, 0)


def test_past_its_bound_the_outbox_notes_positions_and_asks_for_them_when_there_is_room() -> None:
    outbox = slow(Policy(outbox=4))
    for offset in range(10):
        outbox.accept(invocation(offset), 0)
    sent = outbox.take_to_send(0)
    assert [i.offset for i in sent] == [0, 1, 2, 3]
    assert outbox.behind
    assert outbox.next_read() is None
    outbox.settle([ok(i) for i in sent], 1)
    assert outbox.next_read() == Reread("d", STREAM, 0, 4, 9, limit=4)
    assert outbox.next_read() is None, "one re-read at a time"
    for offset in range(4, 8):
        outbox.accept(invocation(offset, reread=True), 1)
    outbox.range_read(RangeRead("d", STREAM, 0, next_offset=8))
    assert (outbox.matched, outbox.delivered, outbox.owed) == (10, 4, 6)


def test_one_that_is_not_slow_holds_more_for_a_moment_because_the_sources_wait() -> None:
    outbox = Outbox("d", Policy(outbox=4))
    for offset in range(40):
        outbox.accept(invocation(offset), 0)
    assert len(outbox.take_to_send(0)) == 32
    assert len(outbox.backlog) == 8


def test_a_span_never_covers_what_was_sent_at_once() -> None:
    outbox = slow(Policy(outbox=4))
    for offset in range(6):
        outbox.accept(invocation(offset), 0)
    outbox.settle([ok(i) for i in outbox.take_to_send(0)], 1)
    outbox.next_read()
    assert not outbox.behind
    for offset in range(6, 12):
        outbox.accept(invocation(offset), 1)
    spans = [(r.first, r.last, r.count) for r in outbox.backlog.ranges]
    assert spans == [(4, 5, 2), (10, 11, 2)]


def test_what_no_longer_matches_is_skipped_and_what_is_gone_is_expired() -> None:
    outbox = slow(Policy(outbox=2))
    for offset in range(6):
        outbox.accept(invocation(offset), 0)
    outbox.settle([ok(i) for i in outbox.take_to_send(0)], 1)
    outbox.next_read()
    outbox.accept(invocation(4, reread=True), 2)
    outbox.range_read(RangeRead("d", STREAM, 0, next_offset=6, missing=1))
    assert (outbox.expired, outbox.skipped, outbox.owed) == (1, 2, 1)
    assert account(outbox) == (6, 6)


def test_what_a_re_read_brings_once_it_was_switched_off_meanwhile_is_read_once_more() -> None:
    outbox = slow(Policy(outbox=2))
    for offset in range(6):
        outbox.accept(invocation(offset), 0)
    outbox.settle([ok(i) for i in outbox.take_to_send(0)], 1)
    assert outbox.next_read() == Reread("d", STREAM, 0, 2, 5, limit=2)
    outbox.accept(invocation(2, reread=True), 2)
    outbox.interrupt()
    outbox.recall([])
    # Position 3 came while it was off, and is not the end of what is read.
    outbox.accept(invocation(4, reread=True), 4)
    outbox.range_read(RangeRead("d", STREAM, 0, next_offset=6))
    assert (outbox.owed, outbox.skipped) == (4, 0)
    assert account(outbox) == (6, 6)
    exact, rest = outbox.next_read(), outbox.backlog.ranges[1]
    assert exact == Reread("d", STREAM, 0, 2, 2, limit=2, only=frozenset({2}))
    assert (rest.first, rest.last, rest.count) == (3, 5, 3)


def test_a_span_does_not_grow_over_what_a_cap_may_have_held_back_meanwhile() -> None:
    outbox = Outbox("d", POLICY)
    outbox.health.disable(0, "by hand")
    for offset in range(2):
        outbox.accept(invocation(offset), 0)
    # With a cap that lets nothing pass, and without it again.
    outbox.interrupt()
    outbox.recall([])
    outbox.interrupt()
    outbox.recall([])
    for offset in range(8, 10):
        outbox.accept(invocation(offset), 3)
    assert [(one.first, one.last, one.count) for one in outbox.backlog.ranges] == [(0, 1, 2), (8, 9, 2)]


def test_a_snapshot_holds_positions_and_no_request() -> None:
    outbox = Outbox("d", POLICY)
    secret = invocation(1)
    secret.work = Request("POST", "http://h/", {"authorization": "Bearer hunter2"}, b"hunter2")
    outbox.accept(secret, 0)
    snapshot = outbox.snapshot()
    assert b"hunter2" not in snapshot
    restored = Outbox("d", POLICY, read_state(snapshot))
    assert restored.owed == 1
    assert restored.next_read() == Reread("d", STREAM, 0, 1, 1, limit=4, only=frozenset({1}))


def test_a_snapshot_of_another_version_is_refused_with_what_to_do() -> None:
    with pytest.raises(StateError, match="state of destination 'd' has version 99, this Offramp reads 4; start the"):
        read_state(msgspec.msgpack.encode({"version": 99, "destination": "d"}))
    with pytest.raises(StateError, match="cannot be read"):
        read_state(b"\xff\x00")


def test_a_damaged_set_of_positions_is_refused() -> None:
    outbox = Outbox("d", POLICY)
    outbox.accept(invocation(1), 0)
    outbox.recall([i.id for i in outbox.take_to_send(0)])
    good = outbox.snapshot()
    [r] = read_state(good).ranges
    assert r.only is not None
    for bad in (b"", b"\xff" * 40):
        snapshot = good.replace(msgspec.msgpack.encode(r.only.serialize()), msgspec.msgpack.encode(bad))
        with pytest.raises(StateError, match="cannot be read"):
            read_state(snapshot)


@dataclasses.dataclass
class World:
    """Everything around one outbox: the log's end, what the endpoint received, and the last snapshot."""

    outbox: Outbox
    next_offset: int = 0
    saved: bytes = b""
    saved_offset: int = 0
    now: float = 0.0
    on_the_wire: list[Invocation] = dataclasses.field(default_factory=list)
    wish: Reread | None = None
    received: set[int] = dataclasses.field(default_factory=set)

    def step(self, action: str, chance: random.Random) -> None:
        self.now += chance.random()
        if action == "read":
            for _ in range(chance.randrange(6)):
                self.outbox.accept(invocation(self.next_offset), self.now)
                self.next_offset += 1
        elif action == "answer":
            chance.shuffle(self.on_the_wire)
            ended = [self.on_the_wire.pop() for _ in range(min(len(self.on_the_wire), chance.randrange(4)))]
            self.outbox.settle([self.answer(i, chance) for i in ended], self.now)
        elif action == "lane" and self.wish is not None:
            wish, self.wish = self.wish, None
            upto = min(wish.last, wish.first + wish.limit - 1)
            for offset in range(wish.first, upto + 1):
                if wish.only is None or offset in wish.only:
                    self.outbox.accept(invocation(offset, reread=True), self.now)
            self.outbox.range_read(RangeRead("d", STREAM, 0, upto + 1))
        elif action == "save":
            self.saved, self.saved_offset = self.outbox.snapshot(), self.next_offset
        elif action == "crash":
            state = read_state(self.saved) if self.saved else None
            self.outbox = slow(POLICY, state, chance=chance.random)
            self.next_offset, self.wish, self.on_the_wire = self.saved_offset, None, []
        self.on_the_wire += self.outbox.take_to_send(self.now)
        if self.wish is None:
            self.wish = self.outbox.next_read()

    def answer(self, sent: Invocation, chance: random.Random) -> Attempt:
        if chance.random() < 0.5:
            self.received.add(sent.offset)
            return ok(sent)
        if chance.random() < 0.1:
            return Attempt(sent, self.now, 1, error=ErrorKind.RESET, detail="reset", reused=True)
        return Attempt(sent, self.now, 1, Response(chance.choice([404, 500]), {}, b""))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_snapshot_of_an_earlier_version_is_read(version: int) -> None:
    written = {
        "version": version,
        "destination": "d",
        "matched": 9,
        "delivered": 2,
        "failed": 1,
        "expired": 0,
        "skipped": 1,
        "held": [[STREAM, 0, [7], 1.0]],
        "ranges": [
            {"stream": STREAM, "partition": 0, "first": 8, "last": 20, "count": 3, "since": 2.0},
            {"stream": STREAM, "partition": 1, "first": 3, "last": 3, "count": 1, "since": 2.0, "only": [3]},
        ],
        **({"uncounted": [[STREAM, 1, 3]]} if version > 2 else {}),
        **({"health": {"name": "disabled", "quarantines": [1.0]}, "command": 5} if version > 1 else {}),
    }
    outbox = Outbox("d", POLICY, read_state(msgspec.msgpack.encode(written)))
    assert (account(outbox), outbox.owed, outbox.command) == ((9, 9), 5, 5 if version > 1 else 0)
    assert outbox.health.state.name == ("disabled" if version > 1 else "healthy")


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from(["read", "answer", "lane", "save", "crash"]), max_size=60),
    st.randoms(use_true_random=False),
)
def test_the_account_holds_after_every_step_and_nothing_is_lost(actions: list[str], chance: random.Random) -> None:
    world = World(slow(POLICY, chance=chance.random))
    for action in actions:
        world.step(action, chance)
        assert account(world.outbox) == (world.next_offset, world.next_offset)
        assert len(world.outbox.held) <= POLICY.outbox + POLICY.outbox
    failed = set()
    for _ in range(500):
        if not world.outbox.owed:
            break
        world.now += 60
        world.step("lane", chance)
        ended, world.on_the_wire = world.on_the_wire, []
        for outcome in world.outbox.settle([world.answer(i, chance) for i in ended], world.now):
            if outcome.verdict is Verdict.FAILED:
                failed.add(outcome.offset)
    assert world.outbox.owed == 0
    assert world.outbox.delivered + world.outbox.failed == world.next_offset


def test_of_a_span_that_is_partly_gone_only_the_matches_that_did_not_come_have_expired() -> None:
    outbox = slow(Policy(outbox=4))
    for offset in range(0, 1000, 10):
        outbox.accept(invocation(offset), 0)
    outbox.settle([ok(i) for i in outbox.take_to_send(0)], 1)
    # The span is 40 to 990 with 96 matches; the log now begins at 500.
    assert outbox.next_read() == Reread("d", STREAM, 0, 40, 990, limit=4)
    outbox.range_read(RangeRead("d", STREAM, 0, next_offset=500, missing=460))
    assert (outbox.owed, outbox.expired) == (96, 0), "how many of them had matched is not known yet"
    for offset in range(500, 1000, 10):
        outbox.accept(invocation(offset, reread=True), 1)
    outbox.next_read()
    outbox.settle([ok(i) for i in outbox.take_to_send(1)], 2)
    outbox.next_read()
    assert outbox.range_read(RangeRead("d", STREAM, 0, next_offset=991)).expired == 46
    assert (outbox.matched, outbox.delivered, outbox.expired, outbox.skipped, outbox.owed) == (100, 54, 46, 0, 0)


def test_what_somebody_removed_had_wished_for_moves_nothing() -> None:
    outbox = slow(Policy(outbox=2))
    for offset in range(100, 106):
        outbox.accept(invocation(offset), 0)
    outbox.range_read(RangeRead("d", STREAM, 1, next_offset=5000))
    outbox.settle([ok(i) for i in outbox.take_to_send(0)], 1)
    assert outbox.next_read() == Reread("d", STREAM, 0, 102, 105, limit=2)
    outbox.range_read(RangeRead("d", STREAM, 1, next_offset=5000))
    outbox.range_read(RangeRead("d", STREAM, 0, next_offset=5000))
    stale = invocation(7000, reread=True)
    outbox.accept(stale, 1)
    assert [(r.first, r.last, r.count) for r in outbox.backlog.ranges] == [(102, 105, 4)]
    assert account(outbox) == (7, 7)


def test_a_log_that_begins_anew_while_the_destination_is_behind_makes_a_range_of_its_own() -> None:
    outbox = slow(Policy(outbox=2))
    for offset in (1000, 1010, 1020, 1030, 0, 8):
        outbox.accept(invocation(offset), 0)
    assert [(r.first, r.last, r.count) for r in outbox.backlog.ranges] == [(1020, 1030, 2), (0, 8, 2)]
    same = invocation(1000)
    outbox.accept(same, 0)
    assert account(outbox) == (6, 6)


def test_a_changed_configuration_recalls_what_is_not_on_the_wire() -> None:
    outbox = Outbox("d", POLICY, chance=lambda: 0.5)
    for offset in (1, 2, 3, 4):
        outbox.accept(invocation(offset), 0)
    sent = outbox.take_to_send(0)
    outbox.settle([Attempt(sent[0], 0, 1, Response(503, {}, b""))], 0)
    outbox.accept(invocation(5), 0)
    outbox.recall([sent[2].id])
    assert [(r.first, r.last, list(r.only or ())) for r in outbox.backlog.ranges] == [(1, 5, [1, 3, 5])]
    assert (outbox.held.pending, outbox.held.waiting, outbox.take_to_send(99)) == (2, 0, [])
    assert account(outbox) == (5, 5)
    outbox.settle([ok(sent[1]), ok(sent[3])], 1)
    assert (outbox.delivered, outbox.owed) == (2, 3)


def test_what_cannot_be_read_again_is_sent_as_it_was() -> None:
    outbox = Outbox("d", POLICY)
    for offset in (1, 2):
        piped = invocation(offset)
        piped.stream = "-"
        outbox.accept(piped, 0)
    sent = outbox.take_to_send(0)
    outbox.recall([sent[1].id])
    assert [one.offset for one in outbox.take_to_send(0)] == [2]
    assert (outbox.owed, len(outbox.backlog)) == (2, 0)


def test_a_long_answer_is_cut_only_where_no_part_of_a_secret_can_be_left() -> None:
    secret = b"s3cret-" * 20
    outbox = Outbox("d", POLICY, redact=lambda text: text.replace(secret, b"***"))
    read = KEPT_BODY_BYTES + CUT_MARGIN_BYTES
    for offset in range(3):
        outbox.accept(invocation(offset), 0)
    sent = outbox.take_to_send(0)
    straddling = b"x" * (KEPT_BODY_BYTES - 7) + secret
    masked = secret * (read // len(secret)) + secret
    bodies = [straddling.ljust(read, b"x"), masked[:read], b"short " + secret]
    truncated = [True, True, False]
    answers = [Response(400, {}, body, cut) for body, cut in zip(bodies, truncated, strict=True)]
    shown = [o.body for o in outbox.settle([Attempt(i, 0, 1, a) for i, a in zip(sent, answers, strict=True)], 1)]
    assert all(b"s3cret" not in body and len(body) <= KEPT_BODY_BYTES for body in shown)
    assert (len(shown[0]), shown[2]) == (KEPT_BODY_BYTES - len(secret) + len(b"***"), b"short ***")


def test_what_was_on_the_wire_when_the_configuration_changed_is_tried_again_as_things_are_then() -> None:
    outbox = Outbox("d", POLICY)
    for offset in (1, 2):
        outbox.accept(invocation(offset), 0)
    sent = outbox.take_to_send(0)
    outbox.recall([])
    outbox.settle([Attempt(sent[0], 0, 1, Response(503, {}, b"")), ok(sent[1])], 1)
    assert (outbox.held.waiting, outbox.held.next_retry_at(), outbox.delivered, account(outbox)) == (0, None, 1, (2, 2))
    assert [list(r.only or ()) for r in outbox.backlog.ranges] == [[1]]


def test_what_cannot_be_read_again_is_never_put_behind() -> None:
    outbox = slow(Policy(outbox=4))
    for offset in range(100):
        piped = invocation(offset)
        piped.stream = "-"
        outbox.accept(piped, 0)
    assert (outbox.behind, outbox.held.unrepeatable, len(outbox.backlog)) == (False, 100, 0)
    outbox.settle([ok(i) for i in outbox.take_to_send(0)], 1)
    assert (outbox.held.unrepeatable, outbox.delivered) == (0, 100)


def test_what_is_owed_of_a_stream_that_is_no_input_any_more_waits_and_holds_up_nothing() -> None:
    outbox = slow(Policy(outbox=4))
    for offset in range(10):
        outbox.accept(invocation(offset), 0)
    restored = Outbox("d", POLICY, read_state(outbox.snapshot()), readable=lambda stream: stream != STREAM)
    assert restored.unreadable() == {STREAM: 10}
    assert restored.next_read() is None
    restored.backlog.add_exactly(Positions("kafka:other", 0, [7], 0))
    restored.backlog.ranges.append(restored.backlog.ranges.pop(0))
    assert restored.next_read() == Reread("d", "kafka:other", 0, 7, 7, limit=4, only=frozenset({7}))
    assert account(restored) == (10, 11)
    returned = Outbox("d", POLICY, read_state(restored.snapshot()))
    assert returned.unreadable() == {}
    assert returned.next_read() is not None


def test_what_has_failed_is_owed_in_a_snapshot_until_the_ledger_has_it() -> None:
    outbox = Outbox("d", POLICY)
    for offset in (1, 2):
        outbox.accept(invocation(offset), 10)
        outbox.settle([refused(sent) for sent in outbox.take_to_send(10)], 10 + offset)
    outbox.unlisted.listed(11)
    assert (outbox.failed, outbox.owed, len(outbox.unlisted)) == (2, 0, 1)
    restarted = Outbox("d", POLICY, read_state(outbox.snapshot()))
    assert (restarted.failed, restarted.owed) == (1, 1)
    wish = restarted.next_read()
    assert wish is not None
    assert wish.only == frozenset({2})
    outbox.unlisted.listed(12)
    assert read_state(outbox.snapshot()).failed == 2


def test_what_the_ledger_has_from_before_a_crash_and_is_delivered_now_says_so() -> None:
    outbox = Outbox("d", POLICY, known=KnownFailures(listed=[Position(STREAM, 0, 1), Position(STREAM, 0, 2)]))
    for offset in (1, 2, 3):
        outbox.accept(invocation(offset), 20)
    sent = outbox.take_to_send(20)
    good, bad, never_failed = outbox.settle([ok(sent[0]), refused(sent[1]), ok(sent[2])], 20)
    assert (good.listed, bad.listed, never_failed.listed) == (True, False, False)


def test_what_was_missed_in_a_row_is_owed_and_closes_it_again() -> None:
    outbox = Outbox("d", POLICY)
    outbox.accept(invocation(1), 10)
    outbox.miss(Missed("d", STREAM, 0, 2, 9, 5, 2000))
    outbox.accept(invocation(10), 10)
    assert (outbox.closed, outbox.matched, outbox.owed, len(outbox.backlog)) == (True, 7, 7, 6)
    (sent,) = outbox.take_to_send(10)
    outbox.settle([ok(sent)], 10)
    wish = outbox.next_read()
    assert wish is not None
    assert (sent.offset, wish.first, wish.last) == (1, 2, 10), "its range covers what came behind it"


def test_a_cap_that_comes_and_goes_while_the_destination_is_closed_leaves_no_span_over_what_it_held_back() -> None:
    outbox = Outbox("d", POLICY)
    outbox.health.disable(0, "by hand")
    outbox.miss(Missed("d", STREAM, 0, 1, 3, 3, 0))
    outbox.miss(Missed("d", STREAM, 0, 5, 5, 1, 0, exact=True))
    outbox.miss(Missed("d", STREAM, 0, 8, 9, 2, 0))
    covered = {offset for offset in range(12) if any(r.holds(offset) for r in outbox.backlog.ranges)}
    assert covered == {1, 2, 3, 5, 8, 9}


def test_two_events_at_one_position_of_a_log_made_anew_are_both_in_the_account_after_a_restart() -> None:
    outbox = Outbox("d", POLICY)
    outbox.accept(invocation(5), 10)
    outbox.accept(msgspec.structs.replace(invocation(5), id="another"), 10)
    restored = Outbox("d", POLICY, read_state(outbox.snapshot()))
    assert account(restored) == (2, 2)
    assert restored.next_read() is not None
    restored.accept(invocation(5, reread=True), 11)
    restored.range_read(RangeRead("d", STREAM, 0, 6))
    assert (restored.owed, restored.skipped, account(restored)) == (1, 1, (2, 2))


def test_what_cannot_be_rendered_while_the_destination_is_closed_is_owed_and_has_not_failed_yet() -> None:
    outbox = Outbox("d", POLICY)
    outbox.health.disable(0, "by hand")
    broken, whole = (msgspec.structs.replace(invocation(7), id=name, mapping=name) for name in "ab")
    broken.work, broken.error = None, "input 'url': empty"
    assert outbox.accept_together([broken, whole], 10) == []
    assert (outbox.failed, outbox.owed, account(outbox)) == (0, 2, (2, 2))


def test_the_oldest_that_is_owed_becomes_younger_as_the_backlog_is_sent() -> None:
    outbox = slow(Policy(outbox=1))
    outbox.accept(invocation(0), 0)
    for offset in range(1, 101):
        outbox.accept(invocation(offset), offset)
    assert outbox.status("D", 100, 0).oldest == {STREAM: 0.0}
    (sent,) = outbox.take_to_send(100)
    outbox.settle([ok(sent)], 100)
    for offset in range(1, 51):
        assert outbox.next_read() is not None
        outbox.accept(invocation(offset, reread=True), 100)
        outbox.range_read(RangeRead("d", STREAM, 0, offset + 1))
        (sent,) = outbox.take_to_send(100)
        outbox.settle([ok(sent)], 100)
    status = outbox.status("D", 110, 0)
    assert (status.oldest, status.lag_s) == ({STREAM: pytest.approx(51, abs=1)}, pytest.approx(59, abs=1))


def test_a_restart_while_something_is_owed_makes_no_new_ranges() -> None:
    outbox = Outbox("d", POLICY)
    outbox.health.disable(0, "by hand")
    for offset in range(300):
        outbox.accept(invocation(offset), 0)
        outbox = Outbox("d", POLICY, read_state(outbox.snapshot()))
    assert [(r.first, r.last, r.count) for r in outbox.backlog.ranges] == [(0, 299, 300)]


def test_after_a_restart_no_range_covers_what_is_sent_at_once() -> None:
    outbox = slow(POLICY)
    for offset in range(5):
        outbox.accept(invocation(offset), 0)
    outbox.settle([ok(sent) for sent in outbox.take_to_send(0)], 0)
    restarted = slow(POLICY, read_state(outbox.snapshot()))
    restarted.accept(invocation(5), 0)
    restarted.miss(Missed("d", STREAM, 0, 6, 6, 1, 0))
    assert [sent.offset for sent in restarted.take_to_send(0)] == [5]
    assert [(r.first, r.last) for r in restarted.backlog.ranges] == [(4, 4), (6, 6)]


@pytest.mark.parametrize("how", ["restart", "another file"])
def test_what_was_replayed_and_held_says_so_when_it_is_read_again(how: str) -> None:
    outbox = Outbox("d", Policy())
    outbox.accept(invocation(20), 0)
    outbox.replay(Command(1, "d", CommandKind.REPLAY, spans=[Span(STREAM, 0, 0, 9)]), 0)
    assert outbox.next_read() is not None
    outbox.accept(invocation(0, reread=True), 0)
    outbox.range_read(RangeRead("d", STREAM, 0, 10))
    if how == "restart":
        outbox = Outbox("d", Policy(), read_state(outbox.snapshot()))
    else:
        outbox.recall(())
    sent: dict[int, bool] = {}
    while (wish := outbox.next_read()) is not None:
        outbox.accept(invocation(wish.first, reread=True), 0)
        outbox.range_read(RangeRead("d", STREAM, 0, wish.last + 1))
        sent |= {one.offset: one.replayed for one in outbox.take_to_send(0)}
    assert sent == {0: True, 20: False}
    assert account(outbox) == (2, 2)


def test_what_the_ledger_has_from_before_two_crashes_is_not_forgotten() -> None:
    outbox = Outbox("d", POLICY, known=KnownFailures(9, boundary=5, listed=[Position(STREAM, 0, 1)]))
    outbox.accept(invocation(2), 20)
    outbox.settle([refused(sent) for sent in outbox.take_to_send(20)], 20)
    outbox.unlisted.listed(20)
    state = read_state(outbox.snapshot())
    outbox = Outbox("d", POLICY, state, known=KnownFailures(25, state.listed_until, state.uncounted))
    outbox.accept(invocation(1), 30)
    (outcome,) = outbox.settle([ok(sent) for sent in outbox.take_to_send(30)], 30)
    assert outcome.listed


def test_a_replay_of_what_failed_takes_no_count_of_what_is_owed_already() -> None:
    outbox = Outbox("d", POLICY, known=KnownFailures(9, boundary=5, listed=[Position(STREAM, 0, 1)]))
    outbox.accept(invocation(1), 10)
    outbox.accept(invocation(2), 10)
    _, sent = outbox.take_to_send(10)
    outbox.settle([refused(sent)], 10)
    spans = [Span(STREAM, 0, 1, 1, [1], "", [8.0])]
    assert outbox.replay(Command(1, "d", CommandKind.REPLAY, spans=spans, failed=True), 10) == 0
    assert (outbox.failed, outbox.owed, account(outbox)) == (1, 1, (2, 2))
    # It has failed in this life, too, and is counted now.
    spans = [Span(STREAM, 0, 2, 2, [2], "", [10.0])]
    assert outbox.replay(Command(2, "d", CommandKind.REPLAY, spans=spans, failed=True), 10) == 1
    assert (outbox.failed, outbox.owed, account(outbox)) == (0, 2, (2, 2))


def refused(sent: Invocation) -> Attempt:
    return Attempt(sent, 0, 1, Response(404, {}, b""))

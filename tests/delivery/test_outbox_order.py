"""What an outbox promises of order: of one person nothing new is sent before what is older has been settled."""

import msgspec

from delivery import KnownFailures, Outbox, Position, read_state
from records import Attempt, Command, CommandKind, ErrorKind, Invocation, Policy, RangeRead, Span
from tests.delivery.test_outbox import STREAM, account, invocation, ok, slow

ORDERED = Policy(order="person", outbox=100)


def test_what_was_being_read_again_when_sending_stopped_keeps_its_order() -> None:
    outbox = Outbox("d", ORDERED)
    outbox.health.disable(0, "by hand")
    for offset in range(1, 7):
        outbox.accept(invocation(offset), 10)
    outbox.health.enable(1, "by hand")
    assert outbox.next_read() is not None
    outbox.health.disable(2, "by hand")
    for offset in range(1, 4):
        outbox.accept(invocation(offset, reread=True), 11)
    # The re-read has ended in the middle.
    outbox.range_read(RangeRead("d", STREAM, 0, 4))
    outbox.health.enable(3, "by hand")
    first = outbox.next_read()
    assert first is not None
    assert (first.first, first.last, first.only) == (1, 3, frozenset({1, 2, 3}))
    assert account(outbox) == (6, 6)


def test_with_an_order_nothing_new_is_sent_before_what_has_to_be_read_again() -> None:
    outbox = Outbox("d", ORDERED)
    outbox.accept(invocation(1), 10)
    restarted = Outbox("d", ORDERED, read_state(outbox.snapshot()))
    outbox.recall([])
    for one in (outbox, restarted):
        one.accept(invocation(2), 11)
        assert one.take_to_send(11) == []
        wish = one.next_read()
        assert wish is not None
        assert wish.first == 1


def test_with_an_order_what_was_on_the_wire_when_sending_stopped_is_tried_again_before_what_is_newer() -> None:
    outbox = Outbox("d", ORDERED)
    outbox.accept(invocation(1), 10)
    (sent,) = outbox.take_to_send(10)
    outbox.health.disable(10, "by hand")
    outbox.recall([])
    for offset in (2, 3):
        outbox.accept(invocation(offset), 11)
    outbox.health.enable(12, "by hand")
    assert outbox.next_read() is not None
    outbox.accept(invocation(2, reread=True), 12)
    assert outbox.take_to_send(12) == []
    outbox.settle([Attempt(sent, 10, 1, None, ErrorKind.TIMEOUT)], 13)
    outbox.accept(invocation(3, reread=True), 13)
    assert outbox.take_to_send(13) == []
    outbox.range_read(RangeRead("d", STREAM, 0, 4))
    wish = outbox.next_read()
    assert wish is not None
    assert wish.only == frozenset({1, 2, 3})
    assert account(outbox) == (3, 3)


def test_with_an_order_a_destination_under_load_catches_up_and_keeps_the_order() -> None:
    outbox = slow(Policy(outbox=4, order="person"))
    for offset in range(6):
        outbox.accept(invocation(offset), 0)
    sent: list[int] = []
    offset = 6
    for turn in range(12):
        # While a re-read is under way, new ones come.
        wish = outbox.next_read()
        outbox.accept(invocation(offset), turn)
        offset += 1
        if wish is not None:
            read = range(wish.first, min(wish.last, wish.first + wish.limit - 1) + 1)
            for at in read:
                outbox.accept(invocation(at, reread=True), turn)
            outbox.range_read(RangeRead("d", STREAM, 0, read[-1] + 1))
        outbox.next_read()
        while batch := outbox.take_to_send(turn):
            sent += [one.offset for one in batch]
            outbox.settle([ok(one) for one in batch], turn)
    assert not outbox.behind
    assert sent == sorted(sent) == list(range(offset))
    assert account(outbox) == (offset, offset)


def test_with_an_order_what_waits_for_what_is_older_is_owed_when_sending_stops() -> None:
    outbox = slow(Policy(outbox=8, order="person"))
    outbox.health.disable(0, "by hand")
    for offset in range(3):
        outbox.accept(invocation(offset), 0)
    outbox.health.enable(1, "by hand")
    assert outbox.next_read() is not None
    outbox.accept(invocation(3), 1)
    assert (outbox.take_to_send(1), outbox.owed) == ([], 4)
    restored = Outbox("d", Policy(outbox=8, order="person"), read_state(outbox.snapshot()))
    assert (restored.owed, account(restored)) == (4, (4, 4))
    outbox.health.disable(2, "by hand")
    outbox.interrupt()
    outbox.recall([])
    outbox.range_read(RangeRead("d", STREAM, 0, 3))
    outbox.health.enable(3, "by hand")
    for box in (outbox, restored):
        sent: list[int] = []
        while (wish := box.next_read()) is not None:
            for at in range(wish.first, wish.last + 1):
                if wish.only is None or at in wish.only:
                    box.accept(invocation(at, reread=True), 3)
            box.range_read(RangeRead("d", STREAM, 0, wish.last + 1))
            while batch := box.take_to_send(3):
                sent += [one.offset for one in batch]
                box.settle([ok(one) for one in batch], 3)
        assert sent == [0, 1, 2, 3]
        assert account(box) == (4, 4)


def test_a_replay_of_what_failed_leaves_out_what_waits_for_what_is_older() -> None:
    outbox = Outbox("d", ORDERED, known=KnownFailures(9, boundary=5, listed=[Position(STREAM, 0, 2)]))
    outbox.accept(invocation(1), 10)
    outbox.recall([])
    assert outbox.next_read() is not None
    # The live lane brings again what had failed after the last snapshot.
    outbox.accept(invocation(2), 10)
    spans = [Span(STREAM, 0, 2, 2, [2], "", [8.0])]
    assert outbox.replay(Command(1, "d", CommandKind.REPLAY, spans=spans, failed=True), 10) == 0
    assert (outbox.owed, account(outbox)) == (2, (2, 2))


def both(offset: int, reread: bool = False) -> list[Invocation]:
    """What two mappings make of one event."""
    one = invocation(offset, reread)
    return [msgspec.structs.replace(one, id=f"{one.id}-{name}", mapping=name, together=2) for name in ("a", "b")]


def test_with_an_order_what_two_mappings_had_made_is_read_again_in_one_go() -> None:
    outbox = Outbox("d", ORDERED)
    for offset in range(5):
        outbox.accept_together(both(offset), 0)
    outbox.recall([])
    wish = outbox.next_read()
    assert wish is not None
    assert (wish.only, wish.mapping, outbox.owed) == (frozenset(range(5)), "", 10)
    for offset in range(5):
        outbox.accept_together(both(offset, reread=True), 1)
    outbox.range_read(RangeRead("d", STREAM, 0, 5))
    assert (len(outbox.held), len(outbox.backlog), account(outbox)) == (10, 0, (10, 10))


def test_with_an_order_a_mapping_that_is_left_alone_is_read_again_alone() -> None:
    outbox = Outbox("d", Policy(outbox=100))
    outbox.accept_together(both(7), 0)
    first, _ = outbox.take_to_send(0)
    outbox.settle([ok(first)], 1)
    restored = Outbox("d", ORDERED, read_state(outbox.snapshot()))
    wish = restored.next_read()
    assert wish is not None
    assert (wish.only, wish.mapping, restored.owed) == (frozenset({7}), "b", 1)


def test_with_an_order_a_change_while_what_is_older_is_read_again_lets_nothing_overtake() -> None:
    outbox = slow(Policy(outbox=8, order="person"))
    outbox.health.disable(0, "by hand")
    outbox.accept(invocation(1), 0)
    outbox.health.enable(1, "by hand")
    assert outbox.next_read() is not None
    outbox.recall([])
    outbox.accept(invocation(2), 1)
    assert outbox.take_to_send(1) == []


def test_an_order_that_is_added_holds_for_what_is_owed_already() -> None:
    outbox = Outbox("d", Policy(outbox=100))
    outbox.health.disable(0, "by hand")
    outbox.accept(invocation(1), 0)
    outbox.health.enable(1, "by hand")
    assert outbox.next_read() is not None
    outbox.policy = ORDERED
    outbox.accept(invocation(2), 1)
    assert outbox.take_to_send(1) == []

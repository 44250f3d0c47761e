"""Slots: limits that hold at every moment, and turns that reach everybody."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from delivery.slots import Slot, Slots


def taken(slots: Slots[str], now: float = 0.0) -> list[Slot[str]]:
    """Everything that may go out at this moment."""
    out = []
    while (slot := slots.take(now)) is not None:
        out.append(slot)
    return out


def items(out: list[Slot[str]]) -> list[str]:
    return [slot.item for slot in out]


def test_a_destination_gets_no_more_than_its_concurrency() -> None:
    slots: Slots[str] = Slots(total=10)
    slots.add("a", 2, ["a1", "a2", "a3"])
    out = taken(slots)
    assert items(out) == ["a1", "a2"]
    assert slots.out("a") == 2
    slots.release(out[0])
    assert items(taken(slots)) == ["a3"]


def test_the_total_bounds_all_destinations_together() -> None:
    slots: Slots[str] = Slots(total=3)
    for destination in "abcd":
        slots.add(destination, 50, [destination])
    assert items(taken(slots)) == ["a", "b", "c"]
    assert slots.working == 3


def test_turns_go_round() -> None:
    slots: Slots[str] = Slots(total=6)
    slots.add("a", 50, ["a"] * 100)
    slots.add("b", 50, ["b"] * 100)
    slots.add("c", 50, ["c"])
    assert items(taken(slots)) == ["a", "b", "c", "a", "b", "a"]


def test_the_latest_concurrency_holds() -> None:
    slots: Slots[str] = Slots(total=10)
    slots.add("a", 1, ["1", "2", "3", "4"])
    assert items(taken(slots)) == ["1"]
    slots.add("a", 3, [])
    assert items(taken(slots)) == ["2", "3"]


def test_what_hangs_no_longer_counts_against_the_total() -> None:
    slots: Slots[str] = Slots(total=4, park_after_s=0.25)
    slots.add("hangs", 4, ["h"] * 10)
    out = taken(slots, 0.0)
    assert items(out) == ["h"] * 4
    slots.add("well", 4, ["w"] * 2)
    assert slots.take(0.2) is None
    assert slots.park(0.24) == 0
    assert slots.park(0.25) == 4
    assert items(taken(slots, 0.25)) == ["w", "w"]
    assert (slots.out("hangs"), slots.parked, slots.working) == (4, 4, 2)
    slots.release(out[0])
    assert items(taken(slots, 0.3)) == ["h"]


def test_what_is_out_for_longer_still_hangs_until_it_is_done() -> None:
    slots: Slots[str] = Slots(park_after_s=0.25, hang_after_s=1.0)
    slots.add("a", 3, ["1", "2", "3"])
    slots.add("b", 1, ["1"])
    out = taken(slots, 0.0)
    for now, hanging in ((0.25, 0), (0.9, 0), (1.0, 3)):
        slots.park(now)
        assert slots.hanging_of("a") == hanging
        if now == 0.9:
            slots.release(next(one for one in out if one.lane.concurrency == 1))
    assert (slots.hanging_of("b"), slots.hanging_of("unknown")) == (0, 0)
    for one in out:
        if one.lane.concurrency == 3:
            slots.release(one)
    slots.park(2.0)
    assert (slots.hanging_of("a"), slots.parked) == (0, 0)


def test_a_full_car_park_holds_back_only_those_who_fill_it() -> None:
    slots: Slots[str] = Slots(total=10, park_after_s=1.0, parked=3)
    slots.add("a", 50, ["a"] * 3)
    slots.add("b", 50, ["b"])
    out = taken(slots, 0.0)
    assert slots.park(1.0) == 4
    slots.add("a", 50, ["a"])
    slots.add("b", 50, ["b"])
    slots.add("c", 50, ["c"])
    assert items(taken(slots, 1.0)) == ["c"]
    slots.release(out[0])
    assert taken(slots, 1.0) == []
    slots.release(out[1])
    assert sorted(items(taken(slots, 1.0))) == ["a", "b"]


def test_what_is_queued_can_be_taken_back() -> None:
    slots: Slots[str] = Slots(total=10)
    slots.add("a", 1, ["1", "2", "3"])
    [out] = taken(slots)
    assert slots.cancel_queued("a") == ["2", "3"]
    assert slots.cancel_queued("unknown") == []
    slots.release(out)
    assert taken(slots) == []


def test_a_forgotten_destination_starts_afresh() -> None:
    slots: Slots[str] = Slots(total=10)
    slots.add("a", 1, ["1", "2"])
    [out] = taken(slots)
    assert slots.forget("a") == ["2"]
    assert slots.out("a") == 0
    slots.add("a", 1, ["3"])
    assert items(taken(slots)) == ["3"]
    slots.release(out)
    assert slots.out("a") == 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("abc"), st.integers(1, 4), st.integers(0, 6)),
        st.tuples(st.just("take")),
        st.tuples(st.just("release"), st.integers(0, 30)),
        st.tuples(st.just("wait"), st.floats(0, 0.4)),
        st.tuples(st.just("cancel"), st.sampled_from("abc")),
    ),
    max_size=80,
)


@given(STEPS, st.integers(1, 5), st.integers(0, 4))
def test_no_limit_is_ever_passed_and_nothing_is_lost(steps: list[tuple[Any, ...]], total: int, parked: int) -> None:
    slots: Slots[str] = Slots(total, park_after_s=0.25, parked=parked)
    out: list[Slot[str]] = []
    concurrency: dict[str, int] = {}
    queued: Counter[str] = Counter()
    now = 0.0
    for step in steps:
        match step:
            case ("add", destination, limit, count):
                # A limit that is lowered does not take back what is out: only raise it here.
                concurrency[destination] = max(limit, concurrency.get(destination, 1))
                slots.add(destination, concurrency[destination], [destination] * count)
                queued[destination] += count
            case ("take",):
                before = {lane: slots.out(lane) for lane in concurrency}
                slot = slots.take(now)
                if slot is not None:
                    assert before[slot.item] < concurrency[slot.item]
                    queued[slot.item] -= 1
                    out.append(slot)
                else:
                    assert slots.working >= total or all(
                        not queued[lane]
                        or before[lane] >= concurrency[lane]
                        or (slots.parked >= parked and any(s.parked for s in out if s.item == lane))
                        for lane in concurrency
                    )
            case ("release", index) if out:
                slots.release(out.pop(index % len(out)))
            case ("wait", seconds):
                now += seconds
                slots.park(now)
            case ("cancel", destination):
                assert len(slots.cancel_queued(destination)) == queued[destination]
                queued[destination] = 0
        assert slots.working <= total
        assert slots.working + slots.parked == len(out)
        for lane, limit in concurrency.items():
            assert slots.out(lane) == sum(s.item == lane for s in out) <= limit


@given(st.integers(1, 6), st.integers(1, 8), st.integers(1, 12))
def test_a_well_destination_is_served_while_all_others_hang(hanging: int, concurrency: int, total: int) -> None:
    """Whatever hangs keeps what it holds; the well one answers at once. Every turn of the clock must serve it."""
    slots: Slots[str] = Slots(total, park_after_s=0.25)
    for number in range(hanging):
        slots.add(f"hangs{number}", concurrency, ["h"] * 100)
    slots.add("well", 1, ["w"] * 1000)
    served, now = 0, 0.0
    enough = hanging * concurrency // total + 2
    for _ in range(enough):
        while (slot := slots.take(now)) is not None:
            if slot.item == "w":
                served += 1
                slots.release(slot)
        now += 0.25
        slots.park(now)
    assert served == 1000

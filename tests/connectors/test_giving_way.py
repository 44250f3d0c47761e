"""How the backlog lane gives way to live events."""

import pytest

from connectors.giving_way import BATCH, CATCHING_UP, LONGEST_REST_S, REST, SMALL_BATCH, GivingWay


class Road:
    """A worker's day: what is live, and what time it is."""

    def __init__(self) -> None:
        self.live = 0
        self.now = 100.0
        self.way = GivingWay(lambda: self.live, lambda: self.now)

    def batch(self, busy_s: float) -> float:
        """The lane gives a batch, the worker is busy with it for so long, and the lane rests."""
        self.way.gave(SMALL_BATCH)
        self.now += busy_s
        return self.way.rest_s()


def test_while_nothing_is_live_batches_are_large_and_nobody_rests() -> None:
    road = Road()
    assert (road.way.rest_s(), road.way.batch(), road.batch(0.2)) == (0.0, BATCH, 0.0)


def test_beside_live_events_batches_are_small_and_a_rest_is_as_long_as_the_worker_was_busy_some_times_over() -> None:
    road = Road()
    road.live += 1
    assert (road.way.rest_s(), road.way.batch()) == (0.0, SMALL_BATCH)
    assert road.batch(0.002) == pytest.approx(REST * 0.002)
    road.now += REST * 0.002 / 2
    assert road.way.rest_s() == pytest.approx(REST * 0.002 / 2), "a call that comes early does not end the rest"
    road.now += REST * 0.002 / 2
    assert road.way.rest_s() == pytest.approx(0.0)


def test_however_busy_the_worker_is_the_backlog_goes_on() -> None:
    road = Road()
    road.live += 1
    road.way.rest_s()
    assert road.batch(10.0) == 0.0, "the last live event is long ago"
    road.live += 1
    road.way.rest_s()
    assert road.batch(0.5) == pytest.approx(LONGEST_REST_S)


def test_a_second_after_the_last_live_event_the_whole_road_is_free() -> None:
    road = Road()
    road.live += 1
    road.way.rest_s()
    road.now += 1.1
    assert (road.way.rest_s(), road.way.batch(), road.batch(0.2)) == (0.0, BATCH, 0.0)


def test_whoever_is_behind_reads_faster_than_live_events_come_however_busy_the_worker_is() -> None:
    road = Road()
    read = live = 0
    while road.now < 110:
        rest_s = road.way.rest_s(behind=2)
        if rest_s:
            road.now += rest_s
        else:
            batch = road.way.batch()
            read += batch
            road.way.gave(batch)
            road.now += 0.05
            live += 20
            road.live += 20
    assert read >= CATCHING_UP * 2 * (live - 20)

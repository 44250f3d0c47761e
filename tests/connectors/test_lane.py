"""Sources of every kind end their epochs together, under a small model of the engine's rule."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from connectors.lane import Beat, Beats

START = 1_700_000_000.3


def epoch_ends(beats: Beats, wait_s: float, seed: int, epochs: int = 150) -> list[float]:
    """When the engine ends the epochs of a source that wants to be called every `wait_s`, each call up to 2 ms late."""
    chance, beat = random.Random(seed), Beat(beats)
    interval_s = beats.epoch_s or 1.0
    now = began = START
    beat.called(datetime.fromtimestamp(now, UTC))
    ends: list[float] = []
    while len(ends) < epochs:
        moment = datetime.fromtimestamp(now, UTC)
        if now - began >= interval_s:
            began = now
            ends.append(now)
            beat.began(moment)
        awake = beat.align(moment, moment + timedelta(seconds=wait_s))
        assert awake is not None
        now = max(now, awake.timestamp()) + chance.uniform(0.0001, 0.002)
    return ends


def apart_s(one: list[float], other: list[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def test_without_beats_a_source_that_is_called_seldom_falls_behind_without_end() -> None:
    often, seldom = epoch_ends(Beats(), 0.001, 1), epoch_ends(Beats(), 0.008, 2)
    assert apart_s(often[:10], seldom[:10]) < apart_s(often[-10:], seldom[-10:])
    assert apart_s(often, seldom) > 0.2


@pytest.mark.parametrize("every_s", [0.1, 1.0])
@pytest.mark.parametrize("wait_s", [0.001, 0.008, 0.5])
def test_with_beats_all_stay_together(every_s: float, wait_s: float) -> None:
    beats = Beats(every_s)
    assert apart_s(epoch_ends(beats, 0.001, 1), epoch_ends(beats, wait_s, 2)) <= 0.004


def test_one_that_came_late_catches_up() -> None:
    beats = Beats(1.0)
    beats.first_after(100.997)
    beat, began, late = Beat(beats), datetime.fromtimestamp(101.015, UTC), []
    for _ in range(8):
        beat.began(began)
        over = began + timedelta(seconds=beats.epoch_s)
        awake = beat.align(over, over)
        assert awake is not None
        began = awake
        late.append(round(began.timestamp() % 1, 3))
    assert late == [0.012, 0.009, 0.006, 0.003, 0.0, 0.0, 0.0, 0.0]


def test_the_engine_s_interval_is_shorter_than_the_beat_and_never_nothing() -> None:
    assert Beats(1.0).epoch_s == 0.997
    assert Beats(0.01).epoch_s == 0.0075

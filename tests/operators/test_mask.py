"""Frequency caps in the flow."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, TestingSource, run_main

from operators.mask import mask
from records import Cap, Capped, EndOfInput, Metric, Missed
from tests.destinations.events import event
from tests.operators.stand import Clock


def seen(offset: int, key: int | None = 1) -> tuple[str, Capped]:
    at = event(offset=offset)
    return "crm", Capped("crm", at, cap=None if key is None else Cap(key, 60))


def twice(capped: Capped) -> list[Missed | EndOfInput]:
    """Two things are made of each event."""
    if isinstance(capped.item, EndOfInput):
        return [capped.item]
    at = capped.item.offset
    return [Missed("crm", "kafka:events", 0, at, at, 1, 0, exact=True)] * 2


def run(
    items: list[object], clock: Clock, state: Path | None = None, make: Callable[[Capped], Any] = twice
) -> tuple[list[int], int, list[EndOfInput]]:
    """Positions that went on, how many events were held back, and the marks."""
    went_on: list[object] = []
    flow = Dataflow("caps")
    masked = mask("mask", op.input("in", flow, TestingSource(items, batch_size=2)), make, lambda: clock.now)
    op.output("items", masked.items, TestingSink(went_on))
    reports: list[Metric] = []
    op.output("reports", masked.reports, TestingSink(reports))
    recovery = {} if state is None else {"recovery_config": RecoveryConfig(str(state))}
    run_main(flow, epoch_interval=timedelta(0), **recovery)
    assert {(one.app_source_id, one.metric_kind, one.metric_name) for one in reports} <= {("crm", "other", "masked")}
    positions = [item.first for _, item in went_on if isinstance(item, Missed)]
    return positions, sum(one.count for one in reports), [item for _, item in went_on if isinstance(item, EndOfInput)]


def test_all_that_is_made_of_an_event_goes_on_or_nothing() -> None:
    items: list[object] = [seen(1), seen(2), seen(3, key=2), seen(4), seen(5, key=None)]
    assert run(items, Clock(0.0)) == ([1, 1, 3, 3, 5, 5], 2, [])


def test_a_mark_keeps_its_place() -> None:
    mark = EndOfInput("part", "crm")
    assert run([seen(1), seen(2), ("crm", Capped("crm", mark))], Clock(0.0)) == ([1, 1], 1, [mark])


def test_what_is_held_back_is_never_made() -> None:
    made: list[int] = []

    def make(capped: Capped) -> list[Missed]:
        assert not isinstance(capped.item, EndOfInput)
        made.append(capped.item.offset)
        return []

    items: list[object] = [seen(offset, key=offset % 2) for offset in range(10)]
    assert run(items, Clock(0.0), make=make)[1] == 8
    assert made == [0, 1]


def test_it_is_remembered_over_a_restart(tmp_path: Path) -> None:
    init_db_dir(tmp_path, 1)
    clock = Clock(0.0)
    items: list[object] = [seen(1), TestingSource.EOF(), seen(2), TestingSource.EOF(), seen(3)]
    assert run(items, clock, tmp_path)[:2] == ([1, 1], 0)
    clock.now = 59
    assert run(items, clock, tmp_path)[:2] == ([], 1)
    clock.now = 60
    assert run(items, clock, tmp_path)[:2] == ([3, 3], 0)

"""The shape of the flow: its steps, in the order of the picture, and the four whose state is kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bytewax.inputs import FixedPartitionedSource

from flows import deliver
from flows.job import Job
from flows.settings import load

STEPS = [
    "deliver.events",
    "deliver.backlog",
    "deliver.lanes",
    "deliver.decode",
    "deliver.screen",
    "deliver.join_person",
    "deliver.route",
    "deliver.mask",
    "deliver.commands",
    "deliver.addressed",
    "deliver.deliver",
    "deliver.settle",
    "deliver.records",
    "deliver.journal",
    "deliver.dead_letters",
]
STATEFUL = ["deliver.events", "deliver.mask.mask_batch", "deliver.commands", "deliver.deliver"]
"""Where the engine's snapshots belong to: how far each partition was read, the windows of frequency caps, which command
was the last, and what each destination owes."""
FROZEN = (
    "a step has another id, and the engine finds saved state by the id of its step: whoever upgrades would silently "
    "start without it. Give the step its old id back, or write a migration and say so in CHANGELOG.md"
)
MAX_LINES = 80


@pytest.fixture
def steps(tmp_path: Path) -> Iterator[list[Any]]:
    """The outermost steps of the flow of a real job."""
    (tmp_path / "destinations").mkdir()
    (tmp_path / "events.jsonl").touch()
    job = Job(load({"events": ["events.jsonl"]}, {}, tmp_path))
    yield list(deliver.build(job).substeps)
    job.close()


def stateful(step: Any) -> Iterator[str]:
    """The ids under which a step and those it consists of keep state."""
    # The engine gives no list of them: these are the two kinds of step that it makes snapshots of.
    if type(step).__name__ == "stateful_batch" or isinstance(getattr(step, "source", None), FixedPartitionedSource):
        yield step.step_id
    for inner in getattr(step, "substeps", ()):
        yield from stateful(inner)


def test_the_steps_are_those_of_the_picture_under_their_frozen_ids(steps: list[Any]) -> None:
    assert [step.step_id for step in steps] == STEPS, FROZEN


def test_state_is_kept_under_frozen_ids(steps: list[Any]) -> None:
    assert [id for step in steps for id in stateful(step)] == STATEFUL, FROZEN


def test_the_flow_can_be_read_beside_the_picture() -> None:
    lines = Path(deliver.__file__).read_text("utf-8").splitlines()
    assert len(lines) <= MAX_LINES, "flows/deliver.py is wiring only: what decides or opens something goes elsewhere"

"""What is said at the end of a run."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows.summary import summary


def finished(settled: int = 0, **settings: Any) -> Any:
    """A job that was started again and has read nothing new."""
    return SimpleNamespace(
        settings=SimpleNamespace(state=Path("st"), **settings),
        writer=SimpleNamespace(statuses={}, dead_letters=0, settled=settled),
        destinations=SimpleNamespace(ids=lambda: ["crm"], problems=dict),
        events=SimpleNamespace(messages_read=lambda: 0),
        resumed=True,
    )


@pytest.mark.parametrize(("until_end", "said"), [(True, True), (False, False)])
def test_only_a_run_over_all_there_is_says_that_nothing_was_new(until_end: bool, said: bool) -> None:
    lines = list(summary(finished(until_end=until_end), 1.0))
    assert any(line.startswith("nothing new since the last run: st remembers") for line in lines) is said
    assert (lines[0], lines[-1]) == ("crm: nothing matched", "ended after 1.0 s")


def test_a_run_that_sent_what_an_earlier_one_owed_does_not_say_so() -> None:
    assert not [line for line in summary(finished(8600, until_end=True), 1.0) if "nothing new" in line]

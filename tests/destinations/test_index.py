"""Who may want an event, by project and name."""

from collections.abc import Callable

import pytest

from destinations import Index, Loaded

INPUTS = "inputs: {url: 'https://a.b'}"


@pytest.mark.parametrize(
    ("project", "name", "ids"),
    [
        (1, "a", ["any", "on-a", "one-a", "one-any"]),
        (1, "b", ["any", "one-any"]),
        (2, "a", ["any", "on-a"]),
        (2, "c", ["any"]),
    ],
)
def test_candidates(load_files: Callable[..., Loaded], project: int, name: str, ids: list[str]) -> None:
    texts = {
        "any": "",
        "on-a": "filters: {when: \"event = 'a'\"}",
        "one-any": "project: 1",
        "one-a": "project: 1\nfilters: {when: \"event in ('a', 'z')\"}",
        "never": "filters: {when: \"event = 'a' and event = 'b'\"}",
        "off": "enabled: false",
    }
    loaded = load_files(**{id: f"id: {id}\n{text}\n{INPUTS}" for id, text in texts.items()})
    assert loaded.problems == []
    index = Index(loaded.destinations.values())
    assert [each.id for each in index.candidates(project, name)] == ids
    assert index.get("off") is None
    assert index.get("on-a") is loaded.destinations["on-a"]
    assert len(index) == 5


def test_an_empty_index_has_no_candidates() -> None:
    assert len(Index([]).candidates(1, "a")) == 0

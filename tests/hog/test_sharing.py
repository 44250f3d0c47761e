"""What an expression reads several times, it reads once, and never where it would not have been read."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import hog

VALUES = {"event": {"a": 1, "b": None, "c": {"d": "x"}}, "person": {"a": 1}}


class Watched(Mapping[str, Any]):
    """Globals that count how often each is read."""

    def __init__(self) -> None:
        self.reads: Counter[str] = Counter()

    def __getitem__(self, key: str) -> Any:
        self.reads[key] += 1
        return VALUES[key]

    def __iter__(self) -> Iterator[str]:
        return iter(VALUES)

    def __len__(self) -> int:
        return len(VALUES)


@pytest.mark.parametrize(
    ("source", "value", "reads"),
    [
        ("event.a == 1 and event.c.d == 'x' and event.c.e == null", True, {"event": 1}),
        ("event.a == 2 or event.a == 3 or event.a == 1", True, {"event": 1}),
        ("event.a == event.c", False, {"event": 1}),
        ("event.a > 0 ? event.c.d : person.a", "x", {"event": 1}),
        ("event.a > 1 ? person.a : person.b", None, {"event": 1, "person": 1}),
        ("event.b ?? person.b ?? person.a", 1, {"event": 1, "person": 2}),
        ("event.a > 1 ? person.a : event.c.d", "x", {"event": 1}),
        ("[event.a > 1 ? person.a : 0, person.a]", [0, 1], {"event": 1, "person": 1}),
        ("{'x': event.a, 'y': event.c.d}", {"x": 1, "y": "x"}, {"event": 1}),
        ("f'{event.a}{event.c.d}{upper(event.c.d)}'", "1xX", {"event": 1}),
        ("arrayMap(x -> x + event.a, [event.a, 2])", [2, 3], {"event": 3}),
        ("event.a between 0 and event.a", True, {"event": 1}),
    ],
)
def test_what_is_read_twice_is_read_once(source: str, value: Any, reads: dict[str, int]) -> None:
    globals = Watched()

    assert hog.expression(source)(globals) == value
    assert globals.reads == reads

"""A peek sees what parsing the whole would see, or says that it cannot."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from destinations.errors import EventDataError
from destinations.peek import peek_at, property_names
from hog import json_text

NAMES = ["$browser", "price", "", "a.b", "é"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), VALUES))
def test_it_reads_what_parsing_reads(properties: dict[str, object]) -> None:
    raw = json_text.dumps(properties)
    peek = peek_at(NAMES)
    assert peek is not None
    assert peek(raw) == tuple(json_text.loads(raw).get(name) for name in NAMES)


@given(st.binary(max_size=30))
def test_it_raises_nothing_else(raw: bytes) -> None:
    peek = peek_at(NAMES)
    assert peek is not None
    with contextlib.suppress(EventDataError):
        peek(raw)


def test_it_reads_escaped_names_and_integers_of_any_size() -> None:
    peek = peek_at(["$browser", "n"])
    assert peek is not None
    raw = rb'{"\u0024browser": "Chrome", "n": 1180591620717411303424, "n2": [1, {"n": 5}]}'
    assert peek(raw) == ("Chrome", 2**70)


def test_names_that_cannot_be_looked_for_are_left_to_the_parser() -> None:
    assert peek_at(['a"b']) is None


def test_property_names_of_chains() -> None:
    assert property_names({("event",), ("properties", "a"), ("properties", "b", "c")}) == {"a", "b"}
    assert property_names({("properties",), ("properties", "a")}) is None

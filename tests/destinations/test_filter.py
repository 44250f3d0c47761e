"""Filters: what matches, which event names can, and that pushing down changes nothing."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hog
from destinations import Destination, EventDataError, EventView, Filter, Site
from destinations.names import IN_FILTER
from records import Group, Source
from tests.destinations.events import event, view

LoadOne = Callable[[str], Destination]


def _filter(when: str) -> Filter:
    return Filter(hog.expression(when, names=IN_FILTER))


@pytest.mark.parametrize(
    ("when", "names"),
    [
        ("event == 'a'", {"a"}),
        ("'a' = event", {"a"}),
        ("event in ('a', 'b')", {"a", "b"}),
        ("event in ['a']", {"a"}),
        ("event = 'a' or event = 'b'", {"a", "b"}),
        ("(event = 'a' and properties.x = 1) or event in ('b', 'c')", {"a", "b", "c"}),
        ("event = 'a' and properties.x = 1 and person.properties.y = 2", {"a"}),
        ("event = 'a' and event = 'b'", set()),
        ("event = 'a' and event in ('a', 'b')", {"a"}),
        ("event = 'a' or properties.x = 1", None),
        ("event != 'a'", None),
        ("not (event = 'a')", None),
        ("event = 1", None),
        ("event = 99999999999999999999", None),
        ("event in ('a', 1)", None),
        ("event = properties.x", None),
        ("properties.event = 'a'", None),
        ("event =~ 'a'", None),
        ("event = 'a' ? true : false", None),
    ],
)
def test_event_names(when: str, names: set[str] | None) -> None:
    assert _filter(when).event_names == (None if names is None else frozenset(names))


@pytest.mark.parametrize(
    ("when", "matches"),
    [
        ("true", True),
        ("1", False),
        ("'true'", False),
        ("properties.yes", True),
        ("properties.one", False),
        ("properties.one and properties.text", True),
        ("properties.none", False),
        ("event == '$pageview' and properties.$browser == 'Chrome' and person.properties.plan == 'pro'", True),
        ("uuid != null and timestamp = '2026-11-16T18:10:20.813Z' and distinct_id = 'anna@example.com'", True),
        ("person.id = 'p-1' and pdi.person_id = 'p-1' and pdi.person.properties.plan = 'pro'", True),
        ("pdi.distinct_id = distinct_id", True),
        ("$group_0 = 'acme' and group_0.properties.size = 5 and $group_1 = null and group_1.properties.x = null", True),
        ("elements_chain = 'a:href=\"x\"'", True),
    ],
)
def test_matches(when: str, matches: bool) -> None:
    properties = {
        "yes": True,
        "one": 1,
        "text": "x",
        "$browser": "Chrome",
        "$groups": {"company": "acme"},
        "$elements_chain": 'a:href="x"',
    }
    seen = view(
        properties,
        person={"plan": "pro"},
        groups=(Group(0, "acme", b'{"size":5}'),),
        site=Site(group_types={"company": 0}),
    )
    assert _filter(when).matches(seen) is matches


def test_no_filter_takes_every_event() -> None:
    assert Filter(None).matches(view()) is True
    assert Filter(None).wants_event(view()) is True
    assert Filter(None).event_names is None


def test_without_a_person_it_is_null() -> None:
    assert _filter("person = null and pdi = null and person.properties.email = null").matches(view())


def test_the_project_is_part_of_the_match(load_one: LoadOne) -> None:
    destination = load_one("project: 2\ninputs: {url: 'https://a.b'}")
    assert not destination.matches(view())
    assert destination.matches(view(project=2))


@pytest.mark.parametrize("source", list(Source))
def test_the_source_is_part_of_the_match(load_one: LoadOne, source: Source) -> None:
    destination = load_one(f"filters: {{source: {source}}}\ninputs: {{url: 'https://a.b'}}")
    assert [one for one in Source if destination.matches(view(source=one))] == [source]


def test_the_event_part_drops_before_the_person_is_known() -> None:
    chosen = _filter("properties.x = 1 and person.properties.plan = 'pro'")
    assert chosen.wants_event(view({"x": 1}))
    assert not chosen.wants_event(view({"x": 2}))


def test_one_operand_of_the_event_part_keeps_its_truth() -> None:
    assert _filter("properties.x and person.properties.plan = 'pro'").wants_event(view({"x": 1}))


def test_what_cannot_be_judged_is_wanted() -> None:
    chosen = _filter("properties.x = 1 and person.id = 'p'")
    assert chosen.wants_event(view(b"{"))
    with pytest.raises(EventDataError, match=r"^the event's properties are not JSON"):
        chosen.matches(view(b"{"))
    failing = _filter("jsonParse(properties.x) = 1")
    assert failing.wants_event(view({"x": "{"}))
    with pytest.raises(hog.HogRuntimeError):
        failing.matches(view({"x": "{"}))


_CLAUSES = st.sampled_from(
    [
        "event = 'a'",
        "'b' == event",
        "event in ('a', 'b')",
        "event in ['c']",
        "event != 'a'",
        "properties.x = 1",
        "properties.x",
        "properties.x > 1",
        "person.properties.y = 1",
        "person.properties.y",
        "person = null",
        "distinct_id = 'd'",
        "true",
        "1",
        "null",
        "jsonParse(properties.j) = 1",
    ]
)
_FILTERS = st.recursive(
    _CLAUSES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(lambda clauses: f"({' and '.join(clauses)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda clauses: f"({' or '.join(clauses)})"),
        inner.map(lambda clause: f"(not {clause})"),
    ),
    max_leaves=8,
)
_VALUES = st.sampled_from([None, 0, 1, 2, "", "1", "x", True, [], [1]])


@settings(max_examples=300)
@given(
    when=_FILTERS,
    name=st.sampled_from(["a", "b", "c", "d"]),
    x=_VALUES,
    y=_VALUES,
    j=st.sampled_from(["1", "{"]),
    known=st.booleans(),
)
def test_pushing_down_never_changes_the_outcome(
    when: str, name: str, x: object, y: object, j: str, known: bool
) -> None:
    chosen = _filter(when)
    seen = event({"x": x, "j": j}, name=name, distinct_id="d", person={"y": y} if known else None)
    try:
        plain = chosen.matches(EventView(seen, Site()))
    except hog.HogRuntimeError:
        plain = False
    if plain:
        assert chosen.event_names is None or name in chosen.event_names
        assert chosen.wants_event(EventView(seen, Site()))

"""Whatever filters say: the index and the part that reads the event alone never change who an event is for.

Several destinations share one index, as in the flow; the plain answer is each filter by itself, with the person known.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

import hog
from destinations import Destination, EventDataError, EventView, Index, Site
from destinations.branch import Branch
from destinations.code import CodeTemplate
from destinations.filter import Filter
from destinations.filters import Project
from destinations.filters.build import all_of, any_of, compare, constant, field
from destinations.filters.operators import OPERATORS
from destinations.inputs import Inputs
from destinations.names import IN_FILTER
from destinations.sample import Sample
from destinations.spec import DestinationSpec
from records import Event, Group, Policy
from tests.destinations.events import event
from tests.destinations.filters.conftest import compiled

NAMES = ("a", "b", "c", "$autocapture")
CHAINS = ("", 'a.btn:href="/x"text="t1";div', 'div:text="1"')
PROJECT = Project(
    booleans=frozenset({("event", "x")}),
    path_cleaning=((r"\d+", ":id"),),
    test_accounts=compare(field("person", "properties", "x"), "!=", constant("t1")),
    actions={
        "1": compare(field("event"), "==", constant("b")),
        "2": any_of(
            all_of([compare(field("event"), "==", constant(name)), compare(field("properties", "x"), ">", constant(1))])
            for name in ("a", "c")
        ),
    },
    cohorts={"7": compare(field("person", "properties", "x"), "==", constant("1"))},
)

_SCALARS = ["1", "t1", "k", "st", 1, 2.5, True, "true", "1.2.3", "2026-01-01", "/x"]
_scalars = st.sampled_from(_SCALARS)
_values = st.one_of(_scalars, st.none(), st.lists(_scalars, max_size=3))
_OF_LISTS = {"between", "not_between", "in", "not_in"}


@st.composite
def _operands(draw: st.DrawFn) -> dict[str, Any]:
    operator = draw(st.sampled_from(OPERATORS))
    value = draw(_values)
    if operator.endswith("between"):
        value = [1, 2]
    elif operator.startswith("semver"):
        value = "1.2.3"
    elif operator.startswith("is_date"):
        value = draw(st.sampled_from(["2026-01-01", "-7d"]))
    elif operator in _OF_LISTS and not isinstance(value, list):
        value = [value or "1"]
    return {"operator": operator, "value": value}


_properties = st.one_of(
    st.builds(
        lambda where, operand: {**where, **operand},
        st.sampled_from(
            [
                {"key": "x"},
                {"key": "y.z", "type": "event"},
                {"key": "$exception_types"},
                {"key": "x", "type": "person"},
                {"key": "distinct_id", "type": "person"},
                {"key": "x", "type": "group", "group_type_index": 0},
                {"key": "event", "type": "event_metadata"},
                {"key": "$group_0", "type": "event_metadata"},
                {"key": "href", "type": "element"},
                {"key": "text", "type": "element"},
            ]
        ),
        _operands(),
    ),
    st.sampled_from(
        [
            {"key": "selector", "type": "element", "value": "div > a.btn"},
            {"key": "tag_name", "type": "element", "value": ["a", "div"], "operator": "is_not"},
            {"key": "id", "type": "cohort", "value": 7},
            {"key": "id", "type": "cohort", "value": 7, "operator": "not_in"},
            {"key": "properties.x", "type": "hogql"},
            {"key": "jsonParse(properties.x) = 1", "type": "hogql"},
            {"key": "event = 'a' or person.properties.x = 1", "type": "hogql"},
            {},
        ]
    ),
)
_LIKELY = [
    {"key": "x", "operator": "is_set"},
    {"key": "x", "type": "person", "operator": "is_set"},
    {"key": "x", "type": "person", "operator": "is_not_set"},
    {"key": "x", "value": "1"},
    {"key": "x", "value": ["1", "t1"]},
    {"key": "x", "operator": "is_not", "value": "k"},
    {"key": "x", "operator": "icontains", "value": "T1"},
    {"key": "x", "operator": "icontains", "value": ["k", "t"]},
    {"key": "x", "operator": "icontains", "value": "st"},
    {"key": "y.z", "operator": "gte", "value": 0},
]
# Most lists are short and likely to hold: what does not match says nothing here.
_lists = st.one_of(st.just([]), st.lists(st.sampled_from(_LIKELY), max_size=2), st.lists(_properties, max_size=2))
_WHEN = [
    "true",
    "event != 'c'",
    "event = 'a' or properties.x",
    "event in ('a', 'b') or person.properties.x = 1",
    "event in ('a', 'b') and 'a' == event",
    "'t1' == properties.x",
    "properties.x in ('1', 't1') and properties.x = 't1'",
    "properties.x in ('1', 't1') and person.properties.x != 'k'",
    "properties.x = 't1' or properties.x = '1' and properties.y.z = 1",
    "properties.x = 't1' or event = 'a'",
    "properties.x != null",
    "null != properties.x or properties.y.z > 0",
    "properties.x ilike '%T1%'",
    "properties.x ilike 'ST%'",
    "properties.x ilike '%T_%'",
    "properties.x ilike '%T1%' and properties.x ilike 'a%'",
    "properties.x like 't1%' or properties.x ilike '%k'",
    "properties.x ilike '%ul%'",
    "properties.x not ilike '%t1%'",
    "not (properties.x = 't1')",
    "jsonParse(properties.x) = 1 and properties.x = '1'",
]


def _entries(*ids: object) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.builds(lambda id, own: {"id": id, "properties": own}, st.sampled_from(ids), _lists), max_size=3)


_filters = st.fixed_dictionaries(
    {},
    optional={
        "when": st.sampled_from(_WHEN),
        "events": _entries(*NAMES, None),
        "actions": _entries(1, "2", None),
        "properties": _lists,
        "filter_test_accounts": st.booleans(),
    },
)
# Filters of one clause match often, and an index may do most with them.
_ONES = [*({"when": when} for when in _WHEN), *({"properties": [one]} for one in _LIKELY)]
_short = st.sampled_from(_ONES) | st.builds(lambda one: {"properties": [one]}, _properties)
# Among the texts a letter beyond ASCII that is an `s` in another case.
_SEEN = [
    "T1",
    "a t1\n",
    "\u017ft1",
    "\u212a",
    "",
    "false",
    False,
    0,
    -1,
    1e30,
    ["t1", 1],
    {"z": 1},
    {"z": "t1"},
    [],
    None,
]
_seen = _scalars | st.sampled_from(_SEEN)
_others = st.dictionaries(st.sampled_from(["y.z", "y", "$exception_types"]), _seen)
_names = st.sampled_from([*NAMES, "other"])
_RAW = (b"{", b"[]", b'{"x": "\\ud800", "y.z": 1}', b'{"x": "1", "x": "t1"}', b'{"\\u0078": "t1"}', b'{"x": NaN}')
_events = st.builds(
    lambda properties, group, more: event(
        properties if isinstance(properties, bytes) else {**properties, **({"$group_0": "g"} if group else {})},
        groups=(Group(0, "g", b'{"x": "1"}'),) if group else (),
        **more,
    ),
    st.builds(lambda x, others: {"x": x, **others}, _seen, _others) | _others | st.sampled_from(_RAW),
    st.booleans(),
    st.fixed_dictionaries(
        {
            "name": _names,
            "person": st.none() | st.dictionaries(st.just("x"), _seen),
            "distinct_id": st.sampled_from(["1", "t1", "anna"]),
            "project": st.sampled_from([1, 2]),
            "elements_chain": st.sampled_from(CHAINS),
        }
    ),
)


@st.composite
def _destinations(draw: st.DrawFn) -> list[Destination]:
    chosen = draw(st.lists(_short | _filters, min_size=1, max_size=6))
    return [_destination(draw, f"d{number}", filters) for number, filters in enumerate(chosen)]


def _destination(draw: st.DrawFn, id: str, filters: dict[str, Any]) -> Destination:
    enabled, project = draw(st.sampled_from([True] * 5 + [False])), draw(st.sampled_from([None, None, None, 1, 2]))
    spec = DestinationSpec(id, enabled=enabled, project=project)
    by = draw(st.sampled_from([None, "properties.x", "person.properties.x", "jsonParse(properties.x)"]))
    sample = Sample(0.5, None if by is None else hog.expression(by, names=IN_FILTER))
    code = CodeTemplate(hog.program("return 1"), spec.limits)
    in_sample = draw(st.sampled_from([None, None, None, sample]))
    own = draw(st.sampled_from([[], [], []]) | st.lists(_short, max_size=2))
    branches = [Branch(f"m{number}", compiled(one, PROJECT), Inputs({}), code) for number, one in enumerate(own)]
    branches = branches or [Branch("", Filter(None), Inputs({}), code)]
    return Destination(spec, compiled(filters, PROJECT), branches, Policy(), {}, sample=in_sample)


def _plainly_for(destination: Destination, seen: Event) -> bool:
    def holds(matches: Callable[[EventView], bool]) -> bool:
        try:
            return matches(EventView(seen, Site()))
        except (hog.HogRuntimeError, EventDataError):
            return False

    return (
        destination.enabled and holds(destination.matches) and any(holds(one.matches) for one in destination.branches)
    )


@settings(max_examples=500, deadline=None)
@given(_destinations(), st.lists(_events, min_size=1, max_size=8))
def test_nobody_is_left_out_and_nobody_is_asked_in_vain(destinations: list[Destination], events: list[Event]) -> None:
    index = Index(destinations)
    for seen in events:
        _check(index, destinations, seen)


def test_each_short_filter_beside_all_others_with_each_value() -> None:
    code = CodeTemplate(hog.program("return 1"), DestinationSpec("d").limits)
    everything, named = Filter(None), compiled({"when": "event in ('a', 'b')"})
    destinations = []
    for number, one in enumerate(_ONES):
        short = compiled(one, PROJECT)
        for id, filter, own in ((f"d{number:02}", short, everything), (f"m{number:02}", named, short)):
            branches = [Branch("", own, Inputs({}), code)]
            destinations.append(Destination(DestinationSpec(id), filter, branches, Policy(), {}))
        for step in (1, 2, 5):
            both = (short, compiled(_ONES[number - step], PROJECT))
            branches = [Branch(f"m{place}", one, Inputs({}), code) for place, one in enumerate(both)]
            id = f"p{number:02}-{step}"
            destinations.append(Destination(DestinationSpec(id), everything, branches, Policy(), {}))
    index = Index(destinations)
    for properties in ({}, *({"x": x, "y.z": 1} for x in [*_SCALARS, *_SEEN]), *_RAW):
        for name in ("a", "c"):
            for person in (None, {"x": 1}):
                _check(index, destinations, event(properties, name=name, person=person))


def _check(index: Index, destinations: Sequence[Destination], seen: Event) -> None:
    plain = {each.id for each in destinations if _plainly_for(each, seen)}
    # At that point nobody has looked for the person and the groups.
    early = msgspec.structs.replace(seen, person=None, groups=())
    wanting = [each.id for each in index.candidates(early.project, early.event).wanting(EventView(early, Site()))]
    assert wanting == sorted(set(wanting))
    assert plain <= set(wanting)
    may = [each for each in destinations if each.enabled and each.project in (None, early.project)]
    assert set(wanting) <= {each.id for each in may if each.wants_event(EventView(early, Site()))}

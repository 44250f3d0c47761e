"""Whatever the filters object says: the index of names and the part that reads the event alone drop nothing wanted."""

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
from destinations.spec import DestinationSpec
from records import Group, Policy
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

_scalars = st.sampled_from(["1", "t1", 1, 2.5, True, "true", "1.2.3", "2026-01-01", "/x"])
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
]
# Most lists are short and likely to hold: what does not match says nothing here.
_lists = st.one_of(st.just([]), st.lists(st.sampled_from(_LIKELY), max_size=2), st.lists(_properties, max_size=2))
_WHEN = ["event != 'c'", "event = 'a' or properties.x", "event in ('a', 'b') or person.properties.x = 1", "true"]


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
_seen = st.one_of(_scalars, st.none(), st.just(["t1", 1]), st.just({"z": 1}))


@settings(max_examples=600, deadline=None)
@given(
    filters=_filters,
    name=st.sampled_from([*NAMES, "other"]),
    properties=st.dictionaries(st.sampled_from(["x", "y.z", "$exception_types"]), _seen),
    person=st.none() | st.dictionaries(st.just("x"), _seen),
    group=st.booleans(),
    chain=st.sampled_from(CHAINS),
)
def test_nothing_that_matches_is_dropped_before(
    filters: dict[str, Any],
    name: str,
    properties: dict[str, Any],
    person: dict[str, Any] | None,
    group: bool,
    chain: str,
) -> None:
    chosen = compiled(filters, PROJECT)
    more = {"$group_0": "g"} if group else {}
    groups = (Group(0, "g", b'{"x": "1"}'),) if group else ()
    seen = event({**properties, **more}, name=name, person=person, groups=groups, elements_chain=chain)
    try:
        plain = chosen.matches(EventView(seen, Site()))
    except (hog.HogRuntimeError, EventDataError):
        return
    if plain:
        spec = DestinationSpec("crm")
        code = CodeTemplate(hog.program("return 1"), spec.limits)
        destination = Destination(spec, chosen, [Branch("", Filter(None), Inputs({}), code)], Policy(), {})
        assert Index([destination]).candidates(1, name) == (destination,)
        # At that point nobody has looked for the person and the groups.
        early = msgspec.structs.replace(seen, person=None, groups=())
        assert chosen.wants_event(EventView(early, Site()))

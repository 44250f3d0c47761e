"""What the types of property filters look at, how the parts of a filters object go together, and its mistakes."""

from collections.abc import Callable
from typing import Any

import pytest

from destinations import Site
from records import Group
from tests.destinations.events import view
from tests.destinations.filters.conftest import compiled

Problems = Callable[..., list[str]]
A, B, ANY = {"id": "a"}, {"id": "b", "type": "events", "name": "b", "order": 1}, {"id": None}
X = {"key": "x", "value": "1", "type": "event", "operator": "exact"}
SEEN = view(
    {
        "x": 1,
        "a.b": "flat",
        "a": {"b": "deep"},
        "$exception_types": ["TypeError", "Other"],
        "$groups": {"company": "c1"},
    },
    name="a",
    distinct_id="d",
    person={"plan": "pro"},
    groups=(Group(0, "c1", b'{"size":5}'),),
    site=Site(group_types={"company": 0}),
    elements_chain='a.btn:href="/buy"text="Buy";div.box:attr_id="main"nth-child="2"',
)


@pytest.mark.parametrize(
    ("filter", "passes"),
    [
        ({"key": "x", "value": 1}, True),
        ({"key": "a.b", "value": "flat"}, True),
        ({"key": "plan", "value": "pro", "type": "person"}, True),
        ({"key": "plan", "value": "pro", "type": "event"}, False),
        ({"key": "distinct_id", "value": "d", "type": "person"}, True),
        ({"key": "size", "value": 5, "type": "group", "group_type_index": 0}, True),
        ({"key": "size", "value": 5, "type": "group", "group_type_index": 1}, False),
        ({"key": "size", "value": 6, "type": "group"}, True),
        ({"key": "event", "value": "a", "type": "event_metadata"}, True),
        ({"key": "$group_0", "value": ["c1", "c2"], "type": "event_metadata"}, True),
        ({"key": "person_id", "value": "p-1", "type": "event_metadata"}, True),
        ({"key": "$elements_chain", "value": "buy", "operator": "icontains"}, True),
        ({"key": "properties.x = 1 and person.properties.plan = 'pro'", "type": "hogql"}, True),
        ({"key": "properties.x", "type": "hogql"}, False),
        ({"key": "1", "type": "hogql"}, False),
        ({"key": "$exception_types", "value": "TypeError"}, True),
        ({"key": "$exception_types", "value": ["ValueError", "Other"]}, True),
        ({"key": "$exception_types", "value": "Type", "operator": "icontains"}, True),
        ({"key": "$exception_types", "value": "TypeError", "operator": "is_not"}, True),
        ({"key": "$exception_types", "operator": "is_set"}, True),
        ({"key": "$exception_values", "operator": "is_not_set"}, True),
        ({"key": "$exception_values", "value": "x"}, False),
        ({}, True),
        ({"key": "x", "operator": "gt"}, True),
        ({"value": "x"}, True),
        ({"key": "x", "value": 1, "label": None, "cohort_name": "c", "operator": None}, True),
    ],
)
def test_what_a_type_looks_at(filter: dict[str, Any], passes: bool) -> None:
    assert compiled({"properties": [filter]}).matches(SEEN) is passes


def test_without_a_person_its_properties_are_null() -> None:
    chosen = compiled({"properties": [{"key": "email", "type": "person", "operator": "is_not_set"}]})
    assert chosen.matches(view())


def test_only_for_activity_logs_a_dot_leads_into_an_object() -> None:
    deep = {"key": "detail.name", "value": "x"}
    log = view({"detail": {"name": "x"}}, name="$activity_log_entry_created")
    assert compiled({"events": [{"id": "$activity_log_entry_created", "properties": [deep]}]}).matches(log)
    assert not compiled({"events": [{"id": None, "properties": [deep]}]}).matches(log)
    assert not compiled({"properties": [deep]}).matches(log)


@pytest.mark.parametrize(
    ("filters", "passes", "names"),
    [
        ({}, True, None),
        ({"events": [], "actions": [], "properties": [], "bytecode": ["_H"], "source": "events"}, True, None),
        ({"events": [A]}, True, {"a"}),
        ({"events": [B]}, False, {"b"}),
        ({"events": [A, B]}, True, {"a", "b"}),
        ({"events": [ANY]}, True, None),
        ({"events": [B, ANY]}, True, None),
        ({"events": [A], "properties": [X]}, True, {"a"}),
        ({"events": [{"id": "a", "properties": [{"key": "x", "value": 2}]}, B]}, False, {"a", "b"}),
        ({"events": [A], "properties": [{"key": "x", "value": 2}]}, False, {"a"}),
        ({"when": "properties.x = 1", "events": [A]}, True, {"a"}),
        ({"when": "properties.x = 2", "events": [A]}, False, {"a"}),
        ({"when": "event in ('a', 'c')", "events": [A, B]}, True, {"a"}),
        ({"when": "properties.x", "events": [A]}, False, {"a"}),
        ({"properties": [{"key": "event", "type": "event_metadata", "value": ["a", "b"]}]}, True, {"a", "b"}),
        ({"actions": [{"id": None}]}, False, set()),
        ({"actions": [{"id": None}], "events": [A]}, True, {"a"}),
    ],
)
def test_all_parts_have_to_hold(filters: dict[str, Any], passes: bool, names: set[str] | None) -> None:
    chosen = compiled(filters)
    assert chosen.matches(SEEN) is passes
    assert chosen.event_names == (None if names is None else frozenset(names))


def test_properties_of_the_event_drop_it_before_the_person_is_known() -> None:
    person = {"key": "plan", "type": "person", "value": "pro"}
    chosen = compiled({"events": [A, B], "properties": [X, person]})
    assert chosen.wants_event(view({"x": 1}, name="a"))
    assert not chosen.wants_event(view({"x": 2}, name="a"))


@pytest.mark.parametrize(
    ("filters", "problem"),
    [
        ("{events: [signed up]}", "filters.events[0] (2,20): expected a mapping with an id, got text"),
        ("{events: [{id: a, nam: b}]}", "filters.events[0].nam (2,28): unknown key 'nam'; did you mean 'name'?"),
        ("{events: [{id: 1}]}", "filters.events[0].id (2,25): expected text, got a number"),
        ("{events: [{id: a, type: actions}]}", "filters.events[0].type (2,34): expected 'events', got 'actions'"),
        (
            "{properties: [x]}",
            "filters.properties[0] (2,24): expected a mapping with key, operator, value and type, got text",
        ),
        (
            "{properties: [{key: x, operator: equals, value: 1}]}",
            "filters.properties[0].operator (2,43): unknown operator 'equals'",
        ),
        (
            "{properties: [{key: x, operator: icontain, value: 1}]}",
            "filters.properties[0].operator (2,43): unknown operator 'icontain'; did you mean 'icontains'?",
        ),
        (
            "{properties: [{key: x, type: persn, value: 1}]}",
            "filters.properties[0].type (2,39): unknown type 'persn'; did you mean 'person'?",
        ),
        (
            "{properties: [{key: x, operator: regex, value: '('}]}",
            "filters.properties[0].value (2,57): bad regular expression '(': missing ): (",
        ),
        (
            "{properties: [{key: x, operator: in, value: a}]}",
            "filters.properties[0].value (2,54): `in` needs a list, got text",
        ),
        (
            "{properties: [{key: x, operator: between, value: [2, 1]}]}",
            "filters.properties[0].value (2,59): 2 is more than 1; write the lesser one first",
        ),
        (
            "{properties: [{key: x, operator: between, value: [a, 1]}]}",
            "filters.properties[0].value (2,59): a list of two numbers is needed, [least, most]; 'a' is none",
        ),
        (
            "{properties: [{key: x, operator: not_between, value: 1}]}",
            "filters.properties[0].value (2,63): a list of two numbers is needed: [least, most]",
        ),
        (
            "{properties: [{key: x, value: {a: 1}}]}",
            "filters.properties[0].value (2,40): expected text, a number, true or false, got a mapping",
        ),
        (
            "{properties: [{key: x, operator: is_date_after, value: yesterday}]}",
            "filters.properties[0].value (2,65): 'yesterday' is not a date; write it as '2026-01-31', "
            "'2026-01-31T12:00:00Z', or as '-7d' (s, M minutes, h, d, w, m months, q, y)",
        ),
        (
            "{properties: [{key: x, operator: semver_gt, value: '7'}]}",
            "filters.properties[0].value (2,61): there is no version in '7'; write it as '1.2' or '1.2.3'",
        ),
        (
            "{properties: [{key: x, operator: semver_gt, value: 1.2}]}",
            "filters.properties[0].value (2,61): a version is a text such as '1.2.3'; put quotes around it",
        ),
        (
            "{properties: [{key: x, type: group, group_type_index: 5, value: 1}]}",
            "filters.properties[0].group_type_index (2,64): expected a number from 0 to 4, got 5",
        ),
        (
            "{properties: [{key: evnt, type: event_metadata, value: 1}]}",
            "filters.properties[0].key (2,30): unknown column 'evnt'; did you mean 'event'?",
        ),
        (
            "{properties: [{key: lenght(event) > 1, type: hogql}]}",
            "filters.properties[0].key (2,30): unknown function 'lenght'; did you mean 'length'?",
        ),
        ("{source: x}", "filters.source (2,19): only `events` and `person-updates` can be filtered, not 'x'"),
    ],
)
def test_a_mistake_says_where_it_is_and_what_to_write(problems: Problems, filters: str, problem: str) -> None:
    found = problems(filters)
    assert len(found) == 1
    assert found[0].startswith(f"destinations/crm.yaml: {problem}")

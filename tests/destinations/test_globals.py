"""The two objects that programs see, and that they are built only as far as somebody reads them."""

from typing import Any

import pytest

from destinations import EventDataError, EventView, Site
from destinations.globals import invocation_needs, person_name, row_needs
from records import Group
from tests.destinations.events import UUID, event, view

EVENT = frozenset(invocation_needs([("event",)]))
ALL = invocation_needs([("event",), ("person",), ("groups",)])


def test_the_row() -> None:
    needs = row_needs([("person",), ("pdi",), ("properties",), ("elements_chain",), ("$group_0",)])
    row = view({"a": 1}, person={"p": 1}, elements_chain="a").row(needs)
    person = {"id": "p-1", "properties": {"p": 1}}
    empty: dict[str, Any] = {"properties": {}}
    assert row == {
        "event": "$pageview",
        "uuid": UUID,
        "timestamp": "2026-11-16T18:10:20.813Z",
        "distinct_id": "anna@example.com",
        "properties": {"a": 1},
        "elements_chain": "a",
        "person": person,
        "pdi": {"distinct_id": "anna@example.com", "person_id": "p-1", "person": person},
        **{f"$group_{index}": None for index in range(5)},
        **{f"group_{index}": empty for index in range(5)},
    }


def test_the_invocation() -> None:
    project = "https://x.y/project/7"
    site = Site("https://x.y/", group_types={"company": 1})
    seen = view(
        {"$groups": {"company": "a/b", "team": 5}},
        distinct_id="d/1",
        person={"name": " Anna "},
        groups=(Group(1, "a/b", b'{"size":3}'),),
        project=7,
        captured_at="2026-11-16T18:10:21Z",
        site=site,
    )
    assert seen.invocation(ALL) == {
        "project": {"id": 7, "name": "project 7", "url": project},
        "event": {
            "uuid": UUID,
            "event": "$pageview",
            "distinct_id": "d/1",
            "properties": {"$groups": {"company": "a/b", "team": 5}},
            "elements_chain": "",
            "timestamp": "2026-11-16T18:10:20.813Z",
            "captured_at": "2026-11-16T18:10:21Z",
            "url": f"{project}/events/{UUID}/2026-11-16T18%3A10%3A20.813Z",
        },
        "person": {
            "id": "p-1",
            "properties": {"name": " Anna "},
            "name": "Anna",
            "url": f"{project}/person/d%2F1",
            "distinct_id": "d/1",
        },
        "groups": {
            "company": {
                "id": "a/b",
                "type": "company",
                "index": 1,
                "url": f"{project}/groups/1/a%2Fb",
                "properties": {"size": 3},
            },
            "team": {"id": "5", "type": "team", "index": None, "url": None, "properties": {}},
        },
    }


@pytest.mark.parametrize(
    ("chains", "needs"),
    [
        ([("event",), ("distinct_id",)], set()),
        ([("properties", "x")], {"properties"}),
        ([("person", "id")], {"person"}),
        ([("person", "properties", "x")], {"person", "person.properties"}),
        ([("person",)], {"person", "person.properties"}),
        ([("pdi", "person_id")], {"person", "person.link"}),
        ([("pdi", "person", "id")], {"person", "person.link"}),
        ([("pdi", "person", "properties", "x")], {"person", "person.link", "person.properties"}),
        ([("$group_3",), ("group_0", "properties", "x")], {"groups"}),
    ],
)
def test_needs_of_filters(chains: list[tuple[str, ...]], needs: set[str]) -> None:
    assert row_needs(chains) == needs


@pytest.mark.parametrize(
    ("chains", "needs"),
    [
        (
            [("event", "event"), ("project", "id"), ("person", "id"), ("inputs", "url"), ("secrets", "properties")],
            set(),
        ),
        ([("event", "properties", "x")], {"event.properties"}),
        ([("event",)], {"event.properties", "event.elements_chain", "event.url"}),
        ([("person", "name")], {"person.name"}),
        ([("groups", "company")], {"groups"}),
    ],
)
def test_needs_of_templates(chains: list[tuple[str, ...]], needs: set[str]) -> None:
    assert invocation_needs(chains) == needs


def test_nothing_is_parsed_that_nobody_reads() -> None:
    seen = view(b"not JSON", person=b"not JSON", elements_chain="a")
    assert seen.row(row_needs([("event",), ("person", "id"), ("elements_chain",)]))["person"]["id"] == "p-1"
    assert seen.invocation(invocation_needs([("event", "url"), ("person", "url")]))["event"]["event"] == "$pageview"
    with pytest.raises(EventDataError, match=r"^the person's properties are not JSON"):
        seen.row(row_needs([("person", "properties", "x")]))


def test_what_is_built_is_shared_and_completed_in_place() -> None:
    seen = view({"a": 1}, person={"p": 1})
    row = seen.row(row_needs([("pdi", "person", "id")]))
    assert seen.row(row_needs([("person", "properties", "p")])) is row
    assert row["pdi"]["person"]["properties"] == {"p": 1}
    assert seen.invocation(EVENT)["event"]["properties"] is seen.row(row_needs([("properties", "a")]))["properties"]


def test_the_person_is_taken_when_first_read() -> None:
    late = event({"a": 1})
    seen = EventView(late, Site())
    seen.row(row_needs([("properties", "a")]))
    late.person = event(person={"p": 1}).person
    assert seen.row(row_needs([("person", "properties")]))["person"]["properties"] == {"p": 1}


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        ({"email": "a@b.c", "name": "Anna"}, "a@b.c"),
        ({"email": " ", "name": " Anna "}, "Anna"),
        ({"email": None, "name": "", "username": "anna"}, "anna"),
        ({"name": {"first": "Anna"}}, '{"first":"Anna"}'),
        ({"name": 5}, "5"),
        ({}, "d-1"),
    ],
)
def test_person_names(properties: dict[str, Any], name: str) -> None:
    assert person_name(properties, "d-1") == name


@pytest.mark.parametrize(
    ("properties", "records", "types", "of_row", "expected"),
    [
        ({"$groups": {"t": "k"}}, (), {"t": 2}, (), [("t", "k", 2, b"{}")]),
        ({"$groups": {"t": "k"}}, (Group(2, "k", b"1"),), {}, (), [("t", "k", 2, b"1")]),
        ({"$groups": {"t": "k"}}, (Group(2, "k", b"1"), Group(3, "k", b"2")), {}, (),
         [("t", "k", None, b"{}"), (None, "k", 2, b"1"), (None, "k", 3, b"2")]),
        ({"$groups": {"t": "k"}}, (Group(2, "other", b"1"),), {"t": 2}, (), [("t", "k", 2, b"{}")]),
        ({"$groups": {"t": "k"}}, (), {"t": 1}, (None, b"row"), [("t", "k", 1, b"row")]),
        ({"$group_4": "k"}, (), {}, (), [(None, "k", 4, b"{}")]),
        ({"$groups": {"t": None, "u": "", "v": ["k"], "w": 1.5}}, (), {}, (), [("w", "1.5", None, b"{}")]),
        ({"$groups": "text"}, (), {}, (), []),
    ],
)  # fmt: skip
def test_groups(
    properties: dict[str, Any],
    records: tuple[Group, ...],
    types: dict[str, int],
    of_row: tuple[bytes | None, ...],
    expected: list[tuple[Any, ...]],
) -> None:
    seen = EventView(event(properties, groups=records, group_properties=of_row), Site(group_types=types))
    assert [(group.type, group.key, group.index, group.properties) for group in seen.groups] == expected

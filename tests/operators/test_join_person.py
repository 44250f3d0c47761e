"""The person and the groups of the moment, and what an event falls back to."""

from typing import Any

import pytest

from operators.join_person import Join, join_person
from records import Deleted, EndOfInput, Event, Group, Person, Source
from tests.destinations.events import event, view
from tests.operators.stand import run_through

ANNA = Person("p-anna", b'{"plan":"pro"}')
ACME = Group(0, "acme", b'{"size":9}')


class Table:
    """A person table of dictionaries; every key starts with the project."""

    def __init__(self) -> None:
        self.by_distinct_id: dict[tuple[int, str], Person | Deleted] = {}
        self.by_id: dict[tuple[int, str], Person | Deleted] = {}
        self.groups: dict[tuple[int, int, str], Group] = {}

    def lookup(self, project: int, distinct_id: str) -> Person | Deleted | None:
        return self.by_distinct_id.get((project, distinct_id))

    def person(self, project: int, person_id: str) -> Person | Deleted | None:
        return self.by_id.get((project, person_id))

    def group(self, project: int, index: int, key: str) -> Group | None:
        return self.groups.get((project, index, key))

    def groups_with_key(self, project: int, key: str) -> list[Group]:
        return [group for (of, _, its_key), group in sorted(self.groups.items()) if (of, its_key) == (project, key)]

    def put(self, *groups: Group) -> "Table":
        self.groups |= {(1, group.index, group.key): group for group in groups}
        return self


def event_of_row(person_id: str | None, properties: bytes | None) -> Event:
    bare = event(distinct_id="anna")
    bare.person_id, bare.person_properties = person_id, properties
    return bare


@pytest.mark.parametrize(
    ("by_distinct_id", "by_id", "person_id", "properties", "expected"),
    [
        (ANNA, None, None, None, ANNA),
        (ANNA, None, "p-row", b'{"plan":"old"}', ANNA),
        (None, ANNA, "p-row", b'{"plan":"old"}', ANNA),
        (None, None, "p-row", b'{"plan":"old"}', Person("p-row", b'{"plan":"old"}')),
        (None, None, None, b'{"plan":"old"}', Person("", b'{"plan":"old"}')),
        (None, None, "p-row", None, Person("p-row", b"{}")),
        (None, None, None, None, None),
        (Deleted(), None, "p-row", b'{"plan":"old"}', None),
        (None, Deleted(), "p-row", b'{"plan":"old"}', None),
        (Deleted(), ANNA, "p-row", b'{"plan":"old"}', None),
    ],
    ids=[
        "the table knows the distinct id",
        "the table before the row, also when the id was moved to another person",
        "the table knows the row's person",
        "the row's own copy",
        "the row's own copy, without an id",
        "a row without properties",
        "nobody",
        "deleted, so the row does not bring them back",
        "the row's person is deleted",
        "a deleted distinct id is an answer",
    ],
)
def test_person(
    by_distinct_id: Person | Deleted | None,
    by_id: Person | Deleted | None,
    person_id: str | None,
    properties: bytes | None,
    expected: Person | None,
) -> None:
    table = Table()
    if by_distinct_id is not None:
        table.by_distinct_id[1, "anna"] = by_distinct_id
    if by_id is not None:
        table.by_id[1, "p-row"] = by_id
    assert Join(table).person_of(event_of_row(person_id, properties)) == expected


def test_a_change_of_a_person_brings_its_own_person() -> None:
    table = Table()
    table.by_distinct_id[1, "p-1"] = table.by_id[1, "p-1"] = Person("p-1", b'{"plan":"of an older version"}')
    change = view(name="$person_updated", distinct_id="p-1", person={"plan": "new"}, source=Source.PERSON_UPDATES)
    Join(table).enrich(change)
    assert change.event.person == Person("p-1", b'{"plan":"new"}')


@pytest.mark.parametrize(
    ("only_for", "known", "version", "wanted_by"),
    [
        ("crm", Deleted(103), 3, ()),
        ("crm", Deleted(), None, ()),
        ("crm", Deleted(103), 104, ("crm",)),
        ("crm", ANNA, 3, ("crm",)),
        ("crm", None, 3, ("crm",)),
        (None, Deleted(103), 3, ("crm",)),
    ],
    ids=[
        "deleted meanwhile",
        "without versions",
        "made again, which the table has not heard of yet",
        "still there",
        "not heard of yet",
        "the deletion has its own turn",
    ],
)
def test_a_change_of_somebody_deleted_is_not_told_again(
    only_for: str | None, known: Person | Deleted | None, version: int | None, wanted_by: tuple[str, ...]
) -> None:
    table = Table()
    if known is not None:
        table.by_id[1, "p-anna"] = known
    change = view(distinct_id="p-anna", person={}, source=Source.PERSON_UPDATES, only_for=only_for)
    change.event.version = version
    change.event.wanted_by = ("crm",)
    Join(table).enrich(change)
    assert change.event.wanted_by == wanted_by


def test_a_person_of_another_project_is_somebody_else() -> None:
    table = Table()
    table.by_distinct_id[2, "anna"] = ANNA
    assert Join(table).person_of(event_of_row(None, None)) is None


ROW_COPIES = (b'{"size":1}', None, b'{"size":3}')
LIKE_ACME = Group(1, "acme", b"{}")
LIKE_X = Group(3, "x", b"{}")


@pytest.mark.parametrize(
    ("properties", "known", "types", "row_copies", "expected"),
    [
        ({"$groups": {"company": "acme"}}, [ACME, LIKE_ACME], {"company": 0}, (), [ACME]),
        ({"$groups": {"company": "acme"}}, [LIKE_ACME], {"company": 0}, (), [Group(0, "acme", b"{}")]),
        ({"$groups": {"company": "acme"}}, [ACME], {}, (), [ACME]),
        ({"$groups": {"company": "acme"}}, [ACME, LIKE_ACME], {}, (), []),
        ({"$groups": {"company": "nobody"}}, [ACME], {}, (), []),
        ({"$groups": {"b": "x", "a": "acme"}}, [ACME, LIKE_X], {"a": 0, "b": 3}, (), [ACME, LIKE_X]),
        ({"$group_0": "acme"}, [ACME], {}, ROW_COPIES, [ACME]),
        ({"$group_0": "acme", "$group_4": "none"}, [ACME], {}, (), [ACME, Group(4, "none", b"{}")]),
        ({"$group_0": "acme"}, [], {}, ROW_COPIES, [Group(0, "acme", b'{"size":1}')]),
        ({"$group_1": "x"}, [], {}, ROW_COPIES, [Group(1, "x", b"{}")]),
        ({"$group_0": "new", "$groups": {"company": "acme"}}, [ACME], {"company": 0}, ROW_COPIES,
         [Group(0, "new", b'{"size":1}')]),
        ({"$groups": {"company": 7, "b": None}}, [ACME], {"company": 0}, (), []),
        ({"$groups": ["acme"], "$group_0": 5}, [ACME], {}, ROW_COPIES, []),
        (b'{"$groups":', [ACME], {}, ROW_COPIES, []),
        ({"company": "acme"}, [ACME], {"company": 0}, (), []),
    ],
    ids=[
        "by the configured type",
        "the configured type has no such group",
        "by the key alone",
        "by a key that two types have",
        "unknown",
        "two, by their numbers",
        "by the column, latest version",
        "by the column, in an event without columns of properties",
        "by the column, the row's own copy",
        "a column without a copy",
        "the column before the name",
        "keys that are no text",
        "neither is what it should be",
        "unreadable",
        "no group is named",
    ],
)  # fmt: skip
def test_groups(
    properties: dict[str, Any] | bytes,
    known: list[Group],
    types: dict[str, int],
    row_copies: tuple[bytes | None, ...],
    expected: list[Group],
) -> None:
    named = view(properties, group_properties=row_copies)
    Join(Table().put(*known), types).enrich(named)
    assert list(named.event.groups) == expected


def test_in_a_flow_events_meet_the_table_of_the_moment_and_marks_pass() -> None:
    table = Table().put(ACME)
    table.by_distinct_id[1, "anna"] = ANNA
    items = [view({"$groups": {"company": "acme"}}, distinct_id="anna"), EndOfInput("p"), view(distinct_id="ben")]
    out = run_through(lambda up: join_person("join_person", up, Join(table)), items)
    assert out == items
    assert [(item.event.person, item.event.groups) for item in (out[0], out[2])] == [(ANNA, (ACME,)), (None, ())]

"""Every key that a destination can read, from a message of either shape through decoding and the join."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hog
from connectors.person_table import PersonTable, distinct_id_row, group_row, person_row
from destinations import Destination, EventView, Loaded, Site, load_project
from destinations.globals import row_needs
from destinations.names import IN_FILTER
from operators.envelope import decode_message
from operators.join_person import Join
from records import Event, Message, Request

LoadOne = Callable[[str], Destination]
UUID = "0193e3b4-0000-7000-8000-000000000001"
PERSON = "0193e3b4-0000-7000-8000-00000000000a"
CHAIN = 'a.btn:attr_id="buy"href="/x"text="Buy";button:text="Buy";div:text="All"attr_id="main";form'
PROPERTIES = {"plan": "pro", "$groups": {"company": "a/b"}, "$group_0": "a/b", "$elements_chain": CHAIN}
CAPTURE = {
    "uuid": UUID,
    "event": "$autocapture",
    "distinct_id": "ada/1",
    "properties": PROPERTIES,
    "timestamp": "2026-11-20T10:00:00.500Z",
    "team_id": 7,
}
ROW = {
    **CAPTURE,
    "properties": json.dumps({name: value for name, value in PROPERTIES.items() if name != "$elements_chain"}),
    "elements_chain": CHAIN,
    "timestamp": "2026-11-20 10:00:00.500000",
    "created_at": "2026-11-20 10:00:02.000000",
    "captured_at": "2026-11-20 10:00:01.250",
    "person_id": "0193e3b4-0000-7000-8000-00000000000b",
    "person_properties": '{"email":"as of the row"}',
    "person_mode": "full",
    "group0_properties": '{"size":1}',
}
PROJECT = "https://o.example/project/7"
WHO = {"email": "ada@example.com", "plan": "team"}
GROUP = {"id": "a/b", "type": "company", "index": 0, "url": f"{PROJECT}/groups/0/a%2Fb", "properties": {"size": 9}}
EVENT_URL = f"{PROJECT}/events/{UUID}/2026-11-20T10%3A00%3A00.500Z"
IDENTITY = {
    "id": PERSON,
    "properties": WHO,
    "name": "ada@example.com",
    "url": f"{PROJECT}/person/ada%2F1",
    "distinct_id": "ada/1",
}


@pytest.fixture
def people(tmp_path: Path) -> Iterator[PersonTable]:
    table = PersonTable(tmp_path / "persons")
    rows = [
        person_row(7, PERSON, json.dumps(WHO).encode()),
        distinct_id_row(7, "ada/1", PERSON),
        group_row(7, 0, "a/b", b'{"size":9}'),
    ]
    table.apply(rows, {})
    yield table
    table.close()


@pytest.fixture(params=[CAPTURE, ROW], ids=["capture", "row"])
def message(request: pytest.FixtureRequest) -> dict[str, Any]:
    shape: dict[str, Any] = request.param
    return shape


def seen(message: dict[str, Any], people: PersonTable) -> EventView:
    """The message as programs see it behind the join."""
    decoded = decode_message(Message("kafka:events", 0, 7, json.dumps(message).encode(), 0), 1)
    assert isinstance(decoded, Event)
    view = EventView(decoded, Site("https://o.example", group_types={"company": 0}))
    Join(people, {"company": 0}).enrich(view)
    return view


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("project", {"id": 7, "name": "project 7", "url": PROJECT}),
        ("project.id", 7),
        ("project.name", "project 7"),
        ("project.url", PROJECT),
        ("source", {"name": "Crm", "url": f"{PROJECT}/functions/crm/configuration/"}),
        ("source.name", "Crm"),
        ("source.url", f"{PROJECT}/functions/crm/configuration/"),
        ("event.uuid", UUID),
        ("event.event", "$autocapture"),
        ("event.distinct_id", "ada/1"),
        ("event.properties.plan", "pro"),
        ("event.elements_chain", CHAIN),
        ("event.timestamp", "2026-11-20T10:00:00.500Z"),
        ("event.url", EVENT_URL),
        ("person", IDENTITY),
        ("person.id", PERSON),
        ("person.properties", WHO),
        ("person.name", "ada@example.com"),
        ("person.url", f"{PROJECT}/person/ada%2F1"),
        ("person.distinct_id", "ada/1"),
        ("groups", {"company": GROUP}),
        ("groups.company.id", "a/b"),
        ("groups.company.type", "company"),
        ("groups.company.index", 0),
        ("groups.company.url", f"{PROJECT}/groups/0/a%2Fb"),
        ("groups.company.properties.size", 9),
        ("inputs.method", "PUT"),
    ],
)
def test_templates(message: dict[str, Any], people: PersonTable, load_one: LoadOne, key: str, value: Any) -> None:
    assert rendered(load_one, key, seen(message, people)) == value


def test_the_whole_event_of_a_template(message: dict[str, Any], people: PersonTable, load_one: LoadOne) -> None:
    is_row = message is ROW
    event = rendered(load_one, "event", seen(message, people))
    properties = {name: value for name, value in PROPERTIES.items() if not is_row or name != "$elements_chain"}
    assert list(event.items()) == [
        ("uuid", UUID),
        ("event", "$autocapture"),
        ("distinct_id", "ada/1"),
        ("properties", properties),
        ("elements_chain", CHAIN),
        ("timestamp", "2026-11-20T10:00:00.500Z"),
        ("captured_at", "2026-11-20T10:00:01.250Z" if is_row else None),
        ("url", EVENT_URL),
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("event", "$autocapture"),
        ("uuid", UUID),
        ("timestamp", "2026-11-20T10:00:00.500Z"),
        ("distinct_id", "ada/1"),
        ("properties.plan", "pro"),
        ("elements_chain", CHAIN),
        ("elements_chain_href", "/x"),
        ("elements_chain_texts", ["Buy", "All"]),
        ("elements_chain_ids", ["buy", "main"]),
        ("elements_chain_elements", ["a", "button", "form"]),
        ("person", {"id": PERSON, "properties": WHO}),
        ("person.id", PERSON),
        ("person.properties.plan", "team"),
        ("pdi", {"distinct_id": "ada/1", "person_id": PERSON, "person": {"id": PERSON, "properties": WHO}}),
        ("pdi.distinct_id", "ada/1"),
        ("pdi.person_id", PERSON),
        ("pdi.person.id", PERSON),
        ("pdi.person.properties.plan", "team"),
        ("$group_0", "a/b"),
        ("group_0", {"properties": {"size": 9}}),
        ("group_0.properties.size", 9),
        *((f"$group_{index}", None) for index in range(1, 5)),
        *((f"group_{index}", {"properties": {}}) for index in range(1, 5)),
    ],
)
def test_filters(message: dict[str, Any], people: PersonTable, key: str, value: Any) -> None:
    program = hog.expression(key, names=IN_FILTER)
    assert program(seen(message, people).row(row_needs(program.chains))) == value


def test_nobody_and_nothing(people: PersonTable, load_one: LoadOne) -> None:
    bare = seen({"event": "a", "distinct_id": "nobody", "team_id": 7}, people)
    values = {key: rendered(load_one, key, bare) for key in ("person", "groups", "event.elements_chain")}
    assert values == {"person": None, "groups": {}, "event.elements_chain": ""}
    row = bare.row(row_needs([("person",), ("pdi",), ("elements_chain_href",), ("elements_chain_texts",)]))
    assert (row["person"], row["pdi"], row["elements_chain_href"], row["elements_chain_texts"]) == (None, None, "", [])


def rendered(load_one: LoadOne, key: str, view: EventView) -> Any:
    """What `{key}` gives in the body of the destination `crm`."""
    destination = load_one(
        f"name: Crm\ninputs: {{url: 'https://a.b', method: PUT, body: {{value: '{{{key}}}'}}}}",
    )
    return value_of(destination, view)


def value_of(destination: Destination, view: EventView) -> Any:
    request = destination.render(view)
    assert isinstance(request, Request)
    return json.loads(request.body)["value"]


SHOP = """
name: The shop
url: https://eu.example/project/70/
person_display_name_properties: [plan, email]
"""


@pytest.mark.parametrize(
    ("project", "key", "value"),
    [
        (SHOP, "project", {"id": 7, "name": "The shop", "url": "https://eu.example/project/70"}),
        (SHOP, "source.url", "https://eu.example/project/70/functions/crm/configuration/"),
        (SHOP, "event.url", f"https://eu.example/project/70/events/{UUID}/2026-11-20T10%3A00%3A00.500Z"),
        (SHOP, "person.url", "https://eu.example/project/70/person/ada%2F1"),
        (SHOP, "groups.company.url", "https://eu.example/project/70/groups/0/a%2Fb"),
        (SHOP, "person.name", "team"),
        (f"id: 7{SHOP}", "project.name", "The shop"),
        (f"id: 8{SHOP}", "project", {"id": 7, "name": "project 7", "url": PROJECT}),
        (f"id: 8{SHOP}", "person.name", "ada@example.com"),
        ("person_display_name_properties: []", "person.name", "ada/1"),
        ("name: The shop", "project", {"id": 7, "name": "The shop", "url": PROJECT}),
        ("timezone: UTC", "project.name", "project 7"),
    ],
)
def test_what_the_project_file_says(
    people: PersonTable, load_files: Callable[..., Loaded], project: str, key: str, value: Any
) -> None:
    body = f"{{value: '{{{key}}}'}}"
    loaded = load_files(project=project, crm=f"id: crm\nname: Crm\ninputs: {{url: 'https://a.b', body: {body}}}")
    assert loaded.problems == []
    read = load_project(Path("destinations")).project
    assert read is not None
    view = seen(CAPTURE, people)
    presented = EventView(view.event, view.site.presented(read.presentation))
    assert value_of(loaded.destinations["crm"], presented) == value

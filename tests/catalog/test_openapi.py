"""What templates send is what the vendors' published descriptions of their APIs take."""

from collections.abc import Callable
from typing import Any, Final

import jsonschema
import msgspec
import pytest

import catalog
from catalog.cases import Case, read_cases
from cli.template_case import answered, destination_of, view_of
from destinations import Destination
from destinations.dry_run import dry_run
from records import Request
from tests.catalog.described import FOLDER, SLUGS, described, faults_of

TEMPLATES: Final = catalog.builtin()
CASES: Final = [(slug, case) for slug in SLUGS for case in read_cases(TEMPLATES[slug].folder) if case.requests]
DELIVERED: Final = [(slug, case) for slug, case in CASES if not case.fails]

_LONG: Final = "日本 🎉 <b>&amp;</b> " * 2_000
ODD: Final[dict[str, Callable[[Any], Any]]] = {
    "nothing": lambda value: None,
    "an empty text": lambda value: "",
    "text of all kinds": lambda value: "ünïcödé 日本 \u2028 🎉 </script>",
    "long text": lambda value: _LONG,
    "numbers": lambda value: 42,
    "fractions": lambda value: -0.125,
    "numbers as text": lambda value: str(value) if isinstance(value, int | float) else "0042",
    "yes": lambda value: True,
    "a list": lambda value: [value, None, [1]],
    "an object": lambda value: {"a": [{"b": [value, None, True, {"c": {}}]}]},
}
"""What comes in the place of a property."""
OFTEN: Final = ("email", "name", "first_name", "last_name", "phone", "plan", "city", "amount", "value", "currency")
"""Properties that every odd event and its person have."""


def rendered(destination: Destination, case: Case) -> list[Request]:
    """What the case sends; nothing where the destination passes the event over or refuses it."""
    return dry_run(destination, view_of(case), [answered(each) for each in case.answers]).requests


def oddly(case: Case, odd: Callable[[Any], Any], kept: str = "") -> Case:
    """The case with every property of the event and the person but one replaced."""

    def replaced(properties: dict[str, Any]) -> dict[str, Any]:
        whole = dict.fromkeys(OFTEN, "x") | {"": "x", "$lib": "web", "nested": {"a": 1}} | properties
        return {name: value if name == kept else odd(value) for name, value in whole.items()}

    event = case.event | {"properties": replaced(case.event.get("properties", {}))}
    person = None if case.person is None else replaced(case.person)
    return msgspec.structs.replace(case, event=event, person=person)


@pytest.mark.parametrize("slug", SLUGS)
def test_the_description_says_where_it_is_from(slug: str) -> None:
    assert slug in TEMPLATES
    description = described(slug)
    origin = description["origin"]
    assert all(origin[key] for key in ("source", "address", "version", "month", "licence"))
    assert set(origin) <= {"source", "address", "version", "month", "licence", "form", "exceptions"}
    for schema in description.get("$defs", {}).values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_each_file_is_a_description() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {f"{slug}.json" for slug in SLUGS}


@pytest.mark.parametrize(("slug", "case"), CASES, ids=[f"{slug}-{case.name}".replace(" ", "-") for slug, case in CASES])
def test_the_requests_of_the_case_are_as_described(slug: str, case: Case) -> None:
    sent = rendered(destination_of(TEMPLATES[slug], case), case)
    assert len(sent) == len(case.requests)
    assert [faults_of(slug, request) for request in sent] == [[] for _ in sent]


@pytest.mark.parametrize(
    ("slug", "case"), DELIVERED, ids=[f"{slug}-{case.name}".replace(" ", "-") for slug, case in DELIVERED]
)
def test_odd_events_make_requests_as_described(slug: str, case: Case) -> None:
    destination = destination_of(TEMPLATES[slug], case)
    for name, odd in ODD.items():
        for kept in ("", "email"):
            sent = rendered(destination, oddly(case, odd, kept))
            assert [faults_of(slug, request) for request in sent] == [[] for _ in sent], name


UPSERT: Final = {"inputs": [{"id": "ada@example.com", "idProperty": "email", "properties": {"city": "Wien"}}]}


def upsert(body: object, address: str = "https://api.hubapi.com/crm/objects/2026-09/contacts/batch/upsert") -> Request:
    return Request("POST", address, {"Content-Type": "application/json"}, msgspec.json.encode(body))


def test_a_request_as_described_has_no_faults() -> None:
    assert faults_of("hubspot", upsert(UPSERT)) == []


@pytest.mark.parametrize(
    ("slug", "request_", "fault"),
    [
        ("hubspot", upsert(UPSERT, "https://api.hubapi.com/crm/objects/2026-09/contacts/upsert"), "no path is like"),
        (
            "hubspot",
            upsert(UPSERT, "https://api.hubspot.com/crm/objects/2026-09/contacts/batch/upsert"),
            "no path is like",
        ),
        ("hubspot", msgspec.structs.replace(upsert(UPSERT), method="PUT"), "PUT is not among the methods"),
        ("hubspot", msgspec.structs.replace(upsert(UPSERT), body=b""), "the body is missing"),
        ("hubspot", msgspec.structs.replace(upsert(UPSERT), headers={}), "a body of type '' is not among"),
        ("hubspot", upsert({}), "'inputs' is a required property"),
        ("hubspot", upsert({"inputs": [UPSERT["inputs"][0] | {"idproperty": "email"}]}), "'idproperty' was unexpected"),
        ("hubspot", upsert({"inputs": [{"id": 7, "properties": {}}]}), "$.inputs[0].id: 7 is not of type 'string'"),
        ("hubspot", upsert(UPSERT, upsert({}).url + "?batch=1"), "the query 'batch' is not among"),
        (
            "klaviyo-event",
            Request("POST", "https://a.klaviyo.com/api/events", {}, b""),
            "the header 'revision' is missing",
        ),
        (
            "google-cloud-storage",
            Request("POST", "https://storage.googleapis.com/upload/storage/v1/b/a/o", {}),
            "the query",
        ),
        (
            "influxdb",
            Request("POST", "https://a/api/v2/write?org=a&bucket=b&precision=h", {}, b"a"),
            "'h' is not one of",
        ),
    ],
)
def test_what_is_not_as_described_is_told(slug: str, request_: Request, fault: str) -> None:
    assert any(fault in one for one in faults_of(slug, request_)), faults_of(slug, request_)

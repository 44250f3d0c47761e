"""The road of one event, as people see it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import catalog
from destinations import Destination, EventView, Secrets
from destinations.explain import InputValue, explain
from destinations.filters import Project
from destinations.loading import compile_bytes
from records import Request
from tests.destinations.conftest import SECRETS
from tests.destinations.events import view

LoadOne = Callable[[str], Destination]
URL = "inputs: {url: 'https://a.example', body: null}"
WHEN = """\
filters:
  when: >-
    event = 'paid' and properties.total > 50
    and (person.properties.plan = 'pro' or false)
"""


def paid(total: object = 70, plan: str = "pro", **others: object) -> EventView:
    return view({"total": total}, name="paid", person={"plan": plan}, **others)


@pytest.mark.parametrize(
    ("text", "event", "because"),
    [
        (f"enabled: false\n{URL}", paid(), "the destination's file says 'enabled: false'"),
        (f"project: 2\n{URL}", paid(), "the event is of project 1, the destination takes those of 2"),
        (WHEN + URL, view(name="seen"), "by its name alone: the filter takes 'paid'"),
        (WHEN + URL, paid(20), "the filter: properties.total > 50 does not hold"),
        (WHEN + URL, paid(plan="free"), "the filter: person.properties.plan = 'pro' or false does not hold"),
        (f"sample: 0.0000001\n{URL}", paid(), "it is not in the sample"),
        (f"sample: {{share: 0.5, by: properties.x}}\n{URL}", view(b"{"), "whether it is in the sample cannot"),
        (f"filters: {{when: 'properties.total'}}\n{URL}", paid(1), "the filter: properties.total does not hold"),
        ("inputs: {url: '{event.properties.nowhere}'}", paid(), "the request cannot be made: input 'url': the URL is"),
        (WHEN + URL, paid(), ""),
    ],
)
def test_the_first_reason_against_it(load_one: LoadOne, text: str, event: EventView, because: str) -> None:
    found = explain(load_one(text), event)
    assert found.because.startswith(because)
    assert bool(found.because) == bool(because)


def test_each_clause_says_what_it_saw(load_one: LoadOne) -> None:
    clauses = explain(load_one(WHEN + URL), paid(20, plan="free")).clauses
    assert [(one.text, one.holds, one.reads) for one in clauses] == [
        ("event = 'paid'", True, {"event": "paid"}),
        ("properties.total > 50", False, {"properties.total": 20}),
        ("person.properties.plan = 'pro' or false", False, {"person.properties.plan": "free"}),
    ]


def test_of_the_filters_object_each_part_says_what_it_saw(load_one: LoadOne) -> None:
    properties = "properties: [{key: plan, type: person, value: pro}]"
    for when, before in (("", []), ("when: properties.total > 50, ", [("properties.total > 50", True)])):
        found = explain(load_one(f"filters: {{{when}events: [{{id: paid}}], {properties}}}\n{URL}"), paid(plan="free"))
        told = [(one.text, one.holds) for one in found.clauses]
        assert told == [*before, ("a part of the filters object", False), ("a part of the filters object", True)]
        assert found.clauses[-2].reads == {"person.properties.plan": "free"}
        assert found.because == "the filter: a part of the filters object does not hold"


def test_a_clause_that_fails_says_why(load_one: LoadOne) -> None:
    found = explain(load_one(WHEN + URL), view(b"{", name="paid", person={}))
    assert found.because.startswith("the filter: properties.total > 50 fails: the event's properties are not JSON")


def test_inputs_one_by_one_and_the_request_without_secrets(load_one: LoadOne) -> None:
    found = explain(
        load_one(
            "inputs: {url: 'https://a.example/{secrets.USER}', headers: {X: '{secrets.TOKEN}'}, body: '{event.uuid}'}"
        ),
        paid(),
    )
    [sending] = found.sendings
    assert sending.inputs[0] == InputValue("url", '"https://a.example/***"')
    headers = {"X": "***", "Content-Type": "text/plain; charset=utf-8"}
    assert sending.request == Request("POST", "https://a.example/***", headers, paid().event.uuid.encode())
    assert not any(secret in repr(found) for secret in SECRETS.values())


def test_the_request_is_made_of_the_inputs_that_are_shown(load_one: LoadOne) -> None:
    [sending] = explain(load_one("inputs: {url: 'https://a.example', body: '{generateUUIDv4()}'}"), paid()).sendings
    assert sending.request is not None
    shown = {one.name: one.value for one in sending.inputs}
    assert shown["body"] == f'"{sending.request.body.decode()}"'


def test_each_input_that_fails_says_why_and_the_first_is_the_reason(load_one: LoadOne) -> None:
    failing = load_one("inputs: {url: 'https://a.example/{jsonParse(event.uuid)}', body: '{jsonParse(event.event)}'}")
    [sending] = explain(failing, paid()).sendings
    errors = {one.name: one.error for one in sending.inputs if one.error}
    assert list(errors) == ["url", "body"]
    assert sending.because == f"the request cannot be made: input 'url': {errors['url']}"
    assert sending.request is None


def test_code_makes_its_own_requests(load_one: LoadOne) -> None:
    found = explain(load_one("code: fetch(inputs.url)\ninputs: {url: 'https://a.example'}"), paid())
    [sending] = found.sendings
    assert (found.matches, sending.code, sending.request) == (True, True, None)
    assert sending.inputs == [InputValue("url", '"https://a.example"')]


FILTERS = ["event = 'paid'", "properties.total", "person.properties.plan = 'pro'", "true", "1", "properties.x.y > 2"]


@given(
    st.lists(st.sampled_from(FILTERS), min_size=1, max_size=4),
    st.sampled_from([0, 1, True, "a", None]),
    st.sampled_from(["pro", "free"]),
)
def test_the_verdict_is_the_destination_s_own(parts: list[str], total: object, plan: str) -> None:
    text = f"id: crm\nfilters:\n  when: {json.dumps(' and '.join(parts))}\nsample: 0.5\n{URL}"
    destination = compile_bytes(
        Path("crm.yaml"), text.encode(), Secrets(SECRETS.get), catalog.builtin(), Project()
    ).destination
    assert destination is not None
    found = explain(destination, paid(total, plan))
    wanted = paid(total, plan)
    assert found.matches is (destination.matches(wanted) and destination.samples(wanted))
    assert all(clause.holds for clause in found.clauses) or not found.matches

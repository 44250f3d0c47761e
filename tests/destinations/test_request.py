"""Exact requests out of exact destinations and events."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from destinations import Destination, EventView, InputError, Loaded, Site
from destinations.site import Presentation
from records import Request
from tests.destinations.events import UUID, event, view

LoadOne = Callable[[str], Destination]

JSON = {"Content-Type": "application/json"}


def test_the_issue_example(load_one: LoadOne) -> None:
    destination = load_one("""
name: CRM contacts
filters: {when: "event == '$identify' and person.properties.email != null"}
inputs:
  url: https://crm.example.com/contacts/{person.id}?source={event.properties.utm_source ?? 'none'}
  method: POST
  headers: {Authorization: 'Bearer {secrets.TOKEN}', X-Plan: pro}
  body: {email: '{person.properties.email}', name: '{person.name}', event: '{event.event}', all: '{event.properties}'}
""")
    seen = view({"utm_source": "spring sale/ü", "n": 1}, name="$identify", person={"email": "a@b.c"}, person_id="p/1")
    assert destination.matches(seen)
    assert destination.render(seen) == Request(
        "POST",
        "https://crm.example.com/contacts/p%2F1?source=spring%20sale%2F%C3%BC",
        {"Authorization": "Bearer s3cr3t/value", "X-Plan": "pro", "Content-Type": "application/json"},
        '{"email":"a@b.c","name":"a@b.c","event":"$identify","all":{"utm_source":"spring sale/ü","n":1}}'.encode(),
    )


def test_the_defaults_send_event_and_person(load_one: LoadOne) -> None:
    request = load_one("inputs: {url: 'https://a.b'}").render(view({"a": 1}, person={"name": "Anna"}))
    assert (request.method, request.url, request.headers) == ("POST", "https://a.b", JSON)
    project = "http://localhost:8010/project/1"
    assert request.body.decode() == (
        '{"event":{"uuid":"' + UUID + '","event":"$pageview","distinct_id":"anna@example.com","properties":{"a":1},'
        '"elements_chain":"","timestamp":"2026-11-16T18:10:20.813Z","captured_at":null,'
        f'"url":"{project}/events/{UUID}/2026-11-16T18%3A10%3A20.813Z"}},'
        '"person":{"id":"p-1","properties":{"name":"Anna"},"name":"Anna",'
        f'"url":"{project}/person/anna%40example.com","distinct_id":"anna@example.com"}}}}'
    )


def test_nobody_known_is_null(load_one: LoadOne) -> None:
    destination = load_one("inputs: {url: 'https://a.b', body: {p: '{person}', e: '{person.properties.email}'}}")
    assert destination.render(view()).body == b'{"p":null,"e":null}'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("'{event.properties.big}'", b"1180591620717411303424"),
        ("{b: '{event.properties.big}'}", b'{"b":1180591620717411303424}'),
        ("{b: 1180591620717411303424}", b'{"b":1180591620717411303424}'),
        ("{t: '{event.properties.line}'}", '{"t":"a\u2028b"}'.encode()),
        ("{t: '{event.properties.nul}'}", b'{"t":"a\\u0000b"}'),
        ("{t: '{event.properties.lone}'}", '{"t":"\ufffd"}'.encode()),
        (
            "{t: true, f: 1.5, n: null, s: 'true', d: 2024-01-01}",
            b'{"t":true,"f":1.5,"n":null,"s":"true","d":"2024-01-01"}',
        ),
        ("['{event.event}', [1], {a: ['{event.distinct_id}']}]", b'["$pageview",[1],{"a":["anna@example.com"]}]'),
        ("{1: a, '': b, 'a.b': c, '{event.event}': d}", b'{"1":"a","":"b","a.b":"c","{event.event}":"d"}'),
        ("'{1 == 1}'", b"true"),
    ],
)
def test_bodies_pass_unharmed(load_one: LoadOne, body: str, expected: bytes) -> None:
    odd = (
        b'{"big":1180591620717411303424,"line":"a\\u2028b","nul":"a\\u0000b","lone":"\\ud800",'
        b'"":{"":1},"a.b":{"c.d":2},"dup":1,"dup":2}'
    )
    assert load_one(f"inputs: {{url: 'https://a.b', body: {body}}}").render(view(odd)).body == expected


def test_all_properties_pass_with_empty_and_dotted_keys(load_one: LoadOne) -> None:
    destination = load_one("inputs: {url: 'https://a.b', body: '{event.properties}'}")
    raw = b'{"":{"":1},"a.b":{"c.d":2},"$x":[null,true,1e2]}'
    assert destination.render(view(raw)).body == b'{"":{"":1},"a.b":{"c.d":2},"$x":[null,true,100]}'


@pytest.mark.parametrize(
    ("inputs", "headers", "body"),
    [
        ("body: 'a=1&b={event.event}', headers: {}", {"Content-Type": "text/plain; charset=utf-8"}, b"a=1&b=$pageview"),
        ("body: 'text'", JSON, b"text"),
        ("body: {a: 1}, headers: {content-type: application/x-y}", {"content-type": "application/x-y"}, b'{"a":1}'),
        ("body: {a: 1}, headers: {X: 1}", {"X": "1", **JSON}, b'{"a":1}'),
        ("body: null, headers: {}", {}, b""),
        ("body: '', headers: {}", {}, b""),
        ("body: '{event.properties.none}', headers: {}", {}, b""),
        ("body: {a: 1}, headers: {}, method: get", {}, b""),
        ("body: {a: 1}, headers: {}, method: HEAD", {}, b""),
        ("body: x, headers: {A: null, B: '{event.properties.none}', C: ''}, method: PURGE",
         {"C": "", "Content-Type": "text/plain; charset=utf-8"}, b"x"),
        ("body: null, headers: {A: true, B: 1.5, C: '{event.properties.list}'}",
         {"A": "true", "B": "1.5", "C": "[1, 2]"}, b""),
        ("body: null, headers: {x-a: 1, X-A: 2}", {"X-A": "2"}, b""),
        ("body: null, headers: '{event.properties.headers}'", {"X-From": "event"}, b""),
    ],
)  # fmt: skip
def test_headers_and_bodies(load_one: LoadOne, inputs: str, headers: dict[str, str], body: bytes) -> None:
    seen = view({"list": [1, 2], "headers": {"X-From": "event"}})
    request = load_one(f"inputs: {{url: 'https://a.b', {inputs}}}").render(seen)
    assert (request.headers, request.body) == (headers, body)


@pytest.mark.parametrize(
    ("inputs", "properties", "message"),
    [
        ("method: '{event.properties.x}'", {"x": "PO ST"},
         "input 'method': the method must be a word such as POST, got 'PO ST'"),
        ("method: '{event.properties.x}'", {}, "input 'method': the method must be a word such as POST, got null"),
        ("headers: {A: '{event.properties.x}'}", {"x": "a\r\nB: c"},
         "input 'headers': header 'A' has a line break or another control character in its value"),
        ("headers: '{event.properties.x}'", {"x": [1]}, "input 'headers': expected a mapping, got a list"),
        ("headers: '{event.properties.x}'", {"x": {"a b": 1}}, "input 'headers': 'a b' is not a header name"),
        ("headers: '{event.properties.x}'", {"x": {"Content-Length": "5"}},
         "input 'headers': header 'Content-Length' is set by the connection itself; leave it out"),
        ("body: '{toDateTime(event.properties.x)}'", {"x": 1e300},
         "input 'body': the body cannot be written as JSON: the time 1e+300 is outside the calendar"),
        ("headers: {A: '{toDateTime(event.properties.x)}'}", {"x": 1e300},
         "input 'headers': the value cannot be written as text: the time 1e+300 is outside the calendar"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent(load_one: LoadOne, inputs: str, properties: dict[str, Any], message: str) -> None:
    destination = load_one(f"inputs: {{url: 'https://a.b', {inputs}}}")
    with pytest.raises(InputError) as raised:
        destination.render(view(properties))
    assert str(raised.value) == message


@pytest.mark.parametrize("url", ["{toDateTime(event.properties.x)}", "https://a.b/{toDateTime(event.properties.x)}"])
def test_a_time_outside_the_calendar_in_a_url(load_one: LoadOne, url: str) -> None:
    destination = load_one(f"inputs: {{url: '{url}'}}")
    with pytest.raises(InputError) as raised:
        destination.render(view({"x": 1_700_000_000_000_000}))
    assert str(raised.value) == (
        "input 'url': the value cannot be written as text: the time 1700000000000000.0 is outside the calendar"
    )


def test_a_failing_leaf_is_named(load_one: LoadOne) -> None:
    destination = load_one("inputs: {url: 'https://a.b', body: {a: [{'b c': '{jsonParse(event.properties.x)}'}]}}")
    with pytest.raises(InputError, match=r"^input 'body\.a\[0\]\['b c'\]': "):
        destination.render(view({"x": "{"}))


def test_properties_that_are_not_json_are_a_failed_input(load_one: LoadOne) -> None:
    destination = load_one("inputs: {url: 'https://a.b', body: '{event.properties.a}'}")
    with pytest.raises(InputError, match=r"^event: the event's properties are not JSON"):
        destination.render(view(b'{"a":'))
    with pytest.raises(InputError, match=r"^event: the event's properties are not a JSON object$"):
        destination.render(view(b"[1]"))


def test_what_nobody_expected_fails_this_request_alone_and_shows_no_secret(load_one: LoadOne) -> None:
    class Odd(EventView):
        def invocation(self, needs: Iterable[str]) -> dict[str, Any]:
            raise ZeroDivisionError("s3cr3t/value")

    destination = load_one("inputs: {url: 'https://a.b/{secrets.TOKEN}'}")
    with pytest.raises(InputError) as raised:
        destination.render(Odd(event(), Site()))
    assert str(raised.value) == "event: the request cannot be made of it: ZeroDivisionError: ***"


def test_inputs_may_use_each_other_in_any_order(load_one: LoadOne) -> None:
    destination = load_one(
        "inputs: {url: 'https://a.b/{inputs.method}', method: '{upper(inputs.body.m)}', body: {m: put}}"
    )
    request = destination.render(view())
    assert (request.method, request.url) == ("PUT", "https://a.b/PUT")


def test_project_source_and_group(load_one: LoadOne) -> None:
    destination = load_one(
        "name: CRM\ninputs: {url: 'https://a.b', body: {p: '{project.name}', s: '{source.url}', n: '{source.name}',"
        " g: '{groups.company.id}', u: '{groups.company.url}'}}"
    )
    site = Site("https://x.y/", {"company": 0}, Presentation(name="Shop"))
    seen = view({"$groups": {"company": "acme as"}}, site=site)
    assert destination.render(seen).body == (
        b'{"p":"Shop","s":"https://x.y/project/1/functions/crm/configuration/","n":"CRM","g":"acme as",'
        b'"u":"https://x.y/project/1/groups/0/acme%20as"}'
    )


def test_the_invocation_id_depends_on_destination_project_and_event(load_files: Callable[..., Loaded]) -> None:
    loaded = load_files(a="id: a\ninputs: {url: 'https://a.b'}", b="id: b\ninputs: {url: 'https://a.b'}")
    a, b = loaded.destinations["a"], loaded.destinations["b"]
    assert (
        a.invocation_id(event())
        == a.invocation_id(event({"other": "properties"}))
        == "msg_" + a.invocation_id(event())[4:]
    )
    assert len({a.invocation_id(event()), b.invocation_id(event()), a.invocation_id(event(project=2))}) == 3

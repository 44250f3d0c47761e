"""Inputs of every type: missing, null, empty, of a wrong type, and rendered."""

from collections.abc import Callable
from typing import Any

import pytest

from destinations import Destination, InputError, Loaded
from records import Code
from tests.destinations.events import view

LoadFiles = Callable[..., Loaded]
LoadOne = Callable[[str], Destination]

KINDS = ("string", "url", "number", "boolean", "dictionary", "json", "email")
CHOICES = "choices: [{value: low}, {value: high, label: High}, {value: 3}, {value: true}]"


def file(schema: str, written: str | None) -> str:
    """A destination whose code has one input `x`; without `written` it is absent."""
    inputs = "" if written is None else f"inputs: {{x: {written}}}\n"
    return f"inputs_schema: {{x: {{{schema}}}}}\n{inputs}code: print(1)"


def problems(loaded: Loaded) -> list[str]:
    return [f"{problem.path}: {problem.message}" for problem in loaded.problems]


def value_of(destination: Destination, properties: dict[str, Any] | None = None) -> Any:
    work = destination.render(view(properties or {}))
    assert isinstance(work, Code)
    return work.inputs["x"]


NUMBER, BOOLEAN, MAPPING = "type: number", "type: boolean", "type: dictionary"


@pytest.mark.parametrize(
    ("schema", "written", "expected"),
    [
        # Absent, null and empty.
        *[(f"type: {kind}", written, None) for kind in KINDS for written in (None, "null")],
        ("type: string", "''", ""),
        (f"type: choice, {CHOICES}", None, None),
        (f"type: choice, {CHOICES}", "''", ""),
        (f"type: choice, {CHOICES}, default: low", None, "low"),
        (f"type: choice, {CHOICES}, default: low, required: true", None, "low"),
        ("type: string, default: a, required: true", None, "a"),
        ("type: number, default: 1, required: true", None, 1),
        ("type: number, required: true", "0", 0),
        ("type: boolean, required: true", "false", False),
        # As written.
        (NUMBER, "1.5", 1.5),
        (BOOLEAN, "true", True),
        (MAPPING, "{a: [1, {b: null}]}", {"a": [1, {"b": None}]}),
        ("type: json", "[1]", [1]),
        (f"type: choice, {CHOICES}", "high", "high"),
        (f"type: choice, {CHOICES}", "3", 3),
        (f"type: choice, {CHOICES}", "true", True),
        # Rendered.
        ("type: string", "'{event.event}!'", "$pageview!"),
        ("type: string", "'{event.properties}'", {"n": 5, "t": "low", "b": True, "m": {"k": 1}}),
        (NUMBER, "'{event.properties.n}'", 5),
        (NUMBER, "'{event.properties.none}'", None),
        (BOOLEAN, "'{event.properties.b}'", True),
        (MAPPING, "'{event.properties.m}'", {"k": 1}),
        (f"type: choice, {CHOICES}", "'{event.properties.t}'", "low"),
        (f"type: choice, {CHOICES}", "'{event.properties.none}'", None),
        # Languages.
        ("type: string, templating: false", "'{event.event'", "{event.event"),
        ("type: string, templating: hog", "'{event.event}'", "$pageview"),
        ("type: string", "{value: '{a}', templating: false}", "{a}"),
        ("type: string", "{value: '{event.event}', bytecode: [_H, 1], order: 0, bytecode_contract: x}", "$pageview"),
        ("type: string, templating: false", "{value: '{a}', templating: hog}", "{a}"),
        ("type: string", "{value: a}", "a"),
        (MAPPING, "{value: a}", {"value": "a"}),
        (MAPPING, "{value: {value: a}, templating: hog}", {"value": "a"}),
        ("type: json", "{value: a, other: b, templating: hog}", {"value": "a", "other": "b", "templating": "hog"}),
        # A mapping that begins with another one.
        (MAPPING, "{$$_extend_object: '{event.properties.m}', a: 1}", {"k": 1, "a": 1}),
        (MAPPING, "{k: 2, $$_extend_object: '{event.properties.m}'}", {"k": 2}),
        (MAPPING, "{$$_extend_object: '{event.properties.none}', a: 1}", {"a": 1}),
        ("type: json", "[{$$_extend_object: {a: 1}, b: {$$_extend_object: '{event.properties.m}'}}]",
         [{"a": 1, "b": {"k": 1}}]),
        ("type: json, templating: false", "{$$_extend_object: '{a}'}", {"$$_extend_object": "{a}"}),
        # An email.
        ("type: email", "{from: a@b.c, to: '{event.distinct_id}', subject: s, text: t, design: {x: '{{ no'}}",
         {"from": "a@b.c", "to": "anna@example.com", "subject": "s", "text": "t", "design": {"x": "{{ no"}}),
        ("type: email", "'{event.properties.m}'", {"k": 1}),
    ],
)  # fmt: skip
def test_a_value(load_one: LoadOne, schema: str, written: str | None, expected: Any) -> None:
    found = value_of(load_one(file(schema, written)), {"n": 5, "t": "low", "b": True, "m": {"k": 1}})
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("schema", "written", "problem"),
    [
        *[
            (f"type: {kind}, required: true", written, "inputs.x: required input 'x' is missing")
            for kind in (*KINDS, f"choice, {CHOICES}")
            for written in (None, "null", "''")
        ],
        ("type: string, required: true", "{value: ''}", "inputs.x: required input 'x' is missing"),
        ("type: string", "5", "inputs.x: expected text, got a number; put it in quotes"),
        ("type: string", "[a]", "inputs.x: expected text, got a list"),
        ("type: string", "{a: b}", "inputs.x: expected text, got a mapping"),
        ("type: url", "true", "inputs.x: expected text, got true or false; put it in quotes"),
        (NUMBER, "'5'", "inputs.x: expected a number, got text"),
        (NUMBER, "true", "inputs.x: expected a number, got true or false"),
        (NUMBER, "['{event.event}']", "inputs.x: expected a number, got a list"),
        (BOOLEAN, "1", "inputs.x: expected true or false, got a number"),
        (BOOLEAN, "yes", "inputs.x: expected true or false, got text"),
        (MAPPING, "[1]", "inputs.x: expected a mapping, got a list"),
        (MAPPING, "['{event.event}']", "inputs.x: expected a mapping, got a list"),
        (MAPPING, "abc", "inputs.x: expected a mapping, got text"),
        (f"type: choice, {CHOICES}", "medium", "inputs.x: expected one of 'low', 'high', 3, true; got 'medium'"),
        (f"type: choice, {CHOICES}", "4", "inputs.x: expected one of 'low', 'high', 3, true; got 4"),
        (f"type: choice, {CHOICES}, default: no", None, "inputs.x: expected one of 'low', 'high', 3, true; got 'no'"),
        (f"type: choice, {CHOICES}", "'{1 == 2}'", "inputs.x: expected one of 'low', 'high', 3, true; got false"),
        ("type: email", "{to: a}", "inputs.x: an email needs from, subject, text or html"),
        ("type: email", "{from: a, to: b, subject: c, html: ''}", "inputs.x: an email needs text or html"),
        ("type: string", "{value: a, templating: twig}", "inputs.x.templating: expected true, false, hog or liquid"),
        ("type: string, secret: true", "{secret: true}",
         "inputs.x: this stands for a secret that PostHog keeps back; write '{secrets.NAME}'"),
        ("type: number", "{value: '{nope}'}", "inputs.x.value: unknown name 'nope'"),
    ],
)  # fmt: skip
def test_a_problem_of_a_value(load_files: LoadFiles, schema: str, written: str | None, problem: str) -> None:
    assert problems(load_files(crm=f"id: crm\n{file(schema, written)}")) == [problem]


@pytest.mark.parametrize(
    ("schema", "written", "message"),
    [
        (NUMBER, "'{event.event}'", "expected a number, got text"),
        (NUMBER, "'{event.properties.n}0'", "expected a number, got text"),
        (BOOLEAN, "'{event.properties.n}'", "expected true or false, got a number"),
        (MAPPING, "'{event.event}'", "expected a mapping, got text"),
        (MAPPING, "{a: {$$_extend_object: '{event.event}'}}", None),
        ("type: email", "'{event.properties.n}'", "expected a mapping, got a number"),
        (f"type: choice, {CHOICES}", "'{event.event}'", "expected one of 'low', 'high', 3, true; got '$pageview'"),
        (f"type: choice, {CHOICES}", "'{event.properties}'", "expected one of 'low', 'high', 3, true; got a mapping"),
        (f"type: choice, {CHOICES}, required: true", "'{event.properties.none}'",
         "expected one of 'low', 'high', 3, true; got null"),
        ("type: choice, choices: [{value: a}], secret: true", "'{secrets.TOKEN}'",
         "expected one of 'a'; got another value"),
    ],
)  # fmt: skip
def test_an_event_that_does_not_fit_is_an_error_of_its_own(
    load_one: LoadOne, schema: str, written: str, message: str | None
) -> None:
    destination = load_one(file(schema, written))
    with pytest.raises(InputError) as raised:
        destination.render(view({"n": 5}))
    expected = "input 'x.a': `$$_extend_object` expected a mapping, got text"
    assert str(raised.value) == (expected if message is None else f"input 'x': {message}")


def test_an_error_shows_no_secret(load_one: LoadOne) -> None:
    destination = load_one(file("type: choice, choices: [{value: a}]", "'{secrets.TOKEN}'"))
    with pytest.raises(InputError, match=r"got '\*\*\*'"):
        destination.render(view())


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("hunter2", True),
        ("{value: hunter2, templating: false}", True),
        ("\"{'hunter2'}\"", True),
        ("'{secrets.TOKEN}'", False),
        ("'Bearer {secrets.TOKEN}'", False),
        ("'{event.properties.token}'", False),
        ("''", False),
        ("null", False),
    ],
)
def test_a_secret_does_not_stand_in_the_file(load_files: LoadFiles, written: str, found: bool) -> None:
    loaded = load_files(crm=f"id: crm\n{file('type: string, secret: true', written)}")
    message = "inputs.x: a secret must not stand in the file, which others read: write '{secrets.NAME}'"
    assert problems(loaded) == ([message] if found else [])
    assert "hunter2" not in "".join(map(str, loaded.problems))


def test_what_is_made_of_secrets_is_masked(load_one: LoadOne) -> None:
    destination = load_one(file("type: string, secret: true", "'{sha256Hex(secrets.TOKEN)}'"))
    token = value_of(destination)
    assert len(token) == 64
    assert destination.redact(f"a {token} b") == "a *** b"


def test_masking_a_secret_mapping_leaves_its_plain_parts(load_one: LoadOne) -> None:
    written = "{Content-Type: application/json, Authorization: '{sha256Hex(secrets.TOKEN)}', $$_extend_object: {}}"
    destination = load_one(file("type: dictionary, secret: true", written))
    shown = destination.redact(f"application/json {value_of(destination)['Authorization']}")
    assert shown == "application/json ***"


@pytest.mark.parametrize(
    ("inputs", "circle"),
    [
        ("{a: '{inputs.a}'}", "a → a"),
        ("{a: '{inputs.b}', b: ['{inputs.c.d}'], c: {$$_extend_object: '{inputs.a}'}}", "a → c → b → a"),
    ],
)
def test_a_circle(load_files: LoadFiles, inputs: str, circle: str) -> None:
    schema = "inputs_schema: {a: {type: json}, b: {type: json}, c: {type: json}}"
    loaded = load_files(crm=f"id: crm\n{schema}\ninputs: {inputs}\ncode: print(1)")
    assert problems(loaded) == [f"inputs.a: inputs need each other in a circle: {circle}"]


def test_inputs_see_others_whatever_their_order(load_one: LoadOne) -> None:
    schema = "inputs_schema: {x: {type: string}, y: {type: number}, z: {type: number, default: 2}}"
    destination = load_one(f"{schema}\ninputs: {{x: '{{inputs.y}}!', y: '{{inputs.z}}'}}\ncode: print(1)")
    assert value_of(destination) == "2!"

"""A destination file's own schema, in both shapes."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.refused import REFUSED
from catalog.yaml_file import parse
from destinations import Destination, Loaded
from destinations.report import Report
from destinations.schema import compile_schema

LoadFiles = Callable[..., Loaded]


def test_both_shapes_say_the_same() -> None:
    report = Report("f", "f", parse(b"id: f"))
    listed = [
        {"key": "a", "type": "choice", "label": "A", "choices": [{"value": "x", "label": "X"}], "searchable": True,
         "secret": False, "integration": None},
        {"key": "b", "type": "string", "required": True, "default": "", "hidden": True, "templating": "hog"},
    ]  # fmt: skip
    mapped = {item["key"]: {name: value for name, value in item.items() if name != "key"} for item in listed}
    schema = compile_schema(listed, report)
    assert schema == compile_schema(mapped, report)
    assert list(schema) == ["a", "b"]
    assert report.problems == []
    assert (schema["a"].choices[0].value, schema["b"].required, schema["b"].templating) == ("x", True, "hog")


@pytest.mark.parametrize(
    ("schema", "problems"),
    [
        ("{x: {type: strng}}", ["inputs_schema.x.type: unknown type 'strng'; did you mean 'string'?"]),
        ("{x: {}}", ["inputs_schema.x.type: key 'type' is missing: one of string, url, number, boolean, choice, "
                     "dictionary, json, email"]),
        ("{x: {type: 5}}", ["inputs_schema.x.type: expected text, got a number"]),
        ("{x: string}", ["inputs_schema.x: expected a mapping, got text"]),
        ("[{type: string}]", ["inputs_schema[0]: an input of the list needs its name: `key: NAME`"]),
        ("[{key: x, type: string}, {key: x, type: json}]", ["inputs_schema[1]: input 'x' is there twice"]),
        ("{x: {type: string, requierd: true}}",
         ["inputs_schema.x.requierd: unknown key 'requierd'; did you mean 'required'?"]),
        ("{x: {type: string, required: maybe}}",
         ["inputs_schema.x.required: expected true or false, got text"]),
        ("{x: {type: string, templating: twig}}", ["inputs_schema.x.templating: expected true, false, hog or liquid"]),
        ("{x: {type: choice}}",
         ["inputs_schema.x: an input of type 'choice' needs `choices`: a list of {value, label}"]),
        ("{x: {type: string, choices: [{value: a}]}}",
         ["inputs_schema.x: `choices` go with type 'choice', not with 'string'"]),
        ("{x: {type: choice, choices: [{label: a}]}}", ["inputs_schema.x.choices[0].value: key 'value' is missing"]),
        ("{x: {type: choice, choices: [a]}}",
         ["inputs_schema.x.choices[0]: expected a mapping of value and label, got text",
          "inputs_schema.x: an input of type 'choice' needs `choices`: a list of {value, label}"]),
        ("text", ["inputs_schema: expected a mapping, got text"]),
        ("{x: {type: native_email}}",
         ["inputs_schema.x.type: inputs of type 'native_email' do not exist here: "
          "it goes through PostHog's own mail service; write an `email`, and send it to a mail API"]),
    ],
)  # fmt: skip
def test_a_problem(load_files: LoadFiles, schema: str, problems: list[str]) -> None:
    loaded = load_files(crm=f"id: crm\ninputs_schema: {schema}\ncode: print(1)")
    assert [f"{problem.path}: {problem.message}" for problem in loaded.problems] == problems


@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_types_that_are_not_here_are_refused_by_name(load_files: LoadFiles, kind: str) -> None:
    text = f"id: crm\ninputs_schema: [{{key: x, type: {kind}}}]\ninputs: {{x: 1}}\ncode: print(inputs.x)"
    (problem,) = load_files(crm=text).problems
    assert problem.message == f"inputs of type '{kind}' do not exist here: {REFUSED[kind]}"
    assert (problem.line, problem.column) == (2, text.splitlines()[1].index(kind) + 1)


def test_a_schema_goes_with_code(load_files: LoadFiles) -> None:
    loaded = load_files(crm="id: crm\ninputs_schema: {url: {type: url}}\ninputs: {url: 'https://a.b'}")
    assert [problem.summary() for problem in loaded.problems] == [
        "destinations/crm.yaml: inputs_schema (2,1): `inputs_schema` goes with `code`: "
        "a template has a schema of its own"
    ]


def test_an_input_that_is_not_in_the_schema(load_files: LoadFiles) -> None:
    loaded = load_files(crm="id: crm\ninputs_schema: {url: {type: url}}\ninputs: {urll: 'https://a.b'}\ncode: print(1)")
    assert [problem.message for problem in loaded.problems] == ["unknown input 'urll'; did you mean 'url'?"]


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_ITEM = st.fixed_dictionaries(
    {},
    optional={
        "key": _JSON,
        "type": _JSON | st.sampled_from(["string", "choice", "number", "integration"]),
        "choices": _JSON | st.just([{"value": "a"}]),
        "required": _JSON,
        "templating": _JSON,
        "label": _JSON,
        "default": _JSON,
    },
)


@given(st.lists(_ITEM | _JSON, max_size=3) | st.dictionaries(st.text(max_size=3), _ITEM | _JSON, max_size=3))
def test_any_schema_is_compiled_or_has_a_problem(written: list[Any] | dict[str, Any]) -> None:
    report = Report("f", "f", parse(b"id: f"))
    schema = compile_schema(written, report)
    assert report.problems or len(schema) == len(written)


def test_a_template_keeps_its_schema_where_the_code_is_the_files(load_files: LoadFiles) -> None:
    loaded = load_files(crm="id: crm\ntemplate: webhook\ninputs: {urk: 1, url: 'https://a.b'}\ncode: print(1)")
    assert [problem.message for problem in loaded.problems] == ["unknown input 'urk'; did you mean 'url'?"]
    destination: Destination | None = loaded.destinations.get("crm")
    assert destination is None

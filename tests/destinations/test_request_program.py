"""A template's program that returns its request."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from catalog import Template
from catalog.loading import load
from catalog.scaffold import FILES
from destinations import Destination, InputError, Secrets
from destinations.dry_run import dry_run
from destinations.explain import explain
from destinations.filters import Project
from destinations.loading import compile_bytes
from operators.route import invoke
from records import Request
from tests.destinations.events import view

ADDRESS = "'url': 'https://a.example/x'"


@pytest.fixture
def template(tmp_path: Path) -> Template:
    """One with a program that is to be put in."""
    folder = tmp_path / "catalog" / "own"
    folder.mkdir(parents=True)
    written = FILES["template.yaml"].replace("SLUG", "own")
    (folder / "template.yaml").write_text(written[: written.index("request:")])
    (folder / "request.hog").write_text("return null")
    return load(folder.parent)["own"]


def made(template: Template, program: str, more: str = "") -> tuple[Destination | None, list[str]]:
    text = f"id: d\ntemplate: own\ninputs: {{api_key: '{{secrets.KEY}}'}}\n{more}".encode()
    catalog = {"own": msgspec.structs.replace(template, request_code=program)}
    secrets: Mapping[str, str] = {"KEY": "s3cr3t/value"}
    compiled = compile_bytes(Path("d.yaml"), text, Secrets(secrets.get), catalog, Project())
    return compiled.destination, [str(problem) for problem in compiled.problems]


def rendered(template: Template, program: str) -> Any:
    destination, problems = made(template, program)
    assert destination is not None, problems
    return destination.render(view({"a": 1, "who": None}))


def test_what_it_returns_is_the_request(template: Template) -> None:
    program = f"""
    let body := {{'n': event.properties.a}}
    for (let key, value in event.properties) {{ if (value = null) {{ body.nothing := key }} }}
    return {{{ADDRESS}, 'headers': {{'X-Key': inputs.api_key, 'X-None': null}}, 'body': body}}
    """
    headers = {"X-Key": "s3cr3t/value", "Content-Type": "application/json"}
    expected = Request("POST", "https://a.example/x", headers, b'{"n":1,"nothing":"who"}')
    assert rendered(template, program) == expected


def test_the_method_may_be_another_and_a_get_has_no_body(template: Template) -> None:
    assert rendered(template, f"return {{{ADDRESS}, 'method': 'get', 'body': 1}}") == Request(
        "GET", "https://a.example/x", {}
    )
    assert rendered(template, f"return {{{ADDRESS}, 'method': 'PUT', 'body': 'a'}}").body == b"a"


def test_null_means_that_nothing_is_sent(template: Template) -> None:
    for program in ("return null", "if (1 = 2) { return 1 }", "return"):
        destination, _ = made(template, program)
        assert destination is not None
        branch, *_ = destination.branches
        invocation = invoke(destination, view({"a": 1}), branch, 0)
        assert (invocation.work, invocation.error) == (None, None)
        found = dry_run(destination, view({"a": 1}))
        assert (found.matches, found.requests, found.error) == (True, [], "")
        assert explain(destination, view({"a": 1})).because.startswith("there is nothing to send")


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("throw Error('no e-mail')", "no e-mail"),
        ("return 5", "must return {'url': …} or null, got a number"),
        ("return {'body': 1}", "url"),
        ("return {'url': 'ftp://a.example'}", "http"),
        (f"return {{{ADDRESS}, 'heads': {{}}}}", "no part 'heads': only aws_sigv4, body, headers, method, url"),
        (f"return {{{ADDRESS}, 'headers': {{'a b': 1}}}}", "is not a header name"),
        (f"let a := [] for (let i := 0; i < 2; i := i + 1) {{ a := arrayPushBack(a, a) }} "
         f"let b := {{}} b.b := b return {{{ADDRESS}, 'body': b}}", "cannot be"),
        ("while (true) {}", "longer than"),
        ("throw Error(inputs.api_key)", "***"),
    ],
)  # fmt: skip
def test_what_is_wrong_fails_by_name_and_without_secrets(template: Template, program: str, why: str) -> None:
    with pytest.raises(InputError) as error:
        rendered(template, program)
    assert why in str(error.value)
    assert "s3cr3t" not in str(error.value)


@pytest.mark.parametrize("program", ["fetch('https://a.example')", "return secrets.KEY", "let"])
def test_a_program_that_cannot_be_one_is_a_problem_of_the_template(template: Template, program: str) -> None:
    destination, problems = made(template, program)
    assert destination is None
    assert len(problems) == 1
    assert "the template's request.hog (1," in problems[0]


def test_its_requests_can_be_put_together(template: Template) -> None:
    destination, problems = made(template, "return null", "delivery: {batch: {as: join, key: events}}")
    assert destination is not None, problems
    assert destination.policy.batch is not None
    assert made(template, "return null", "delivery: {batch: {as: join}}")[1] != []
    assert made(template, "return null", "delivery: {batch: {as: ndjson, key: events}}")[1] != []

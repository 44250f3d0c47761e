"""What the linter finds in a template that lacks something, and that a new template has nothing to complain of."""

from pathlib import Path

import pytest

from catalog import Template, lint, load
from catalog.scaffold import FILES

SECRET_LINE = "    secret: true\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "crm"
    made.mkdir()
    for name, content in FILES.items():
        (made / name).write_text(content.replace("SLUG", "crm"), "utf-8")
    return made


def the(folder: Path) -> Template:
    return load(folder.parent)["crm"]


def test_a_new_template_has_what_it_has_to(folder: Path) -> None:
    assert lint.problems_of(the(folder)) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("template.yaml", SECRET_LINE, "", "input 'api_key' looks like a secret"),
        ("template.yaml", "Bearer {inputs.api_key}", "Bearer x", "input 'api_key' is used by nothing"),
        ("template.yaml", "is done with each event.", "is done", "with its full stop"),
        ("template.yaml", ", 2026-11", "", "with the month"),
        ("template.yaml", "https://example.com/api", "http://example.com/api", "`docs` is the https address"),
        (
            "template.yaml",
            "[api.example.com]",
            "['*.example.org']",
            "calls api.example.com, which is not among `hosts`",
        ),
        ("template.yaml", "    example: '{secrets.API_KEY}'\n", "", "show by an `example` how"),
        ("template.yaml", "{event.event}", "{event.event", "an expression or the code is not Hog: unexpected end"),
        (
            "cases.yaml",
            "  - name: a wrong key",
            "  - {name: x, requests: [{url: 'https://[x'}]}\n  - name: a wrong key",
            "calls ",
        ),
        ("README.md", "`api_key`", "the key", "does not name the input `api_key`"),
        ("cases.yaml", "    fails: answered 401\n", "", "no case shows a failure"),
        ("cases.yaml", "{api_key: k-1}", "{api_key: k-1, more: x}", "an input that the template has not: 'more'"),
        ("cases.yaml", "name: a wrong key", "name: an event", "two cases have the name"),
        ("cases.yaml", "requests:", "request:", "unknown field `request`"),
    ],
)
def test_what_is_missing_is_said(folder: Path, file: str, old: str, new: str, problem: str) -> None:
    before = (folder / file).read_text("utf-8")
    assert old in before
    (folder / file).write_text(before.replace(old, new), "utf-8")
    assert any(problem in each for each in lint.problems_of(the(folder))), lint.problems_of(the(folder))


@pytest.mark.parametrize("file", ["README.md", "cases.yaml"])
def test_a_file_that_is_not_there_is_said(folder: Path, file: str) -> None:
    (folder / file).unlink()
    assert any(file in problem for problem in lint.problems_of(the(folder)))


def test_inputs_that_other_inputs_or_code_read_are_used(folder: Path) -> None:
    text = (folder / "template.yaml").read_text("utf-8")
    head, _, _ = text.partition("request:")
    (folder / "template.yaml").write_text(
        head + "  who: {type: string, default: '{inputs.name}'}\n  name: {type: json}\n"
    )
    (folder / "code.hog").write_text("fetch('https://a.example', {'body': [inputs.who, inputs.api_key]})")
    assert lint.used_inputs(the(folder)) == {"who", "name", "api_key"}
    (folder / "code.hog").write_text("for (let key, value in inputs) { print(key) }")
    assert lint.used_inputs(the(folder)) == {"who", "name", "api_key"}

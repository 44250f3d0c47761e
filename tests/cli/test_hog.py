"""`offramp hog`: as people and programs call it."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done


def evaluated(
    offramp: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, *cases: dict[str, Any] | str
) -> list[dict[str, Any]]:
    lines = "\n".join(case if isinstance(case, str) else json.dumps(case) for case in cases)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    done = offramp("hog", "eval")
    assert (done.code, done.err) == (0, "")
    return [json.loads(line) for line in done.out.splitlines()]


def test_each_line_has_one_answer(offramp: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    program = """\
let r := fetch('https://a.example', {'method': 'PUT', 'headers': {'X': 'y'}, 'body': {'a': 1}})
print(r.status, fetch('https://b.example').body)
return r.body.id"""
    answers = evaluated(
        offramp,
        monkeypatch,
        {"source": program, "fetch": [{"status": 201, "body": {"id": 7}}]},
        {"source": "a.b + 1", "kind": "expression", "globals": {"a": {"b": 41}}},
        {"source": "Hi {name}!", "kind": "template", "globals": {"name": "Ada"}},
        {"source": "print(1)\nthrow HogError('Mine', 'no')"},
        {"source": "1 +"},
        {"source": "let a := 1\nlet a := 2"},
        {"source": "print(jsonParse('{'))"},
        {"source": "fun f() { return f() }\nf()"},
        "not json",
        {"source": "toDate('2024-02-09')", "kind": "expression"},
    )
    assert answers[0] == {
        "result": 7,
        "prints": ["201 {}"],
        "fetches": [
            {"url": "https://a.example", "method": "PUT", "headers": {"X": "y"}, "body": {"a": 1}},
            {
                "url": "https://b.example",
                "method": "POST",
                "headers": {"Content-Type": "application/json"},
                "body": None,
            },
        ],
        "error": None,
    }
    assert [one["result"] for one in answers[1:3]] == [42, "Hi Ada!"]
    errors = [(one["error"]["phase"], one["error"]["type"], one["error"]["line"]) for one in answers[3:9]]
    assert errors == [
        ("runtime", "Mine", 2),
        ("parse", "SyntaxError", 1),
        ("compile", "CompileError", 2),
        ("runtime", "RuntimeError", 1),
        ("limit", "LimitError", 1),
        ("parse", "InputError", 1),
    ]
    assert (answers[3]["prints"], answers[3]["error"]["message"]) == (["1"], "no")
    assert answers[9]["result"] == "2024-02-09"


def test_a_file_is_run_with_globals(offramp: Callable[..., Done], here: Path) -> None:
    (here / "a.hog").write_text("print('for', event.event)\nreturn [event.n, 'x']")
    (here / "g.json").write_text('{"event": {"event": "signed up", "n": 12345678901234567890}}')
    done = offramp("hog", "run", "a.hog", "--globals", "g.json")
    assert done == Done(0, "for signed up\n[12345678901234567890, 'x']\n", "")


def test_what_goes_wrong_is_shown_at_its_place(offramp: Callable[..., Done], here: Path) -> None:
    (here / "a.hog").write_text("print(1)\nlet x := lower(5)")
    done = offramp("hog", "run", "a.hog")
    assert done == Done(
        1, "1\n", "a.hog (2,10): RuntimeError: lower needs a text, got integer\nlet x := lower(5)\n         ^\n"
    )
    assert offramp("hog", "run", "gone.hog") == Done(2, "", "gone.hog: No such file or directory\n")
    (here / "g.json").write_text("[1]")
    assert offramp("hog", "run", "a.hog", "--globals", "g.json").err == "g.json: expected a JSON object of globals\n"


def test_lines_can_be_tried_one_after_the_other(offramp: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("let x := [1, 2]\narrayMap(y -> y * 2, x)\nlenght(x)\nprint('a')\n"))
    done = offramp("hog", "repl")
    assert done.code == 0
    assert "[2, 4]" in done.out
    assert "a\n" in done.out
    assert "Unsupported function call: lenght; did you mean 'length'?" in done.err

"""The exact text of what is wrong with a file."""

from collections.abc import Callable
from pathlib import Path

import pytest

import catalog
from destinations import Loaded, Secrets, load

LoadFiles = Callable[..., Loaded]

URL = "inputs: {url: 'https://a.b'}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            f"id: crm\nfilter: {{}}\n{URL}",
            "destinations/crm.yaml: filter (2,1): unknown key 'filter'; did you mean 'filters'?\nfilter: {}\n^",
        ),
        (
            f"id: crm\nfilters: {{wenn: 'true'}}\n{URL}",
            "destinations/crm.yaml: filters.wenn (2,11): unknown key 'wenn'; did you mean 'when'?\n"
            "filters: {wenn: 'true'}\n          ^",
        ),
        (
            f"id: crm\nfilters: {{when: \"event == 'a' and lenght(properties.x) > 1\"}}\n{URL}",
            "destinations/crm.yaml: filters.when (2,35): unknown function 'lenght'; did you mean 'length'?\n"
            "filters: {when: \"event == 'a' and lenght(properties.x) > 1\"}\n" + " " * 34 + "^",
        ),
        (
            f"id: crm\nfilters:\n  when: |\n    event = 'a'\n    and event.properties.x = 1\n{URL}",
            "destinations/crm.yaml: filters.when (5,9): filters see the event's row, where `event` is its name: "
            "write `properties.x`\n    and event.properties.x = 1\n        ^",
        ),
        (
            f"id: crm\nfilters: {{when: \"event.event = 'a'\"}}\n{URL}",
            "destinations/crm.yaml: filters.when (2,18): filters see the event's row, where `event` is its name: "
            "write `event`\nfilters: {when: \"event.event = 'a'\"}\n                 ^",
        ),
        (
            "id: crm\ninputs: {url: 'https://a.b', body: {a: '{properties.x}'}}",
            "destinations/crm.yaml: inputs.body.a (2,42): templates see the event as `event`: "
            "write `event.properties.x`\ninputs: {url: 'https://a.b', body: {a: '{properties.x}'}}\n" + " " * 41 + "^",
        ),
        (
            "id: crm\ninputs: {urll: 'https://a.b', url: 'https://a.b'}",
            "destinations/crm.yaml: inputs.urll (2,10): unknown input 'urll'; did you mean 'url'?\n"
            "inputs: {urll: 'https://a.b', url: 'https://a.b'}\n         ^",
        ),
        ("id: crm\n", "destinations/crm.yaml: inputs.url (1,1): required input 'url' is missing\nid: crm\n^"),
        (
            "id: crm\ninputs: {url: ''}",
            "destinations/crm.yaml: inputs.url (2,10): required input 'url' is missing\ninputs: {url: ''}\n         ^",
        ),
        (
            "id: crm\ninputs: {url: 'https://a.b', headers: {A: '{secrets.NOPE}'}}",
            "destinations/crm.yaml: inputs.headers.A (2,45): secret 'NOPE' is not set: "
            "set the environment variable NOPE or mount a file of that name\n"
            "inputs: {url: 'https://a.b', headers: {A: '{secrets.NOPE}'}}\n" + " " * 44 + "^",
        ),
        (
            "id: crm\ninputs: {url: 'https://a.b', body: '{secrets}'}",
            "destinations/crm.yaml: inputs.body (2,38): a secret needs its name: write `secrets.NAME`\n"
            "inputs: {url: 'https://a.b', body: '{secrets}'}\n" + " " * 37 + "^",
        ),
        (
            "id: crm\ninputs: {url: 'https://a.b', body: '{inputs.urk}'}",
            "destinations/crm.yaml: inputs.body (2,38): unknown input 'urk'; did you mean 'url'?\n"
            "inputs: {url: 'https://a.b', body: '{inputs.urk}'}\n" + " " * 37 + "^",
        ),
        (
            "id: crm\ninputs: {url: 'https://a.b/{inputs.body}', body: '{inputs.url}'}",
            "destinations/crm.yaml: inputs.url (2,15): inputs need each other in a circle: url → body → url\n"
            "inputs: {url: 'https://a.b/{inputs.body}', body: '{inputs.url}'}\n              ^",
        ),
        (
            "id: crm\ninputs: {url: 'https://a.b', method: 5}",
            "destinations/crm.yaml: inputs.method (2,38): expected text, got a number; put it in quotes\n"
            "inputs: {url: 'https://a.b', method: 5}\n" + " " * 37 + "^",
        ),
        (
            "id: crm\ninputs: {url: 'https://a.b', method: PO ST}",
            "destinations/crm.yaml: inputs.method (2,38): the method must be a word such as POST, got 'PO ST'\n"
            "inputs: {url: 'https://a.b', method: PO ST}\n" + " " * 37 + "^",
        ),
        (
            "id: crm\ninputs: {url: ftp://a.b}",
            "destinations/crm.yaml: inputs.url (2,15): 'ftp://a.b' is not an http:// or https:// URL\n"
            "inputs: {url: ftp://a.b}\n              ^",
        ),
        (
            "id: crm\ninputs: {url: 'https://a.b', headers: {'A b': '{event.event}'}}",
            "destinations/crm.yaml: inputs.headers (2,39): 'A b' is not a header name\n"
            "inputs: {url: 'https://a.b', headers: {'A b': '{event.event}'}}\n" + " " * 38 + "^",
        ),
        (
            "id: crm\ninputs: {url: 'https://a.b', headers: {Host: '{event.event}'}}",
            "destinations/crm.yaml: inputs.headers (2,39): header 'Host' is set by the connection itself; "
            "leave it out\n"
            "inputs: {url: 'https://a.b', headers: {Host: '{event.event}'}}\n" + " " * 38 + "^",
        ),
        (
            "id: crm\ninputs: {url: 'https://a.b', body: '{toDateTime(1e300)}'}",
            "destinations/crm.yaml: inputs.body (2,36): the body cannot be written as JSON: "
            "the time 1e+300 is outside the calendar\n"
            "inputs: {url: 'https://a.b', body: '{toDateTime(1e300)}'}\n" + " " * 35 + "^",
        ),
        (
            f"id: crm\nenabled: yes\n{URL}",
            "destinations/crm.yaml: enabled (2,10): expected true or false, got text\nenabled: yes\n         ^",
        ),
        (
            f"id: crm\nproject: one\n{URL}",
            "destinations/crm.yaml: project (2,10): expected a whole number, got text\nproject: one\n         ^",
        ),
        (
            f"id: crm\ntemplate: webhok\n{URL}",
            "destinations/crm.yaml: template (2,11): unknown template 'webhok'; did you mean 'webhook'?\n"
            "template: webhok\n          ^",
        ),
        (
            "id: crm\ncode: |\n  let x := 1\n  print(uper(x))",
            "destinations/crm.yaml: code (4,9): unknown function 'uper'; did you mean 'upper'?\n"
            "  print(uper(x))\n        ^",
        ),
        (
            "id: crm\ncode: |\n  sleep(3)",
            "destinations/crm.yaml: code (3,3): `sleep` cannot be called in a destination's code\n  sleep(3)\n  ^",
        ),
        (
            "id: crm\ncode: |\n  if (true) {\n    print(1\n  }",
            "destinations/crm.yaml: code (5,3): unexpected '}': it closes nothing\n  }\n  ^",
        ),
        (
            f"id: other\n{URL}",
            "destinations/crm.yaml: id (1,5): id 'other' is not the file's name; write 'id: crm' or rename the file\n"
            "id: other\n    ^",
        ),
        (f"id: C_R\n{URL}", "destinations/crm.yaml: id (1,5): id 'C_R' may only have a-z, 0-9 and '-'\nid: C_R\n    ^"),
        (URL, f"destinations/crm.yaml: id (1,1): key 'id' is missing\n{URL}\n^"),
        ("", "destinations/crm.yaml (1,1): the file is empty; a mapping of keys is expected\n\n^"),
        ("- a", "destinations/crm.yaml (1,1): the file holds a list; a mapping of keys is expected\n- a\n^"),
        ("id: crm\n\tname: x", "destinations/crm.yaml (2,1): a tab cannot stand here; indent with spaces\n name: x\n^"),
        ("id: crm\nid: crm", "destinations/crm.yaml (2,1): duplicate key 'id'\nid: crm\n^"),
        (
            "id: crm\ninputs: {body: {a: {person.id}}}",
            "destinations/crm.yaml (2,20): '{person.id}' without quotes is a YAML mapping; put quotes around it\n"
            "inputs: {body: {a: {person.id}}}\n                   ^",
        ),
    ],
)
def test_one_problem(load_files: LoadFiles, text: str, problem: str) -> None:
    loaded = load_files(crm=text)
    assert [str(found) for found in loaded.problems] == [problem]
    assert loaded.destinations == {}
    assert loaded.problems[0].destination == "crm"


def test_all_problems_of_a_file_are_found_and_others_load(load_files: LoadFiles) -> None:
    loaded = load_files(
        bad="id: bad\nnam: x\nfilters: {when: '1 +'}\ninputs: {body: {a: '{', b: '{nope}'}, foo: 1}",
        good=f"id: good\n{URL}",
    )
    assert list(loaded.destinations) == ["good"]
    assert {problem.path for problem in loaded.problems} == {
        "nam", "filters.when", "inputs.foo", "inputs.url", "inputs.body.a", "inputs.body.b",
    }  # fmt: skip


def test_a_place_in_folded_text_shows_the_text_itself(load_files: LoadFiles) -> None:
    problem = load_files(crm=f"id: crm\nfilters:\n  when: >\n    event = 'a'\n    and nope\n{URL}").problems[0]
    assert (problem.line, problem.column) == (3, 9)
    assert problem.excerpt == "event = 'a' and nope\n                ^"


def test_duplicate_ids_and_other_files(tmp_path: Path) -> None:
    (tmp_path / "crm.yaml").write_text(f"id: crm\nname: first\n{URL}")
    (tmp_path / "crm.yml").write_text(f"id: crm\nname: second\n{URL}")
    (tmp_path / ".hidden.yaml").write_text("[")
    (tmp_path / "notes.txt").write_text("[")
    (tmp_path / "folder.yaml").mkdir()
    loaded = load(tmp_path, Secrets(lambda name: None), catalog.builtin())
    assert loaded.destinations["crm"].name == "first"
    assert [problem.summary() for problem in loaded.problems] == [
        f"{tmp_path}/crm.yml: id (1,1): duplicate id 'crm': crm.yaml has it too; delete one of the files"
    ]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    problems = load(tmp_path / "none", Secrets(lambda name: None), catalog.builtin()).problems
    assert [str(problem) for problem in problems] == [
        f"{tmp_path}/none (1,1): cannot be read: No such file or directory"
    ]

import json

import pytest

EVERYTHING = """\
# By hand, not from anywhere.
id: all
name: All of it
enabled: true
project: 1
template: webhook
filters:
  when: event = 'paid'
  events:
    - {id: paid}
sample:
  share: 0.5
inputs:
  url: https://a.example
  headers:
    Authorization: Bearer {secrets.ALL_TOKEN}
  body:
    value:
      a: 1
    templating: liquid
signing_secret: '{secrets.ALL_SIGNING}'
delivery:
  retries: 5
  success: [2xx, 404]
notify:
  url: https://b.example
"""


@pytest.fixture
def files(here, monkeypatch):
    monkeypatch.setenv("ALL_TOKEN", "t0ken-value")
    (here / "destinations").mkdir()
    (here / "destinations/all.yaml").write_text(EVERYTHING)
    (here / "destinations/b.yaml").write_text("id: b\ncode: return 1\ninputs_schema: {x: {type: string}}\n")
    return here


def test_all_that_a_file_says_comes_back(files, offramp):
    done = offramp("export")
    assert (done.code, done.err) == (0, "")
    assert [one["offramp"]["id"] for one in json.loads(done.out)] == ["all", "b"]
    assert "t0ken-value" not in done.out
    (files / "out.json").write_text(done.out)
    again = offramp("import", "posthog", "out.json", "--destinations", "again")
    assert again.code == 0, again.out
    assert "secrets to set: ALL_SIGNING, ALL_TOKEN" in again.out
    assert (files / "again/all.yaml").read_text() == EVERYTHING
    assert "inputs_schema:\n  x:\n    type: string\n" in (files / "again/b.yaml").read_text()


def test_the_shape_is_that_of_a_function(files, offramp):
    (one,) = json.loads(offramp("export", "all").out)
    assert (one["type"], one["template_id"], one["hog"]) == ("destination", "template-webhook", None)
    assert one["inputs"]["url"] == {"value": "https://a.example"}
    assert one["inputs"]["body"] == {"value": {"a": 1}, "templating": "liquid"}


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("gone",), 1, "there is no destination 'gone' in destinations; there are: all, b\n"),
        (("--destinations", "x"), 2, "x: no such directory"),
    ],
)
def test_what_cannot_be_exported(files, offramp, args, code, message):
    done = offramp("export", *args)
    assert done.code == code
    assert message in done.err


def test_a_file_that_is_no_yaml(files, offramp):
    (files / "destinations/c.yaml").write_text("a: [")
    done = offramp("export")
    assert done.code == 1
    assert done.err.startswith("destinations/c.yaml (1,")

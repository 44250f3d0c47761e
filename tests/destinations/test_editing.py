"""Values change in a file that people have written; everything else is what it was, byte for byte."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.scalar import YamlError
from destinations.editing import EditError, same, values_of, with_value, with_values, without

TEXT = """\
# c1: who owns this
# c2

id: crm   # c3 the public name
name: 'The CRM'  # c4
enabled: yes

# c5 only paying customers
filters: {when: event == 'signed up', events: [{id: signed up}, {id: "bought"}]}   # c6
inputs:
    # c7 odd indentation is kept
    url:   https://crm.example.com/{person.id}
    method: PUT

    headers: {Authorization: 'Bearer {secrets.CRM}', X-A: "1"}
    body:
        text: |
            Hello {person.name},

            bye.
        # c8 below a block
        list:
        - 1
        -   two  # c9
    # c10
mappings:
  - name: lead
    # c11
    inputs: {body: {type: lead}}
  - filters: {}   # c12
    name: bought
code: >-
  folded
  text
# c13
delivery:
  rate: 100/s  # c14 the vendor's limit
  retries: 5
quarantine:
  # c15
  window_s: 60
# c16 the end
"""

NAMES = st.text("ab-_ .:#?'\"{é", max_size=6)
TEXTS = st.one_of(
    st.text(max_size=12).filter(lambda text: not re.search("[\ud800-\udfff]", text)),
    st.sampled_from(
        ["{event.uuid}", "a: b", "a #b", "- x", "|", "> x", "no", "null", "1", "0x1", "a\nb\n", "a\nb\n\n"]
    ),
    st.sampled_from(
        [" lead", "trail ", "a\n b", "\n", "'", '"', "?", ": ", "!x", "&a", "*a", "%", "@", "a, b", "{", "]"]
    ),
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 10**6), st.floats(allow_nan=False, allow_infinity=False, width=16), TEXTS
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)


def paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Of everything in a value."""
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield from paths(each, (*path, str(key)))


def at(values: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        values = values[int(step) if isinstance(values, list) else step]
    return values


PATHS = list(paths(values_of(TEXT)))
NEW = [
    ("sample",),
    ("delivery", "batch", "max"),
    ("inputs", "new"),
    ("filters", "source"),
    ("mappings", "1", "enabled"),
]
PARTS = re.split(r"^(?=\w+:)", TEXT, flags=re.MULTILINE)
"""The entries of the file, each with the lines behind it."""
BLOCK = "|\n            Hello {person.name},\n\n            bye.\n"
C14 = "# c14 the vendor's limit"
COMMENTS = re.findall(r"# c\d+", TEXT)


@settings(max_examples=40)
@given(st.sampled_from(PATHS + NEW), VALUES)
def test_an_edit_changes_one_value_and_nothing_else(path: tuple[str, ...], value: Any) -> None:
    edited = with_value(TEXT, ".".join(path), value)
    before, after = values_of(TEXT), values_of(edited)
    assert same(at(after, path), value)
    assert with_value(edited, ".".join(path), value) == edited
    assert {key: each for key, each in after.items() if key != path[0]} == {
        key: each for key, each in before.items() if key != path[0]
    }
    # What the path does not lead through has the same bytes, in the same order.
    rest = [part for part in PARTS if not part.startswith(f"{path[0]}:")]
    places = [edited.index(part) for part in rest]
    assert places == sorted(places)
    if path in NEW or not isinstance(at(before, path), dict | list):
        assert [each for each in COMMENTS if not re.search(rf"{each}\b", edited)] == []


@settings(max_examples=40)
@given(st.sampled_from(PATHS))
def test_what_is_removed_is_gone_and_the_rest_stays(path: tuple[str, ...]) -> None:
    edited = without(TEXT, ".".join(path))
    before, after = values_of(TEXT), values_of(edited)
    assert {key: each for key, each in before.items() if key != path[0]}.items() <= after.items()
    assert list(paths(after)) != list(paths(before))
    assert without(edited, "absent.key") == edited


@settings(max_examples=40)
@given(st.sets(st.sampled_from(PATHS), max_size=4), st.lists(st.tuples(st.sampled_from(PATHS), VALUES), max_size=4))
def test_a_whole_form_is_taken_at_once(gone: set[tuple[str, ...]], changed: list[tuple[tuple[str, ...], Any]]) -> None:
    text = TEXT
    for path in gone:
        text = without(text, ".".join(path))
    for path, value in changed:
        try:
            text = with_value(text, ".".join(path), value)
        except EditError:
            continue
    wanted = values_of(text)
    edited = with_values(TEXT, wanted)
    assert same(values_of(edited), wanted)
    assert with_values(edited, wanted) == edited


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(["id", "name", "inputs", "code", "delivery"]), VALUES, min_size=1))
def test_an_empty_file_becomes_one(values: dict[str, Any]) -> None:
    for text in ("", "# only a comment\n", "# without its end"):
        edited = with_values(text, values)
        assert edited.startswith(text)
        assert same(values_of(edited), values)


@pytest.mark.parametrize(
    ("path", "value", "before", "after"),
    [
        ("name", "The new", "name: 'The CRM'  # c4", "name: 'The new'  # c4"),
        ("enabled", False, "enabled: yes", "enabled: false"),
        ("filters.when", "event == 'a'", "{when: event == 'signed up', ", "{when: event == 'a', "),
        ("filters.events.1.id", "sold", '{id: "bought"}', '{id: "sold"}'),
        ("filters.source", "events", "{when: event == 'signed up', ", "{when: event == 'signed up', source: events, "),
        ("inputs.body.text", "Bye", f"        text: {BLOCK}", "        text: Bye\n"),
        ("inputs.body.list.1", "three", "        -   two  # c9", "        -   three  # c9"),
        ("inputs.headers.X-B", "b", 'X-A: "1"}', 'X-A: "1", X-B: b}'),
        ("inputs.query", {"a": "b"}, "        -   two  # c9\n", "        -   two  # c9\n    query:\n      a: b\n"),
        ("mappings.0.enabled", False, "- name: lead\n", "- name: lead\n    enabled: false\n"),
        ("mappings.1.inputs", {}, "    name: bought\n", "    name: bought\n    inputs: {}\n"),
        ("delivery.rate", "5/s", "  rate: 100/s  # c14", "  rate: 5/s  # c14"),
        ("delivery.timeout_s", 5, "delivery:\n", "delivery:\n  timeout_s: 5\n"),
        ("delivery.rate", "a\nb\n", f"rate: 100/s  {C14}\n", f"rate: |  {C14}\n    a\n    b\n"),
        ("sample", 0.5, "{id: \"bought\"}]}   # c6\n", "{id: \"bought\"}]}   # c6\nsample: 0.5\n"),
        ("notify.url", "https://a.b", "  window_s: 60\n", "  window_s: 60\nnotify:\n  url: https://a.b\n"),
    ],
)  # fmt: skip
def test_where_it_stands(path: str, value: object, before: str, after: str) -> None:
    assert before in TEXT
    assert with_value(TEXT, path, value) == TEXT.replace(before, after)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("name", "name: 'The CRM'  # c4\n", ""),
        ("filters.when", "{when: event == 'signed up', events", "{events"),
        ("filters.events", ", events: [{id: signed up}, {id: \"bought\"}]}", "}"),
        ("inputs.body.text", f"        text: {BLOCK}", ""),
        ("mappings.1.filters", "- filters: {}   # c12\n    name: bought", "- name: bought"),
        ("quarantine.window_s", "quarantine:\n  # c15\n  window_s: 60\n", "quarantine: {}\n"),
        ("absent.key", "", ""),
    ],
)  # fmt: skip
def test_what_goes_with_a_key(path: str, before: str, after: str) -> None:
    assert without(TEXT, path) == TEXT.replace(before, after)


LIST = """\
list:
  # c1
  - a  # c2
  # c3
  - k: 1
    l: |
      text

  # c4
  - c
flow: [{a: 1}, b, "c"]  # c5
"""


@pytest.mark.parametrize(
    ("key", "wanted", "before", "after"),
    [
        ("list", ["a", {"k": 1, "l": "text\n"}, "c", "d"], "  - c\n", "  - c\n  - d\n"),
        ("list", ["z", "y", "a", {"k": 1, "l": "text\n"}, "c"], "  - a", "  - z\n  - y\n  - a"),
        ("list", ["a", {"n": 1, "m": [2]}, {"k": 1, "l": "text\n"}, "c"], "c2\n", "c2\n  - n: 1\n    m: [2]\n"),
        ("list", [{"k": 1, "l": "text\n"}, "c"], "  - a  # c2\n", ""),
        ("list", ["a", "c"], "  - k: 1\n    l: |\n      text\n", ""),
        ("list", ["a"], "  - k: 1\n    l: |\n      text\n\n  # c4\n  - c\n", "\n  # c4\n"),
        ("flow", [{"a": 1}, "b", "c", {"d": "e, f"}], '"c"]', "\"c\", {d: 'e, f'}]"),
        ("flow", ["x", {"a": 1}, "b", "c"], "[{a", "[x, {a"),
        ("flow", [{"a": 1}, "c"], 'b, "c"', '"c"'),
        ("flow", [{"a": 1}, "b"], ', "c"', ""),
    ],
)
def test_items_come_and_go(key: str, wanted: list[Any], before: str, after: str) -> None:
    assert with_value(LIST, key, wanted) == LIST.replace(before, after)
    windows = LIST.replace("\n", "\r\n")
    assert with_value(windows, key, wanted) == with_value(LIST, key, wanted).replace("\n", "\r\n")


@settings(max_examples=60)
@given(
    st.lists(VALUES, max_size=4),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.lists(VALUES, max_size=2)), max_size=2),
    st.booleans(),
)
def test_lists_become_what_is_wanted(items: list[Any], cuts: list[tuple[int, int, list[Any]]], nested: bool) -> None:
    text = with_values("# c1\n", {"a": [items, "x"] if nested else items, "b": 1})
    wanted = list(items)
    for start, length, new in cuts:
        wanted[start : start + length] = new
    values = {"a": [wanted, "x"] if nested else wanted, "b": 1}
    assert same(values_of(with_values(text, values)), values)


def test_ends_of_lines_and_byte_order_marks_stay() -> None:
    text = "\ufeff" + TEXT.replace("\n", "\r\n")
    edited = with_value(text, "delivery.batch", {"max": 5})
    assert edited == text.replace("retries: 5\r\n", "retries: 5\r\n  batch:\r\n    max: 5\r\n")


def test_a_file_without_its_last_line_break() -> None:
    assert with_value("id: a\nname: b", "enabled", False) == "id: a\nname: b\nenabled: false"
    assert without("id: a\nname: b", "name") == "id: a\n"
    assert with_value("{id: a}", "name", "b") == "{id: a, name: b}"
    assert with_values("id: a\n", {"name": "b"}) == "name: b\n"


def test_anchors_are_kept_where_they_can_be() -> None:
    text = "id: a  # c1\ninputs:\n  one: &x {k: 1}\n  two: *x\n  three: 3 # c2\n"
    edited = with_value(text, "inputs.three", 4)
    assert edited == text.replace("3 #", "4 #")
    edited = with_value(text, "inputs.two", {"k": 2})
    assert values_of(edited)["inputs"] == {"one": {"k": 1}, "two": {"k": 2}, "three": 3}
    edited = with_value(text, "inputs.one.k", 2)
    assert values_of(edited)["inputs"] == {"one": {"k": 2}, "two": {"k": 1}, "three": 3}


def test_one_and_true_are_not_the_same_value() -> None:
    assert with_value("id: a\nenabled: true\n", "enabled", 1) == "id: a\nenabled: 1\n"


def test_what_is_no_yaml_or_has_no_keys_is_refused() -> None:
    with pytest.raises(YamlError):
        with_value("id: [", "name", "a")
    with pytest.raises(EditError, match="'x' has no place in what is not a mapping"):
        with_value(TEXT, "name.x", 1)
    with pytest.raises(EditError, match="there is no item 7 in a list of 2"):
        with_value(TEXT, "mappings.7.name", "a")

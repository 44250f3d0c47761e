"""YAML files: values, places, and what is refused with which words."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.scalar import Place, YamlError
from catalog.yaml_file import MAX_FILE_BYTES, parse


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a: no\nb: 2024-01-01\nc: 1_000\nd: =", {"a": "no", "b": "2024-01-01", "c": "1_000", "d": "="}),
        ("a: true\nb: ~\nc:\nd: null", {"a": True, "b": None, "c": None, "d": None}),
        ("a: 1180591620717411303424\nb: 0x1F\nc: 1e3\nd: 007", {"a": 2**70, "b": 31, "c": 1000.0, "d": 7}),
        ("1: a\ntrue: b\n'': c\na.b: d", {"1": "a", "true": "b", "": "c", "a.b": "d"}),
        ('a: "\\u2028\\0"\nb: "\\ud83d\\ude00"\nc: "\\ud800"', {"a": "\u2028\0", "b": "😀", "c": "\ufffd"}),
        ("a: &x [1, {b: 2}]\nc: *x", {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}),
        ("a: {b: }\nc: {}", {"a": {"b": None}, "c": {}}),
        ("a: !!str 5", {"a": "5"}),
        ("\ufeffa: 1", {"a": 1}),
    ],
)
def test_values(text: str, values: dict[str, Any]) -> None:
    assert parse(text.encode()).values == values


@pytest.mark.parametrize(
    ("data", "message", "place"),
    [
        (b"", "the file is empty; a mapping of keys is expected", (1, 1)),
        (b"# only a comment\n", "the file is empty; a mapping of keys is expected", (1, 1)),
        (b"- a", "the file holds a list; a mapping of keys is expected", (1, 1)),
        (b"text", "the file holds a single value; a mapping of keys is expected", (1, 1)),
        (b"a: 1\nb: \xff", "the file is not UTF-8", (2, 4)),
        (b"a: 1\nb:\n\tc: 1", "a tab cannot stand here; indent with spaces", (3, 1)),
        (b"a: 1\na: 2", "duplicate key 'a'", (2, 1)),
        (b"a: b: c", "unexpected ': '; a value that contains it must be in quotes", (1, 5)),
        (b"a: 1\n---\nb: 1", "more than one YAML document in the file", (2, 1)),
        (b"a: \x07", "character U+0007 is not allowed in YAML", (1, 4)),
        (b"a: &x [*x]", "a value contains itself through an alias", (1, 4)),
        (b"a: {<<: {b: 1}}", "merge keys (<<) are not supported; repeat the keys", (1, 5)),
        (b"a: !secret x", "tag '!secret' is not supported", (1, 4)),
        (b"a: !!binary eA==", "tag '!!binary' is not supported", (1, 4)),
        (b"? [a]\n: b", "a key must be a single value", (1, 3)),
        (b"a: .nan", "a number must be finite", (1, 4)),
        (b"a: 1e999", "a number must be finite", (1, 4)),
        (b"a: " + b"9" * 5000, "not a whole number, or one with too many digits", (1, 4)),
        (b"a: {b: {event.x}}", "'{event.x}' without quotes is a YAML mapping; put quotes around it", (1, 8)),
        (b"a: " + b"[" * 5000, "the values are nested too deeply", (1, 1)),
        (b"#" * (MAX_FILE_BYTES + 1), "the file is larger than 1 MiB", (1, 1)),
    ],
)
def test_refusals(data: bytes, message: str, place: tuple[int, int]) -> None:
    with pytest.raises(YamlError) as raised:
        parse(data)
    assert (raised.value.message, raised.value.place) == (message, place)


def test_an_alias_bomb_is_refused_early() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(YamlError, match="the file stands for more than 50,000 values"):
        parse("\n".join(lines).encode())


_PLACES = """\
plain: abc def
single: 'it''s def'
double: "a\\tb\\u0041 def"
block: |
  first

    def
flow: {a: [x, 'abc def']}
folded: >
  abc
  def
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("plain",), (1, 12)),
        (("single",), (2, 16)),
        (("double",), (3, 21)),
        (("block",), (7, 5)),
        (("flow", "a", 1), (8, 20)),
        (("folded",), None),
        (("flow",), None),
        (("nowhere",), None),
    ],
)
def test_places_inside_values(path: tuple[str | int, ...], place: tuple[int, int] | None) -> None:
    file = parse(_PLACES.encode())
    value: Any = file.values
    for step in path:
        value = value[step] if path != ("nowhere",) else ""
    offset = value.index("def") if isinstance(value, str) and "def" in value else 0
    before = value[:offset] if isinstance(value, str) else ""
    found = file.place_inside(path, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)
    assert found == (place and Place(*place))


def test_the_place_of_what_is_missing_is_its_parent() -> None:
    file = parse(b"a:\n  b: 1\n")
    assert file.place(("a", "b")) == (2, 6)
    assert file.place(("a", "x", "y")) == (2, 3)
    assert file.key_place(("a", "b")) == (2, 3)
    assert file.key_place(("x",)) == (1, 1)


_TEXTS = st.text(max_size=200).map(lambda text: f"a: {text}".encode("utf-8", "replace"))


@given(st.one_of(st.binary(max_size=200), _TEXTS))
def test_any_bytes_are_a_mapping_or_one_clear_error(data: bytes) -> None:
    # An exception of another kind fails the test by itself.
    with contextlib.suppress(YamlError):
        assert isinstance(parse(data).values, dict)

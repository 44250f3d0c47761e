from typing import Any

import pytest

import hog

GLOBALS: dict[str, Any] = {
    "event": {"event": "$pageview", "properties": {"n": 3, "list": [1, "a"], "none": None}},
    "person": {"id": "p-1", "name": "Ada"},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ""),
        ("plain", "plain"),
        ("it's {person.name}'s", "it's Ada's"),
        ("{event.properties.n}", 3),
        (" {event.properties.n}", " 3"),
        ("{event.properties.list}", [1, "a"]),
        ("{event.properties}", {"n": 3, "list": [1, "a"], "none": None}),
        ("{event.properties.none}", None),
        ("[{event.properties.none}]", "[]"),
        ("a\\{b} {person.id}", "a{b} p-1"),
        ("a } b", "a } b"),
        ("{'x'}{'y'}", "xy"),
        ("{f'<{person.name}>'}", "<Ada>"),
        ("{event.properties.list}!", "[1, 'a']!"),
        ("{{'a': person.id}}", {"a": "p-1"}),
        ("line\\n\u2028{person.id}\x00", "line\n\u2028p-1\x00"),
        ("{concat('a', person.id)}", "ap-1"),
        ("\ud800 \ud83d\ude00{person.id}", "\ufffd \U0001f600p-1"),
    ],
)
def test_template_renders(text: str, value: Any) -> None:
    assert hog.template(text)(GLOBALS) == value


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("plain", ["plain"]),
        ("https://x/{person.id}?n={event.properties.n}", ["https://x/", None, "?n=", None]),
        ("{person.id}", [None]),
        ("{'a'}", [None]),
        ("{person.id}'q'{'lit'}", [None, "'q'", None]),
        ("{concat('a', 'b')}c", [None, "c"]),
        ("{concat('a', 'b')}", [None]),
    ],
)
def test_parts_tell_literal_text_from_pieces(text: str, parts: list[str | None]) -> None:
    found = hog.template_parts(text)
    assert [part if isinstance(part, str) else None for part in found] == parts
    joined = "".join(part if isinstance(part, str) else hog.to_text(part(GLOBALS)) for part in found)
    assert joined == hog.to_text(hog.template(text)(GLOBALS))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (1.0, "1"),
        (1.5, "1.5"),
        (2**70, "1180591620717411303424"),
        ("x", "x"),
        ([None, "a\n"], "[null, 'a\\n']"),
        ((), "tuple()"),
        ({"k": {}}, "{'k': {}}"),
    ],
)
def test_text_form(value: Any, text: str) -> None:
    assert hog.to_text(value) == text


def test_a_container_within_itself_prints_null() -> None:
    items: list[Any] = [1]
    items.append(items)
    assert hog.to_text(items) == "[1, null]"

import pytest

from catalog.yaml_file import parse
from destinations.file_text import comment_of, file_text

TEXTS = [
    *("", " a ", "no", "null", "~", "yes", "1_000", "0x1f", "1e3", "-", "- a", "? a", "<<", "=", "---", "a: b", "a #b"),
    *("{event.x}", "'", '"', 'it\'s "q"', "@x", "`x", "%x", "2024-01-01", "2024-01-01T00:00:00Z", "1:30", "\\n\n\\"),
    *(": x", ", a", "] b", "[", "}", "a, b", "a]", "&a", "*a", "!a", "|", ">", "?", "#", "a:", ":a", ".", "...", "a: "),
    *("a\tb", "\n", "a\n", "\na", "a\nb", "a\n\n", "  a\nb", "a\n\tb\t\n", "a \nb", "a\n# b\n", "---\na\n", "\t\nb"),
    *(
        "a\r\nb",
        "a\rb",
        "a\x85b",
        "a\u2028b\nc",
        "\ufeffa",
        "a\x01b\n",
        "ä 😀",
        "ä\n😀\n",
        "a\x0bb",
        "a\n ",
        "w " * 300,
    ),
]


@pytest.mark.parametrize("text", TEXTS)
def test_every_text_is_read_back_as_it_was(text):
    values = {"id": "x", "name": text, "code": f"let x\n{text}", "inputs": {text: [text, {"a": text}]}}
    values["filters"] = {"properties": [{"key": text, "value": [text, None, 1]}, {"key": text}]}
    assert parse(file_text(values).encode()).values == values


@pytest.mark.parametrize("value", [None, True, 0, -1, 10**30, 1e22, 1e-7, 2.5, [], {}, [[]], [{}], [None], {"a": None}])
def test_every_value_is_read_back_as_it_was(value):
    values = {"id": "x", "inputs": {"a": value, "properties": [{"value": value}]}}
    assert parse(file_text(values).encode()).values == values


def test_the_order_is_that_of_a_reader_and_code_stands_as_it_was_written():
    values = {"code": "let x := 1\n\nfetch('u')\n", "delivery": {"success": ["2xx", 404]}, "name": "N", "id": "x"}
    text = file_text(values | {"filters": {"events": [{"id": None}, {"id": "a"}]}}, "One\n\nTwo {x}")
    assert text == (
        "# One\n#\n# Two {x}\nid: x\nname: N\nfilters:\n  events:\n    - {id: null}\n    - {id: a}\n"
        "code: |\n  let x := 1\n\n  fetch('u')\ndelivery:\n  success: [2xx, 404]\n"
    )
    assert comment_of(text) == "One\n\nTwo {x}"

"""The elements that were clicked: derived columns, tags and selectors."""

from collections.abc import Callable
from typing import Any

import pytest

from destinations.elements import COLUMNS, parsed
from destinations.filters.errors import OperandError
from destinations.filters.selectors import pattern_of_selector
from tests.destinations.events import view
from tests.destinations.filters.conftest import compiled

CHAIN = (
    'a.btn.md:flex.primary:attr__data-x="1"attr__href="/buy"href="/buy"nth-child="2"nth-of-type="1"text="Buy; now"'
    ';span:nth-child="1"text="div.fake:attr_id=\\"no\\";b"'
    ';div.box:attr__id="main"attr_id="main"nth-child="3"'
    ";section"
    ';body:nth-child="2"nth-of-type="1"'
)


def passes(filter: dict[str, Any], chain: str = CHAIN) -> bool:
    return compiled({"properties": [{"type": "element", **filter}]}).matches(view(elements_chain=chain))


def test_the_columns_of_a_chain() -> None:
    assert {name: column(parsed(CHAIN)) for name, column in COLUMNS.items()} == {
        "href": "/buy",
        "texts": ["Buy; now", 'div.fake:attr_id="no";b'],
        "ids": ["main"],
        "elements": ["a"],
    }
    assert {name: column(parsed("")) for name, column in COLUMNS.items()} == {
        "href": "", "texts": [], "ids": [], "elements": [],
    }  # fmt: skip


@pytest.mark.parametrize("chain", ['a:href="', 'a:"', ';;"x', "a.:=", '"', 'a:href="\\'])
def test_a_damaged_chain_is_read_as_far_as_it_goes(chain: str) -> None:
    assert [column(parsed(chain)) for column in COLUMNS.values()]


def test_an_expression_sees_the_columns_too() -> None:
    chosen = compiled({"when": "elements_chain_href = '/buy' and has(elements_chain_texts, 'Buy; now')"})
    assert chosen.matches(view(elements_chain=CHAIN))
    assert chosen.wants_event(view(elements_chain=CHAIN))
    assert not chosen.wants_event(view({"x": 1}))
    assert chosen.matches(view({"$elements_chain": CHAIN}))


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("a", True),
        ("*", True),
        ("b", False),
        ("fake", False),
        (".btn", True),
        ("a.btn", True),
        ("a.primary.btn", True),
        ("a.bt", False),
        (".md\\:flex", True),
        (".fake", False),
        ("div", True),
        ("div.box", True),
        ("div.btn", False),
        ("#main", True),
        ("div#main", True),
        ("[id='main']", True),
        ("#no", False),
        ("#mai", False),
        ("[href='/buy']", True),
        ('a[href="/buy"][data-x="1"]', True),
        ("[data-x='1'][href='/sell']", False),
        ("[data-x]", True),
        ("[data-y]", False),
        ("[href^='/b']", True),
        ("[href$=uy]", True),
        ("[href*=b]", True),
        ("[href*=x]", False),
        ("a:nth-child(2)", True),
        ("a:nth-child(1)", False),
        ("a:nth-child(2):nth-of-type(1)", True),
        ("body a", True),
        ("section #main a.btn", True),
        ("a body", False),
        ("div > span > a", True),
        ("div>a", False),
        ("div a", True),
        ("body > section > div", True),
        ("b, div", True),
        ("b, i", False),
        ("div.fake", False),
    ],
)
def test_selectors(selector: str, found: bool) -> None:
    assert passes({"key": "selector", "value": selector}) is found
    assert passes({"key": "selector", "value": selector, "operator": "is_not"}) is not found


@pytest.mark.parametrize("selector", ["", "a >", "a ~ b", "a:hover", "[x", "a,", "a::before", ", a"])
def test_what_cannot_be_a_selector(selector: str) -> None:
    with pytest.raises(OperandError, match="cannot be read"):
        pattern_of_selector(selector)


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({"key": "tag_name", "value": "a"}, True),
        ({"key": "tag_name", "value": "section"}, True),
        ({"key": "tag_name", "value": "sect"}, False),
        ({"key": "tag_name", "value": ["b", "div"]}, True),
        ({"key": "tag_name", "value": ["b", "i"], "operator": "is_not"}, True),
        ({"key": "tag_name", "value": ["b", "a"], "operator": "is_not"}, False),
        ({"key": "tag_name", "value": []}, True),
        ({"key": "href", "value": "/buy"}, True),
        ({"key": "href", "value": "BUY", "operator": "icontains"}, True),
        ({"key": "href", "value": "^/s", "operator": "regex"}, False),
        ({"key": "href", "value": ["/x", "/buy"]}, True),
        ({"key": "text", "value": "Buy; now"}, True),
        ({"key": "text", "value": "now", "operator": "icontains"}, True),
        ({"key": "text", "value": ["x", "y"]}, False),
        ({"key": "text", "value": ["x", "Buy; now"], "operator": "in"}, True),
        ({"key": "text", "value": "Buy; now", "operator": "is_not"}, True),
    ],
)
def test_other_parts_of_elements(filter: dict[str, Any], found: bool) -> None:
    assert passes(filter) is found


def test_no_elements_at_all() -> None:
    assert not passes({"key": "selector", "value": "*"}, "")
    assert passes({"key": "selector", "value": "a", "operator": "is_not"}, "")
    assert not passes({"key": "text", "value": "x"}, "")


@pytest.mark.parametrize(
    ("filter", "problem"),
    [
        (
            "{type: element, key: selectr, value: a}",
            "key (2,45): unknown part of an element 'selectr'; did you mean 'selector'?",
        ),
        (
            "{type: element, key: tag_name, value: a, operator: regex}",
            "operator (2,75): `tag_name` takes `exact` or `is_not`, not `regex`",
        ),
        ("{type: element, key: selector, value: 5}", "value (2,62): `selector` needs a text"),
        (
            "{type: element, key: selector, value: 'a:hover'}",
            "value (2,62): the selector 'a:hover' cannot be read from ':hover' on; what can be used are tags, .class, "
            "#id, [attribute='value'], :nth-child(2), :nth-of-type(2), blanks, '>' and ','",
        ),
    ],
)
def test_mistakes(problems: Callable[[str], list[str]], filter: str, problem: str) -> None:
    assert problems(f"{{properties: [{filter}]}}") == [f"destinations/crm.yaml: filters.properties[0].{problem}"]

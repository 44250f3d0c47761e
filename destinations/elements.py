"""Reads an event's chain of elements: what was clicked first, then what it is in, `a.btn:href="/x"text="Buy";div`.

A quote inside of a value stands as `\\"`. Classes may hold a colon, as Tailwind's do.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

_ELEMENT: Final = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*+(?:"|\Z))++', re.DOTALL)
_HEAD: Final = re.compile(r'(?:[^:"]|:(?![^":;=]++="))*+', re.DOTALL)
_ATTRIBUTE: Final = re.compile(r':?([^"=]++)="((?:[^"\\]|\\.)*+)"', re.DOTALL)
_TAGS: Final = frozenset({"a", "button", "form", "input", "select", "textarea", "label"})


class Element(NamedTuple):
    """One element of a page."""

    tag: str
    attributes: Mapping[str, str]


def parsed(chain: Any) -> list[Element]:
    """The elements of a chain; none where it is no text."""
    return [_element(text) for text in _ELEMENT.findall(chain)] if isinstance(chain, str) else []


def _element(text: str) -> Element:
    head = _HEAD.match(text)
    assert head is not None
    attributes: dict[str, str] = {}
    for key, value in _ATTRIBUTE.findall(text, head.end()):
        attributes.setdefault(key, value.replace('\\"', '"'))
    return Element(head[0].partition(".")[0], attributes)


def _href(chain: list[Element]) -> str:
    return next((each.attributes["href"] for each in chain if "href" in each.attributes), "")


def _texts(chain: list[Element]) -> list[str]:
    return list(dict.fromkeys(each.attributes["text"] for each in chain if "text" in each.attributes))


def _ids(chain: list[Element]) -> list[str]:
    return list(dict.fromkeys(each.attributes["attr_id"] for each in chain if "attr_id" in each.attributes))


def _elements(chain: list[Element]) -> list[str]:
    return list(dict.fromkeys(each.tag for each in chain if each.tag in _TAGS))


COLUMNS: Final[Mapping[str, Callable[[list[Element]], Any]]] = {
    "href": _href,
    "texts": _texts,
    "ids": _ids,
    "elements": _elements,
}
"""The columns that are made of the chain, by what follows `elements_chain_` in their names."""

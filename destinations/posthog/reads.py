"""What a function reads of the globals: the dotted names in its code and in the templates of its inputs."""

from collections.abc import Iterator, Mapping
from typing import Any

import hog
from destinations.names import IN_CODE
from destinations.values import Chain


def reads_of(function: Mapping[str, Any]) -> frozenset[Chain]:
    """All of them. What does not compile reads nothing: why it does not is found when the destination is compiled."""
    found: set[Chain] = set()
    code = function.get("hog")
    if isinstance(code, str):
        found |= _compiled(lambda: hog.program(code, names=IN_CODE))
    for each in (function, *_mappings(function)):
        found |= template_reads(each.get("inputs"))
    return frozenset(found)


def template_reads(inputs: Any) -> frozenset[Chain]:
    """What the texts of some inputs read."""
    return frozenset(chain for text in _texts(inputs) for chain in _compiled(lambda text=text: hog.template(text)))


def _compiled(compile: Any) -> frozenset[Chain]:
    try:
        program: hog.Program = compile()
    except hog.HogError:
        return frozenset()
    return program.chains


def _mappings(function: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    mappings = function.get("mappings")
    return [each for each in mappings if isinstance(each, Mapping)] if isinstance(mappings, list) else []


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)

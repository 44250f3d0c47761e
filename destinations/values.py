"""Compiled values: what a user wrote under an input, ready to be rendered leaf by leaf.

Every text is a template; numbers, booleans, null and the keys of dictionaries stay as they are.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import hog
from catalog.yaml_file import Steps
from destinations.errors import InputError, part_at
from destinations.kinds import kind_of
from destinations.liquid import LiquidError, LiquidProgram
from destinations.url import UrlTemplate

Chain = tuple[str, ...]

EXTEND = "$$_extend_object"
"""A key whose value's own entries belong to the dictionary that the key stands in."""


class Value(Protocol):
    """Something that can be rendered for one event."""

    chains: frozenset[Chain]
    """Which globals it reads."""

    def render(self, globals: Mapping[str, Any]) -> Any:
        """The value for these globals; raises InputError."""


class Constant:
    """The same for every event."""

    chains: frozenset[Chain] = frozenset()

    def __init__(self, value: Any) -> None:
        """`value` is shared by every request, so nobody may change it."""
        self.value = value

    def render(self, globals: Mapping[str, Any]) -> Any:
        """The value."""
        return self.value


class Template:
    """One text with expressions; a text that is one single expression keeps that expression's type."""

    def __init__(self, program: hog.Program, where: str) -> None:
        """`where` names the text in errors."""
        self.program = program
        self.where = where
        self.chains = program.chains

    def render(self, globals: Mapping[str, Any]) -> Any:
        """The text, or the single expression's value."""
        try:
            return self.program(globals)
        except hog.HogRuntimeError as error:
            raise InputError(self.where, error.message) from None


class LiquidText:
    """One text in Liquid; it always gives text."""

    def __init__(self, program: LiquidProgram, where: str) -> None:
        """`where` names the text in errors."""
        self.program = program
        self.where = where
        self.chains = program.chains

    def render(self, globals: Mapping[str, Any]) -> str:
        """The text."""
        try:
            return self.program(globals)
        except LiquidError as error:
            raise InputError(self.where, error.message) from None


class Url:
    """A text whose expressions are percent-encoded where they stand."""

    def __init__(self, template: UrlTemplate) -> None:
        """A URL that is one single expression is a `Template`, not this."""
        self.template = template
        self.chains = frozenset(chain for program in template.programs for chain in program.chains)

    def render(self, globals: Mapping[str, Any]) -> str:
        """The URL, not yet checked as a whole."""
        try:
            return self.template.render(globals)
        except hog.HogRuntimeError as error:
            raise InputError(self.template.where, error.message) from None


class Items:
    """A list."""

    def __init__(self, items: Sequence[Value]) -> None:
        """In order."""
        self.items = items
        self.chains = frozenset(chain for item in items for chain in item.chains)

    def render(self, globals: Mapping[str, Any]) -> list[Any]:
        """A new list."""
        return [item.render(globals) for item in self.items]


class Entries:
    """A dictionary."""

    def __init__(self, entries: Mapping[str, Value]) -> None:
        """Keys in the order of the file."""
        self.entries = tuple(entries.items())
        self.chains = frozenset(chain for value in entries.values() for chain in value.chains)

    def render(self, globals: Mapping[str, Any]) -> dict[str, Any]:
        """A new dictionary."""
        return {key: value.render(globals) for key, value in self.entries}


class Extended:
    """A dictionary that begins with all that another one has; what is written beside it goes before."""

    def __init__(self, base: Value, own: Entries, where: str) -> None:
        """`base` gives the other one, or null for nothing."""
        self.base = base
        self.own = own
        self.chains = base.chains | own.chains
        self._where = where

    def render(self, globals: Mapping[str, Any]) -> dict[str, Any]:
        """A new dictionary; raises InputError where the base is none."""
        base = self.base.render(globals)
        if base is not None and not isinstance(base, dict):
            raise InputError(self._where, f"`{EXTEND}` expected a mapping, got {kind_of(base)}")
        return {**(base or {}), **self.own.render(globals)}


CompileText = Callable[[str, Steps], Value]
"""Compiles one text that stands at a path."""


def compiled(written: Any, path: Steps, text: CompileText) -> Value:
    """Compile what was written at `path`, each text in it by `text`."""
    if isinstance(written, str):
        return text(written, path)
    if isinstance(written, list):
        items = [compiled(item, (*path, index), text) for index, item in enumerate(written)]
        return Constant(known(items)) if _constant(items) else Items(items)
    if isinstance(written, dict):
        entries = {key: compiled(item, (*path, key), text) for key, item in written.items()}
        if EXTEND in entries:
            return Extended(entries.pop(EXTEND), Entries(entries), part_at(path))
        return Constant(known(entries)) if _constant(entries.values()) else Entries(entries)
    return Constant(written)


def known(value: Any) -> Any:
    """What can be said of a value before there is an event: constants as they are, None for all else."""
    match value:
        case Constant():
            return value.value
        case Entries():
            return {key: known(item) for key, item in value.entries}
        case Extended():
            return {**(known(value.base) or {}), **known(value.own)}
        case dict():
            return {key: known(item) for key, item in value.items()}
        case list():
            return [known(item) for item in value]
        case _:
            return None


def _constant(values: Iterable[Value]) -> bool:
    return all(isinstance(value, Constant) for value in values)

"""CSS selectors as regular expressions over the chain of elements, which goes from the inside out.

Supported are tags, `*`, `.class`, `#id`, `[attribute]` with `=`, `^=`, `$=` and `*=`, `:nth-child(n)`,
`:nth-of-type(n)`, descendants, `>` and lists. Classes and attributes of an element stand sorted in the chain.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from destinations.filters.errors import OperandError

_VALUE: Final = r"(?:[^\"\\]|\\.)*"
_ANY: Final = rf'(?:[^;"]|"{_VALUE}")*'
"""One whole element."""
_CLASS: Final = r'\.[^.;"]*'
_ATTRIBUTE: Final = rf'[^;"=]+="{_VALUE}"'
_NAME: Final = r"(?:[\w-]|[^\x00-\x7f]|\\.)+"
_COMPOUND: Final = re.compile(
    rf"(?P<tag>{_NAME}|\*)"
    rf"|\.(?P<class>{_NAME})"
    rf"|#(?P<id>{_NAME})"
    rf"|\[\s*(?P<key>{_NAME})\s*"
    r"""(?:(?P<op>[\^$*]?=)\s*(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<bare>[^\]\s"']+))\s*)?\]"""
    r"|:(?P<nth>nth-child|nth-of-type)\(\s*(?P<n>\d+)\s*\)"
)
_COMBINATOR: Final = re.compile(r"\s*(?P<comma>,)\s*|\s*(?P<child>>)\s*|(?P<inside>\s+)")
_BACKSLASH: Final = re.compile(r"\\(.)", re.DOTALL)
_OPERATORS: Final = {"=": ("", ""), "^=": ("", _VALUE), "$=": (_VALUE, ""), "*=": (_VALUE, _VALUE)}


@dataclass
class _Compound:
    """What one element has to be."""

    tag: str = ""
    classes: list[str] = field(default_factory=list[str])
    attributes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Each with what it is sorted by."""
    child: bool = False
    """Whether the next compound is directly inside of it."""

    def pattern(self) -> str:
        text = re.escape(self.tag) if self.tag not in ("", "*") else r'[^.:;"]*'
        classes = sorted(set(self.classes))
        text += "".join(rf"(?:{_CLASS})*?\.{re.escape(name)}" for name in classes)
        # Behind a class name there are further classes, attributes, or nothing.
        text += f"(?:{_CLASS})*?"
        if not self.attributes:
            return rf"{text}(?::{_ANY})?"
        keys = "".join(rf"(?:{_ATTRIBUTE})*?{pattern}" for _, pattern in sorted(set(self.attributes)))
        return rf"{text}:{keys}(?:{_ATTRIBUTE})*"


def pattern_of_selector(text: str) -> str:
    """A pattern that is found in a chain of which some elements fit; raises OperandError."""
    return "|".join(_of_path(path) for path in _parsed(text))


def pattern_of_tag(tag: str) -> str:
    """The same for the name of a tag alone."""
    return _of_path([_Compound(tag.strip())])


def _of_path(path: list[_Compound]) -> str:
    *outer, innermost = path
    text = innermost.pattern()
    for compound in reversed(outer):
        text += ";" if compound.child else f";(?:{_ANY};)*?"
        text += compound.pattern()
    return rf"^(?:{_ANY};)*?{text}(?:;|$)"


def _parsed(text: str) -> list[list[_Compound]]:
    """Selectors of a list, each from the outermost compound to the innermost."""
    selector = text.strip()
    paths: list[list[_Compound]] = [[]]
    position = 0
    while True:
        compound, position = _compound(selector, position)
        paths[-1].append(compound)
        if position == len(selector):
            return paths
        found = _COMBINATOR.match(selector, position)
        if found is None or found.end() == len(selector):
            raise _unreadable(text, selector[position:])
        position = found.end()
        compound.child = found["child"] is not None
        if found["comma"]:
            paths.append([])


def _compound(selector: str, position: int) -> tuple[_Compound, int]:
    compound, start = _Compound(), position
    while found := _COMPOUND.match(selector, position):
        if found["tag"] and position > start:
            break
        position = found.end()
        _add(compound, found)
    if position == start:
        raise _unreadable(selector, selector[position:])
    return compound, position


def _add(compound: _Compound, found: re.Match[str]) -> None:
    if found["tag"]:
        compound.tag = _plain(found["tag"])
    elif found["class"]:
        compound.classes.append(_plain(found["class"]))
    elif found["id"]:
        compound.attributes.append(_attribute("id", "=", _plain(found["id"])))
    elif found["nth"]:
        compound.attributes.append((found["nth"], rf'{found["nth"]}="{found["n"]}"'))
    else:
        values = (found["double"], found["single"], found["bare"])
        value = next((_plain(value) for value in values if value is not None), "")
        compound.attributes.append(_attribute(_plain(found["key"]), found["op"], value))


def _attribute(key: str, op: str | None, value: str) -> tuple[str, str]:
    """An attribute of the page is `attr__x` in the chain; some stand there as `x` too, the id as `attr_id`."""
    names = r"attr_?_id" if key == "id" else rf"(?:attr__)?{re.escape(key)}"
    before, after = ("", _VALUE) if op is None else _OPERATORS[op]
    # Inside of a value a quote stands behind a backslash.
    shown = "" if op is None else re.escape(value.replace('"', '\\"'))
    return f"attr__{key}", rf'{names}="{before}{shown}{after}"'


def _plain(name: str) -> str:
    return _BACKSLASH.sub(r"\1", name)


def _unreadable(selector: str, rest: str) -> OperandError:
    return OperandError(
        f"the selector '{selector}' cannot be read from '{rest}' on; what can be used are tags, .class, #id, "
        "[attribute='value'], :nth-child(2), :nth-of-type(2), blanks, '>' and ','"
    )

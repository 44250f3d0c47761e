"""What stands in quotes, braces and tags: where it ends, and which characters its escapes mean."""

import re
from typing import Final

_MEANT: Final = {"b": "\b", "f": "\f", "r": "\r", "n": "\n", "t": "\t", "a": "\a", "v": "\v", "0": "", "\\": "\\"}
_ESCAPE: Final = re.compile(r"\\([xX][0-9a-fA-F]{2}|.)|(['\"`])\2", re.DOTALL)
_KEPT: Final = re.compile(r"[BFRNTAV]|[xX][0-9a-fA-F]{2}")
"""Escapes that are let through and mean nothing: the backslash stays."""
TEMPLATE_TEXT: Final = re.compile(r"(?:[^'{\\]++|''|\\.)++", re.DOTALL)
FULL_TEMPLATE_TEXT: Final = re.compile(r"(?:[^{\\]++|\\\{?)++", re.DOTALL)
TAG_TEXT: Final = re.compile(r"[^<{]+")
_ONLY_LAYOUT: Final = re.compile(r"(?=[^\n\r]*[\n\r])\s*\Z")


class EscapeError(Exception):
    """An escape that does not exist, and where in the text."""

    def __init__(self, escape: str, offset: int) -> None:
        super().__init__(escape)
        self.escape = escape
        self.offset = offset


def unescaped(text: str, quotes: str, *, doubled: str) -> str:
    """The characters that `text` means. Behind a backslash stand `quotes`; `doubled` stands for itself once."""
    if "\\" not in text:
        return text.replace(doubled * 2, doubled) if doubled in text else text

    def meant(match: re.Match[str]) -> str:
        escape = match[1]
        if escape is None:
            return doubled if match[2] == doubled else match[0]
        found = _MEANT.get(escape)
        if found is not None:
            return found
        if escape in quotes:
            # In backticks `\'` is let through, but stays as it is.
            return match[0] if doubled == "`" else escape
        if _KEPT.fullmatch(escape):
            return match[0]
        raise EscapeError(match[0], match.start())

    return _ESCAPE.sub(meant, text)


def unescaped_full(text: str) -> str:
    """The same for a full-text template: quotes mean nothing, and an escape that does not exist stays as it is."""
    if "\\" not in text:
        return text
    return re.sub(r"\\(.)", lambda match: "{" if match[1] == "{" else _MEANT.get(match[1], match[0]), text)


def is_layout(text: str) -> bool:
    """Whether the text between two tags is nothing but a line break and blanks."""
    return _ONLY_LAYOUT.match(text) is not None

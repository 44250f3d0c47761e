"""Refuses a source that would cost the parser too much stack or time, before the parser sees it.

The parser is recursive and its time grows with the cube of some nestings, so nesting and unbroken chains of operators
are bounded here. It reads tokens roughly and never decides what is valid.
"""

import re
from typing import Final

from hog.errors import HogSyntaxError

MAX_SOURCE_BYTES: Final = 100_000
MAX_NESTING: Final = 32
"""Brackets within brackets, and `not` or `-` in a row."""
MAX_PARENTHESES: Final = 16
"""Parentheses within parentheses: 16 calls within calls take the parser seconds, 32 take it tens of seconds."""
MAX_CHAIN: Final = 1_000
"""Tokens of one expression between separators."""
MAX_LAMBDA_KEYWORDS: Final = 4
"""The parser's time doubles with each `lambda x:` inside another."""
MAX_HEADS: Final = 32
"""`if (…)`, `while (…)`, `for (…)` in a row without braces; each is inside the one before."""
MAX_ELSES: Final = 24
"""`else if` in a row; each is inside the one before, and the parser takes seconds for as many as these."""

_TOKEN: Final = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|--[^\n]*|/\*.*?\*/|\#(?!\d)[^\n]*)
      | (?P<template>[fF]')
      | (?P<text>'(?:[^'\\]|\\.|'')*'?|"(?:[^"\\]|\\.|"")*"?|`(?:[^`\\]|\\.|``)*`?)
      | (?P<open>[(\[{])
      | (?P<close>[)\]}])
      | (?P<separator>[,;])
      | (?P<word>[A-Za-z0-9_$]+)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_TEMPLATE_TEXT: Final = re.compile(r"(?:[^'{\\]|\\.|'')*", re.DOTALL)
_FULL_TEMPLATE_TEXT: Final = re.compile(r"(?:[^{\\]|\\.?)*", re.DOTALL)
_STARTS: Final = frozenset({"let", "return", "if", "else", "while", "for", "fun", "fn", "throw", "try", "catch"})
_HEADS: Final = frozenset({"if", "else", "while", "for", "fun", "fn", "try", "catch"})
_OPERATORS: Final = frozenset(
    {
        "and",
        "or",
        "not",
        "in",
        "like",
        "ilike",
        "between",
        "is",
        "as",
        "case",
        "when",
        "then",
        "else",
        "end",
        "interval",
    }
    | {"cohort", "lambda", "select", "distinct", "union", "intersect", "except", "from", "where", "with"}
)
"""Words that do not begin a statement, wherever they stand."""


def check(source: str, *, template: bool = False) -> None:
    """Raise `HogSyntaxError` at the first place where `source` goes beyond a bound."""
    if len(source.encode("utf-8", "replace")) > MAX_SOURCE_BYTES:
        raise HogSyntaxError(f"the source is larger than {MAX_SOURCE_BYTES} bytes", 1, 1, source)
    _Scan(source).run(template=template)


class _Scan:
    """One pass over the source. `_inside` holds what was opened and not yet closed: a bracket or a template's text."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._inside: list[str] = []
        self._chains = [0]
        self._prefixes = 0
        self._lambdas = 0
        self._heads = [0]
        self._elses = [0]
        self._last_word = ""
        self._after_operand = False

    def run(self, *, template: bool) -> None:
        position = 0
        if template:
            self._open("full template", 0)
        while position < len(self._source):
            if self._inside and self._inside[-1].endswith("template"):
                position = self._template_text(position)
            else:
                position = self._token(position)

    def _template_text(self, position: int) -> int:
        full = self._inside[-1] == "full template"
        match = (_FULL_TEMPLATE_TEXT if full else _TEMPLATE_TEXT).match(self._source, position)
        assert match is not None
        end = match.end()
        if end >= len(self._source):
            return end
        if self._source[end] == "{":
            self._open("{", end)
        elif self._source[end] == "'" and not full:
            self._close()
        return end + 1

    def _token(self, position: int) -> int:
        match = _TOKEN.match(self._source, position)
        assert match is not None
        kind, text = match.lastgroup, match[0]
        if kind == "skip":
            return match.end()
        self._count_prefix(text, position)
        self._count_heads(kind, text.lower(), position)
        if self._after_operand and (text == "{" or (kind == "word" and text.lower() not in _OPERATORS)):
            # Two operands side by side: a new statement begins.
            self._chains[-1] = 0
        self._after_operand = kind in ("text", "close") or (kind == "word" and text.lower() not in _OPERATORS)
        if kind == "template":
            self._open("template", position)
        elif kind == "open":
            self._open(text, position)
        elif kind == "close":
            self._close()
        elif kind == "separator" or text in _STARTS:
            self._chains[-1] = 0
        else:
            self._count(text, position)
        return match.end()

    def _count_prefix(self, text: str, position: int) -> None:
        if text == "-" or text.lower() == "not":
            self._prefixes += 1
            if self._prefixes > MAX_NESTING:
                raise self._refusal(f"more than {MAX_NESTING} '{text}' in a row", position)
        else:
            self._prefixes = 0

    def _count_heads(self, kind: str | None, word: str, position: int) -> None:
        """Statements without braces inside each other: `if (a) while (b) …`, and `else if` after `else if`."""
        if kind in ("open", "close"):
            if word == "}":
                # What the braces belong to is complete; only an `else` can still hang on it.
                self._heads[-2:-1] = [0]
                self._last_word = word
            return
        if word not in _HEADS:
            self._heads[-1] = 0
            self._last_word = word
            return
        self._heads[-1] += 1
        if word == "else":
            self._elses[-1] += 1
        elif self._last_word != "else":
            self._elses[-1] = 0
        self._last_word = word
        if self._heads[-1] > MAX_HEADS or self._elses[-1] > MAX_ELSES:
            raise self._refusal(f"'{word}' is nested too deeply; use braces or a function", position)

    def _count(self, text: str, position: int) -> None:
        self._chains[-1] += 1
        if self._chains[-1] > MAX_CHAIN:
            raise self._refusal(f"more than {MAX_CHAIN} words and operators in one expression", position)
        if text.lower() == "lambda":
            self._lambdas += 1
            if self._lambdas > MAX_LAMBDA_KEYWORDS:
                raise self._refusal(f"more than {MAX_LAMBDA_KEYWORDS} 'lambda'; write x -> … instead", position)

    def _open(self, what: str, position: int) -> None:
        if len(self._inside) >= MAX_NESTING:
            raise self._refusal(f"nested more than {MAX_NESTING} levels deep", position)
        if what == "(" and self._inside.count("(") >= MAX_PARENTHESES:
            raise self._refusal(f"more than {MAX_PARENTHESES} parentheses within each other", position)
        self._count(what, position)
        self._inside.append(what)
        self._chains.append(0)
        self._heads.append(0)
        self._elses.append(0)

    def _close(self) -> None:
        if self._inside:
            self._inside.pop()
            self._chains.pop()
            self._heads.pop()
            self._elses.pop()

    def _refusal(self, message: str, offset: int) -> HogSyntaxError:
        return at_offset(message, offset, self._source)


def at_offset(message: str, offset: int, source: str) -> HogSyntaxError:
    """The error at the character `offset` of the source."""
    before = source[:offset]
    return HogSyntaxError(message, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1, source)

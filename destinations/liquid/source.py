"""The text of a template before it is parsed: entities inside tags are decoded, and each character keeps its place.

Editors of emails write `{{ a &gt; b }}`. What is outside of tags is HTML and stays.
"""

import html
import re
from bisect import bisect_right

MAX_SOURCE = 256 * 1024
MAX_PARENTHESES = 100
"""In one tag: for each the parser looks through all that follows."""
_CLOSES = {"{{": "}}", "{%": "%}"}
_OPENING = re.compile(r"\{\{|\{%")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,31});")
_VERBATIM = ("raw", "doc", "comment")


class LiquidError(ValueError):
    """A template that cannot be compiled or rendered."""

    def __init__(self, message: str, offset: int = 0) -> None:
        """`offset` counts the characters of the template as written before the place that is meant."""
        super().__init__(message)
        self.message = message
        self.offset = offset


class Source:
    """The decoded text, and where each of its characters was written."""

    def __init__(self, written: str) -> None:
        """Raises LiquidError for a text that the parser would take too long to refuse."""
        if len(written) > MAX_SOURCE:
            raise LiquidError(f"the template has {len(written):,} characters; at most {MAX_SOURCE:,} are allowed")
        self.has_tags = _OPENING.search(written) is not None
        self._pieces: list[str] = []
        self._length = 0
        self._starts = [0]
        self._written = [0]
        self._decode(written)
        self.text = "".join(self._pieces)
        for name in _VERBATIM:
            self._check_closed(name)

    def written_offset(self, offset: int) -> int:
        """Where the character of the decoded text was written."""
        piece = bisect_right(self._starts, offset) - 1
        return self._written[piece] + offset - self._starts[piece]

    def _decode(self, written: str) -> None:
        done = 0
        while (opening := _OPENING.search(written, done)) is not None:
            end = written.find(_CLOSES[opening[0]], opening.end())
            if end < 0:
                raise LiquidError(f"'{opening[0]}' is not closed: '{_CLOSES[opening[0]]}' is missing", opening.start())
            self._take(written[done : opening.start()])
            tag = written[opening.start() : end]
            if tag.count("(") > MAX_PARENTHESES:
                raise LiquidError(f"a tag has more than {MAX_PARENTHESES} '('", opening.start())
            inside = 0
            for entity in _ENTITY.finditer(tag):
                self._take(tag[inside : entity.start()])
                self._take(html.unescape(entity[0]).replace("\xa0", " "))
                inside = entity.end()
                self._mark(opening.start() + inside)
            self._take(tag[inside:].replace("\xa0", " "))
            done = end
        self._take(written[done:])

    def _take(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)

    def _mark(self, written: int) -> None:
        self._starts.append(self._length)
        self._written.append(written)

    def _check_closed(self, name: str) -> None:
        # Each `{% raw %}` without an end would have the lexer look through the whole rest, again and again.
        opened = [match.start() for match in re.finditer(rf"\{{%-?\s*{name}\b", self.text)]
        closed = [match.start() for match in re.finditer(rf"\{{%-?\s*end{name}\b", self.text)]
        if opened and (not closed or closed[-1] < opened[-1]):
            raise LiquidError(f"tag '{name}' is not closed: 'end{name}' is missing", self.written_offset(opened[-1]))

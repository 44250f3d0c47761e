"""Source text to tokens: lists side by side, so that the parser reads a token's kind with one index.

A kind is the token's own text (`(`, `:=`), a word of the language in lower case (`if`, `and`), or one of `name`,
`text`, `integer`, `octal`, `number`, `template` (its opening), `literal` (text in a template or a tag), `<tag` (the
opening of a tag), `bad`, and `END`. The text of a `bad` token says what is wrong; it is the last one before the end.
"""

import re
from typing import Final

from hog.nodes import Position
from hog.parser.text import (
    FULL_TEMPLATE_TEXT,
    TAG_TEXT,
    TEMPLATE_TEXT,
    EscapeError,
    is_layout,
    unescaped,
    unescaped_full,
)
from hog.parser.words import WORDS

_BLANKS: Final = "[ \t-\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
_BETWEEN: Final = rf"(?:{_BLANKS}++|(?://|--)[^\n\r]*+|/\*(?:[^*]++|\*(?!/))*+\*/|\#(?![0-9])[^\n\r]*+)*+"
_TEXT: Final = r"'(?:[^'\\]++|''|\\.)*+'"
_TOKEN: Final = re.compile(
    _BETWEEN
    + rf"""(?:(f')
      |([A-Za-z_$][A-Za-z0-9_$]*+(?!(?<=\bF)'))
      |(0[xX][0-9a-fA-F]++(?:(?:\.[0-9a-fA-F]*+)?[pP][+-]?[0-9]++)?|0[bBoO][0-9]++
       |(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)[eE][+-]?[0-9]++)
      |(/\*|:=|->|==|=~\*|=~|=|\?\?|\?\.|\?|<=>|<=|<>|</|<|>=|>|!=|!~\*|!~|~\*|~|\|\||::|:|/>|[()\[\]{{}},;.+\-*/%\#])
      |({_TEXT}|"(?:[^"\\]++|""|\\.)*+"|`(?:[^`\\]++|``|\\.)*+`)
      |([0-9]++)
      |(\Z)
      |(.))""",
    re.VERBOSE | re.DOTALL,
)
_TEMPLATE, _WORD, _NUMBER, _SIGN, _QUOTED, _INTEGER, _END = range(1, 8)
_IN_TAG: Final = re.compile(rf"[ \t\r\n]*+(?:([A-Za-z_][A-Za-z0-9_-]*+)|(/>|[>={{])|({_TEXT})|(\Z)|(.))", re.DOTALL)
_OPENS_TAG: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*+(?:>|/(?![/*])|[ \t-\r]++(?:[A-Za-z0-9_>]|/(?![/*])))")
_BRACKETS: Final = frozenset("()[]{}<") | {"/*", "</"}
END: Final = "end of the source"
_LOOKAHEAD: Final = 8
"""So many tokens stand behind the last one that nobody who looks ahead has to ask whether there are any."""
_WHOLE_TEXT: Final = re.compile(_TEXT, re.DOTALL)
_INSTEAD: Final = {"!": "not", "&": "and", "|": "or"}
_OPENED: Final = {")": "(", "]": "[", "}": "{"}


class Lexer:
    """One pass over the source. `_modes` holds what the innermost opened braces, templates and tags stand in."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.kinds: list[str] = []
        self.texts: list[str] = []
        self.places: list[Position] = []
        self.closes: dict[int, int] = {}
        """The closing bracket of each opening one, by index."""
        self._open: list[int] = []
        self._modes: list[str] = []
        self._lines = [0, *(match.end() for match in re.finditer("\n", source)), len(source) + 1]
        """Where the lines begin, and an end that no token reaches."""
        self._line = 0

    def run(self, mode: str) -> "Lexer":
        """Read to the end, beginning with `code` or with the text of a `full` template."""
        position = 0
        while position >= 0:
            if mode == "code":
                mode, position = self._code(position)
            elif mode == "template":
                mode, position = self._template(position)
            elif mode == "full":
                mode, position = self._full(position)
            elif mode == "children":
                mode, position = self._children(position)
            else:
                mode, position = self._tag(mode, position)
        for _ in range(_LOOKAHEAD):
            self._put(END, "", len(self.source))
        return self

    def _put(self, kind: str, text: str, offset: int) -> None:
        while offset >= self._lines[self._line + 1]:
            self._line += 1
        self.kinds.append(kind)
        self.texts.append(text)
        self.places.append(Position(self._line + 1, offset - self._lines[self._line], offset))

    def _bad(self, message: str, offset: int) -> tuple[str, int]:
        self._put("bad", message, offset)
        return "", -1

    def _code(self, position: int) -> tuple[str, int]:
        """Tokens until a brace, a template or a tag leads into another mode."""
        kinds, texts, places, lines = self.kinds, self.texts, self.places, self._lines
        start, following = lines[self._line], lines[self._line + 1]
        for match in _TOKEN.finditer(self.source, position):
            group = match.lastindex or 0
            text = match[group]
            offset = match.start(group)
            while offset >= following:
                self._line += 1
                start, following = following, lines[self._line + 1]
            kinds.append(WORDS.get(text.lower(), "name") if group == _WORD else text)
            texts.append(text)
            places.append(Position(self._line + 1, offset - start, offset))
            if group == _WORD or (group == _SIGN and text not in _BRACKETS):
                continue
            if group == _INTEGER:
                kinds[-1] = "octal" if text[0] == "0" and len(text) > 1 and not text.strip("01234567") else "integer"
                continue
            switched = self._special(group, text, match.end())
            if switched is not None:
                return switched
        return "", -1

    def _special(self, group: int, text: str, end: int) -> tuple[str, int] | None:
        """What the last token, which is no word and no plain sign, leads to; None when code goes on."""
        if group == _SIGN:
            return self._bracket(text, end)
        if group == _QUOTED:
            return self._quoted(text)
        if group == _NUMBER:
            self.kinds[-1] = "number"
            if text[1:2] in "oO":
                return self._mark(f"there are no octal numbers: write {text[2:]} as a decimal number")
            if text[1:2] in "bB" and text.strip("01bB"):
                return self._mark(f"'{text}' is no binary number")
            return None
        if group == _TEMPLATE:
            self.kinds[-1] = "template"
            self._modes.append("code")
            return "template", end
        if group == _END:
            del self.kinds[-1], self.texts[-1], self.places[-1]
            return "", -1
        return self._mark(_unexpected(text))

    def _mark(self, message: str) -> tuple[str, int]:
        """Make the last token the bad one."""
        self.kinds[-1], self.texts[-1] = "bad", message
        return "", -1

    def _bracket(self, text: str, end: int) -> tuple[str, int] | None:
        if text in "([{":
            self._open.append(len(self.kinds) - 1)
            if text == "{":
                self._modes.append("code")
        elif text in ")]}":
            if self._open and self.kinds[self._open[-1]] == _OPENED[text]:
                self.closes[self._open.pop()] = len(self.kinds) - 1
            if text == "}":
                if not self._modes:
                    return None
                mode = self._modes.pop()
                if mode != "code":
                    return mode, end
        elif text == "<":
            if _OPENS_TAG.match(self.source, end):
                self.kinds[-1] = "<tag"
                self._modes.append("code")
                return "tag", end
        elif text == "/*":
            return self._mark("the comment is not closed")
        return None

    def _quoted(self, text: str) -> tuple[str, int] | None:
        quote = text[0]
        self.kinds[-1] = "text" if quote == "'" else "name"
        quotes = '"' if quote == '"' else "'"
        return self._unescaped(text[1:-1], quotes, quote, self.places[-1].offset + 1)

    def _unescaped(self, text: str, quotes: str, doubled: str, offset: int) -> tuple[str, int] | None:
        """Give the last token the text that it means."""
        try:
            self.texts[-1] = unescaped(text, quotes, doubled=doubled)
        except EscapeError as error:
            message = f"unknown escape {error.escape}; a backslash itself is written \\\\"
            del self.kinds[-1], self.texts[-1], self.places[-1]
            return self._bad(message, offset + error.offset)
        return None

    def _opening(self, offset: int, text: str = "{") -> tuple[str, int]:
        self._put(text, text, offset)
        self._open.append(len(self.kinds) - 1)
        return "code", offset + 1

    def _template(self, position: int) -> tuple[str, int]:
        match = TEMPLATE_TEXT.match(self.source, position)
        if match is not None:
            self._put("literal", match[0], position)
            problem = self._unescaped(match[0], "'{", "'", position)
            if problem is not None:
                return problem
            position = match.end()
        if self.source.startswith("{", position):
            self._modes.append("template")
            return self._opening(position)
        if self.source.startswith("'", position):
            self._put("'", "'", position)
            return self._modes.pop(), position + 1
        return self._bad("unexpected end: the template is not closed", len(self.source))

    def _full(self, position: int) -> tuple[str, int]:
        match = FULL_TEMPLATE_TEXT.match(self.source, position)
        if match is not None:
            self._put("literal", unescaped_full(match[0]), position)
            position = match.end()
        if position == len(self.source):
            return "", -1
        self._modes.append("full")
        return self._opening(position)

    def _children(self, position: int) -> tuple[str, int]:
        match = TAG_TEXT.match(self.source, position)
        if match is not None:
            if not is_layout(match[0]):
                self._put("literal", match[0], position)
            position = match.end()
        if self.source.startswith("{", position):
            self._modes.append("children")
            return self._opening(position)
        if self.source.startswith("</", position):
            self._put("</", "</", position)
            return "closing", position + 2
        if self.source.startswith("<", position):
            self._put("<tag", "<", position)
            self._modes.append("children")
            return "tag", position + 1
        return "", -1

    def _tag(self, mode: str, position: int) -> tuple[str, int]:
        """One token between `<` or `</` and `>`."""
        match = _IN_TAG.match(self.source, position)
        assert match is not None
        group = match.lastindex or 0
        text, offset, end = match[group], match.start(group), match.end()
        if group == 4:
            return "", -1
        if group == 1:
            self._put("name", text, offset)
            return mode, end
        if mode == "closing" and text != ">":
            return self._bad(_unexpected(text[0]), offset)
        if group == 3:
            self._put("text", text, offset)
            return self._unescaped(text[1:-1], "'", "'", offset + 1) or (mode, end)
        if group == 5:
            return self._bad(_unexpected(text), offset)
        if text == "{":
            self._modes.append("tag")
            return self._opening(offset)
        self._put(text, text, offset)
        if text == "=":
            return mode, end
        return ("children" if text == ">" and mode == "tag" else self._modes.pop()), end


def quoted(source: str, offset: int) -> str:
    """The text that begins there, as it is written."""
    match = _WHOLE_TEXT.match(source, offset)
    return "" if match is None else match[0]


def _unexpected(char: str) -> str:
    """What to say of a character that begins no token."""
    if char in "'\"`":
        return f"the {'text' if char == chr(39) else 'name'} that begins here has no closing {char}"
    if char == "F":
        return "a template begins with a small f: f'…'"
    shown = f"'{char}' (U+{ord(char):04X})" if " " < char < "\x7f" else f"U+{ord(char):04X}"
    hint = f"; write '{_INSTEAD[char]}'" if char in _INSTEAD else ""
    return f"Unexpected character {shown}{hint}"

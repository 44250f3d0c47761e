"""Why the parser refuses a source, in few words. Its own messages repeat all it has read, and name rules of a grammar.

Whatever it says, the place is right: there stands the one token that cannot stand there.
"""

import re
from typing import Final

_REFUSED: Final = re.compile(r"(?:mismatched|extraneous|no viable alternative at) input ")
_EXPECTED: Final = re.compile(r" expecting ('[^']+')$")
_MISSING: Final = re.compile(r"missing ('[^']+') at ")
_RULE: Final = "Unsupported rule: "
_STRAY_BRACE: Final = "Unmatched curly bracket"
_TOKEN: Final = re.compile(r"[\w$]+|:=|->|[=!]?~\*?|[=!<>]=|<>|\?[?.]|\|\||.", re.DOTALL)
_SKIPPED: Final = re.compile(
    r"""//[^\n]*|--[^\n]*|/\*.*?\*/|\#(?!\d)[^\n]*|'(?:[^'\\]|\\.|'')*'?|"(?:[^"\\]|\\.|"")*"?|`(?:[^`\\]|\\.|``)*`?""",
    re.DOTALL,
)
_KINDS: Final = {"'": "text", '"': "name", "`": "name"}
_QUOTED: Final = {
    quote: re.compile(rf"{quote}(?:[^{quote}\\]|\\.|{quote}{quote})*{quote}", re.DOTALL) for quote in _KINDS
}
_BAD_ESCAPE: Final = re.compile(r"\\(?:[bfrntva0x\\'\"]|(?P<bad>.))", re.DOTALL)
_LET: Final = re.compile(r"\blet\s+\S+\s*$", re.IGNORECASE)
_INSTEAD: Final = {"&": "and", "!": "not", "|": "or"}
_PAIRS: Final = {"(": ")", "[": "]", "{": "}"}
_LONGEST: Final = 40
_LONGEST_MESSAGE: Final = 200


def explain(message: str, source: str, offset: int) -> tuple[str, int]:
    """What to say instead of the parser's message, and where."""
    if message.startswith(_STRAY_BRACE):
        stray, _ = _unpaired(source)
        return "unexpected '}': it closes nothing", offset if stray is None else stray
    if message.startswith(_RULE):
        return _unsupported(message.removeprefix(_RULE), source, offset)
    missing = _MISSING.match(message)
    at_end = not source[offset:].strip()
    if missing and at_end:
        return f"missing {missing[1]} at the end{_left_open(source)}", offset
    if missing:
        return f"missing {missing[1]} before {_token(source, offset)}", offset
    if message.startswith("Unexpected character ") and source[offset : offset + 1] in _INSTEAD:
        return f"{message}; write '{_INSTEAD[source[offset]]}'", offset
    if not message.startswith("missing ") and not _REFUSED.match(message):
        return _cut(message, _LONGEST_MESSAGE), offset
    if at_end:
        return f"unexpected end{_left_open(source)}", offset
    if source[offset] in _QUOTED:
        return _quoted(source, offset)
    expected = _EXPECTED.search(message)
    hint = f", expected {expected[1]}" if expected else ""
    if source[offset] == "=" and _LET.search(source[:offset][-200:]):
        hint = "; a variable gets its value with ':='"
    return f"unexpected {_token(source, offset)}{hint}", offset


def _quoted(source: str, offset: int) -> tuple[str, int]:
    """About a quote that begins no text: either it has no end, or an escape is wrong."""
    quote = source[offset]
    whole = _QUOTED[quote].match(source, offset)
    if whole is None:
        return f"the {_KINDS[quote]} that begins here has no closing {quote}", offset
    for escape in _BAD_ESCAPE.finditer(whole[0]):
        if escape["bad"]:
            return f"unknown escape {escape[0]}; a backslash itself is written \\\\", offset + escape.start()
    return f"unexpected {_token(source, offset)}", offset


def _unsupported(rule: str, source: str, offset: int) -> tuple[str, int]:
    literal = {"ColumnExprDate": ("date", "toDate"), "ColumnExprTimestamp": ("timestamp", "toDateTime")}.get(rule)
    if literal is None:
        return "SQL is not supported here", offset
    word, function = literal
    found = re.search(rf"\b{word}\s*'", source, re.IGNORECASE)
    return f"there is no literal {word} '…'; write {function}('…')", found.start() if found else offset


def _token(source: str, offset: int) -> str:
    quoted = _QUOTED[source[offset]].match(source, offset) if source[offset] in _QUOTED else None
    if quoted:
        return f"{_KINDS[source[offset]]} {_cut(quoted[0], _LONGEST)}"
    match = _TOKEN.match(source, offset)
    assert match is not None
    return f"'{_cut(match[0], _LONGEST)}'"


def _left_open(source: str) -> str:
    """What may be the reason for an early end: a bracket that is still open there."""
    _, opened = _unpaired(source)
    if opened is None:
        return ""
    line = source.count("\n", 0, opened) + 1
    return f": '{source[opened]}' in line {line} is not closed"


def _unpaired(source: str) -> tuple[int | None, int | None]:
    """The first bracket that closes nothing, and the last that is not closed; with `f'…'` around, neither is known."""
    opened: list[int] = []
    position = 0
    while position < len(source):
        skipped = _SKIPPED.match(source, position)
        char = source[position]
        if skipped and char == "'" and source[position - 1 : position] in ("f", "F"):
            return None, None
        if char in _PAIRS:
            opened.append(position)
        elif char in _PAIRS.values():
            if not opened or _PAIRS[source[opened[-1]]] != char:
                return position, None
            opened.pop()
        position = skipped.end() if skipped else position + 1
    return None, opened[-1] if opened else None


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "…"

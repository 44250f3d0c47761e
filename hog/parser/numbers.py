"""Numbers, as one token or as several: `1.5` is three, so that `t.1.5` can be two members."""

from typing import Final

from hog.errors import HogCompileError
from hog.parser.tokens import Tokens
from hog.runtime.limits import MAX_DIGITS

_DIGITS: Final = ("integer", "octal")
_WORDS: Final = {"inf": "inf", "infinity": "inf", "nan": "nan"}


def is_number(tokens: Tokens, at: int) -> bool:
    """Whether a number begins there."""
    kind = tokens.kinds[at]
    if kind == ".":
        return tokens.kinds[at + 1] in _DIGITS
    return kind in _DIGITS or kind == "number" or kind in _WORDS


def number(tokens: Tokens, sign: str) -> int | float:
    """The number that begins with the next token; `sign` stands before it."""
    at = tokens.at
    kind, text = tokens.kinds[at], tokens.texts[at]
    tokens.at += 1
    if kind == ".":
        tokens.at += 1
        return float(f"{sign}.{tokens.texts[at + 1]}")
    if kind in _WORDS:
        return float(sign + _WORDS[kind])
    if kind == "number":
        return _special(tokens, sign, text, at)
    if kind == "integer" and tokens.kinds[at + 1] == ".":
        if tokens.kinds[at + 2] in _DIGITS:
            tokens.at += 2
            return float(f"{sign}{text}.{tokens.texts[at + 2]}")
        if not tokens.member_follows(at + 1):
            tokens.at += 1
            return float(sign + text)
    return _whole(tokens, sign + text, 10, at)


def _special(tokens: Tokens, sign: str, text: str, at: int) -> int | float:
    prefix = text[:2].lower()
    if prefix == "0x" and "p" in text.lower():
        try:
            return float.fromhex(sign + text)
        except OverflowError:
            return float(sign + "inf")
    if prefix in ("0x", "0b"):
        return _whole(tokens, sign + text[2:], 16 if prefix == "0x" else 2, at)
    return float(sign + text)


def _whole(tokens: Tokens, text: str, base: int, at: int) -> int:
    if len(text) > MAX_DIGITS:
        place = tokens.places[at]
        message = f"a number has more than {MAX_DIGITS} digits"
        raise HogCompileError(message, place.line, place.column + 1, tokens.source)
    return int(text, base)

"""`like` and regular expressions, both on RE2 alone: no pattern takes more than linear time.

Linear in the text, that is. In the worst case each character meets every state of the pattern, so it is the product
of both that is bounded. Compiled patterns are kept, up to a bound.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import re2

from hog.runtime.errors import Failure, LimitFailure
from hog.runtime.limits import SMALL, check_text, reserve, spend
from hog.runtime.text import to_string
from hog.runtime.truth import truthy

MAX_PATTERN: Final = 10_000
"""Characters of one pattern."""
MAX_REPLACED: Final = 16_384
"""Characters of a text in which matches are replaced: each match may look at all that is left of it."""
_GROUP: Final = re.compile(r"\\\d")
_MAX_MEMORY_BYTES: Final = 2 * 1024 * 1024
_KEPT: Final = 512
"""Patterns that are kept."""
_MAX_KEPT_INSTRUCTIONS: Final = 4_000_000
"""The same in instructions of their programs, of which usual patterns have some fifty."""
_MAX_WORK: Final = 60_000_000
"""States times bytes of one search. Measured: `[ab]*a[ab]{900}c` takes 5 ns for each, so this is 0.3 s."""
_UNCOUNTED_WORK: Final = 2048
_COMPILE_UNITS: Final = 20_000
_FEW_STATES: Final = 400
"""Of a pattern without repetitions so many states never meet: its automaton has room in the memory of a pattern."""
_PLAIN: Final = re.compile(r"(?:[^\\.*+?{}\[\]]|\\[^a-zA-Z0-9])*")
_WILD: Final = re.compile(r"[%_]|[^%_]+")
_WILDCARDS: Final = {"%": ".*", "_": "."}

_ANYWHERE: Final = re2._Anchor.UNANCHORED
_NO_SPAN: Final = (-1, -1)
Finder = Callable[[str], bool]
Search = Callable[[str], Any]


@lru_cache(maxsize=_KEPT)
def compiled(pattern: str, ignore_case: bool = False) -> Any:
    """The compiled pattern; a bad one is a `Failure` that says what is wrong with it."""
    _check_length("a regular expression", pattern)
    spend(_COMPILE_UNITS)
    reserve(_MAX_MEMORY_BYTES)
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not ignore_case
    options.max_mem = _MAX_MEMORY_BYTES
    try:
        regex = re2.compile(pattern, options)
        _make_room(regex.programsize)
        return regex
    except (re2.error, UnicodeEncodeError) as error:
        raise Failure(f"bad regular expression '{pattern}': {_reason(error)}") from None


@lru_cache(maxsize=_KEPT)
def search_of(pattern: str, ignore_case: bool = False) -> Search:
    """What searches a text for the pattern. Of the match that it gives, the groups are bytes."""
    regex = compiled(pattern, ignore_case)
    return _counted(regex.search, regex, _PLAIN.fullmatch(pattern) is not None)


_kept_instructions = 0


def _make_room(instructions: int) -> None:
    """Forget all patterns when those that were kept have become large: 512 of the largest would be a gigabyte."""
    global _kept_instructions
    _kept_instructions += instructions
    if _kept_instructions > _MAX_KEPT_INSTRUCTIONS:
        _kept_instructions = instructions
        for kept in (compiled, search_of, finder, like_finder):
            kept.cache_clear()


def _test(regex: Any, plain: bool) -> Finder:
    """What tells whether a text has a match. Making the library's match object takes twice as long as the search."""
    spans_of = regex._regexp.Match

    def test(data: bytes) -> bool:
        return bool(spans_of(_ANYWHERE, data, 0, len(data))[0] != _NO_SPAN)

    return _counted(test, regex, plain)


def _counted(search: Callable[[bytes], Any], regex: Any, plain: bool) -> Search:
    # Bytes, not text: for a text the library turns all offsets back into characters, which costs more than the search.
    states = regex.programsize
    if plain and states <= _FEW_STATES:
        states = 1
    uncounted = min(SMALL, _UNCOUNTED_WORK // states)

    def counted(text: str) -> Any:
        if len(text) > SMALL:
            reserve(len(text))
        data = text.encode()
        if len(data) > uncounted:
            _count(len(data), states)
        return search(data)

    return counted


def _count(length: int, states: int) -> None:
    work = length * states
    if work > _MAX_WORK:
        raise LimitFailure(
            f"this pattern is too costly for a text of {length} bytes; up to {_MAX_WORK // states} it could be searched"
        )
    spend(work // 16)


@lru_cache(maxsize=_KEPT)
def finder(pattern: str, ignore_case: bool = False) -> Finder:
    """What tells whether the pattern is found in a text. Nothing is found in, or by, an empty text."""
    if pattern == "":
        return lambda text: False
    test = _test(compiled(pattern, ignore_case), _PLAIN.fullmatch(pattern) is not None)
    return lambda text: text != "" and test(text)


@lru_cache(maxsize=_KEPT)
def like_finder(pattern: str, ignore_case: bool = False) -> Finder:
    """What tells whether a `like` pattern occurs in a text: `%` is any run within a line, `_` any one character."""
    _check_length("a pattern", pattern)
    part = pattern.strip("%")
    literal = _is_literal(part)
    if literal and not ignore_case:
        return lambda text: text_contains(text, part)
    test = _test(compiled(_like_regex(part), ignore_case), "_" not in part)
    if literal and part.isascii():
        lower = part.lower()
        # Outside of ASCII there are letters that lower to one of it, or to two.
        return lambda text: lower in text.lower() if len(text) <= SMALL and text.isascii() else test(text)
    return test


def instructions_of(pattern: str, ignore_case: bool, like: bool) -> int:
    """How large the compiled pattern is: some 0.4 microseconds and 6 bytes for each of its instructions."""
    part = pattern.strip("%")
    if like and not ignore_case and _is_literal(part):
        return 0
    size: int = compiled(_like_regex(part) if like else pattern, ignore_case).programsize
    return size


def _is_literal(part: str) -> bool:
    return "%" not in part and "_" not in part


def _like_regex(part: str) -> str:
    return _WILD.sub(lambda match: _WILDCARDS.get(match[0]) or re2.escape(match[0]), part)


def text_contains(text: str, part: str) -> bool:
    """`part in text`."""
    if len(text) > SMALL:
        spend(len(text) // 16)
    return part in text


def found(text: Any, pattern: Any, ignore_case: bool = False) -> bool:
    """`text =~ pattern`."""
    return truthy(text) and truthy(pattern) and finder(to_string(pattern), ignore_case)(to_string(text))


def like(text: Any, pattern: Any, ignore_case: bool = False) -> bool:
    """`text like pattern`."""
    return like_finder(to_string(pattern), ignore_case)(to_string(text))


def replaced_all(text: str, pattern: str, replacement: str) -> str:
    """The text with the replacement, in which `\\1` is the first group, for all that the pattern matches."""
    if len(text) > MAX_REPLACED:
        raise LimitFailure(f"a text of {len(text)} characters is too long; up to {MAX_REPLACED} are replaced in")
    regex = compiled(pattern)
    _check_length("a replacement", replacement)
    groups = len(_GROUP.findall(replacement))
    check_text((len(text) + 1) * len(replacement) + len(text) * groups)
    _count(len(text.encode()), regex.programsize)
    try:
        return str(regex.sub(replacement, text))
    except (re2.error, IndexError):
        raise Failure(f"bad replacement '{replacement}': the pattern has {regex.groups} groups") from None


def _check_length(what: str, pattern: str) -> None:
    if len(pattern) > MAX_PATTERN:
        raise LimitFailure(f"{what} of {len(pattern)} characters is too long; at most {MAX_PATTERN} are allowed")


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else "it cannot be compiled"
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)

"""Text functions. Positions count from 1, lengths count characters; null in is null out."""

from typing import Any, Final

from hog.runtime.limits import SMALL, check_items, check_text, reserve, spend
from hog.runtime.patterns import compiled, found, like, replaced_all, search_of, text_contains
from hog.runtime.text import to_string
from hog.stdlib.arguments import PER_UNIT, copied_of, cut_of, is_array, items_of, string_of, text_of, walked
from hog.stdlib.registry import function

_SHORT: Final = 1024
_PIECE_BYTES: Final = 64
"""A text beside its characters, and its place in an array."""


@function(
    "length", 1, ("length('abc')", "3"), ("length([1, 2])", "2"), ("length({'a': 1})", "1"), ("length(null)", "null")
)
def length(value: Any) -> int | None:
    """How many characters a text has, or items a container; null for anything else."""
    return len(value) if isinstance(value, (str, list, tuple, dict)) else None


@function("lower", 1, ("lower('AbC')", "'abc'"), ("lower(null)", "null"))
def lower(text: Any) -> str | None:
    """The text in lower case."""
    return None if text is None else _cased_of("lower", text).lower()


@function("upper", 1, ("upper('AbC')", "'ABC'"), ("upper('straße')", "'STRASSE'"))
def upper(text: Any) -> str | None:
    """The text in upper case."""
    return None if text is None else _cased_of("upper", text).upper()


@function("reverse", 1, ("reverse('abc')", "'cba'"), ("reverse([1, 2])", "[2, 1]"), ("reverse(null)", "null"))
def reverse(value: Any) -> Any:
    """The text or array from its end to its start."""
    if value is None:
        return None
    return list(items_of(value)[::-1]) if is_array(value) else copied_of("reverse", value)[::-1]


@function("trim", (1, 2), ("trim('  a ')", "'a'"), ("trim('--a-', '-')", "'a'"), ("trim('a', 'ab')", "''"))
def trim(text: Any, char: Any = " ") -> str | None:
    """The text without blanks, or without one given character, at both ends."""
    return trim_left(trim_right(text, char), char)


@function("trimLeft", (1, 2), ("trimLeft('  a ')", "'a '"), ("trimLeft('00120', '0')", "'120'"))
def trim_left(text: Any, char: Any = " ") -> str | None:
    """The text without blanks, or without one given character, at its start."""
    if text is None:
        return None
    text = copied_of("trimLeft", text)
    stripped = _stripped(char)
    return "" if stripped is None else text.lstrip(stripped)


@function("trimRight", (1, 2), ("trimRight('  a ')", "'  a'"), ("trimRight('a//', '/')", "'a'"))
def trim_right(text: Any, char: Any = " ") -> str | None:
    """The text without blanks, or without one given character, at its end."""
    if text is None:
        return None
    text = copied_of("trimRight", text)
    stripped = _stripped(char)
    return "" if stripped is None else text.rstrip(stripped)


@function(
    "splitByString",
    (2, 3),
    ("splitByString(',', 'a,b')", "['a', 'b']"),
    ("splitByString('-', 'a-b-c', 2)", "['a', 'b']"),
    ("splitByString('', 'abc')", "['a', 'b', 'c']"),
    leaps=True,
)
def split_by_string(separator: Any, text: Any, most: Any = None) -> list[str] | None:
    """The pieces of a text between separators; with a maximum, the pieces beyond it are dropped."""
    if text is None:
        return None
    whole, separator = text_of("splitByString", text), string_of(separator)
    count = whole.count(separator) + 1 if separator else len(whole)
    if most is not None:
        limit = cut_of("splitByString", most)
        count = count if limit < 0 else min(count, limit)
    check_items(count)
    if count > SMALL:
        spend(count * 2)
        reserve(count * _PIECE_BYTES + len(whole))
    if separator:
        return whole.split(separator, count)[:count]
    return list(whole[:count])


@function("replaceOne", 3, ("replaceOne('aa', 'a', 'b')", "'ba'"), ("replaceOne('a', 'a', '$&')", "'$&'"))
def replace_one(text: Any, old: Any, new: Any) -> str | None:
    """The text with the first occurrence of a text replaced."""
    return _replaced("replaceOne", text, old, new, 1)


@function("replaceAll", 3, ("replaceAll('a.a', '.', '-')", "'a-a'"), ("replaceAll(null, 'a', 'b')", "null"), leaps=True)
def replace_all(text: Any, old: Any, new: Any) -> str | None:
    """The text with every occurrence of a text replaced."""
    return _replaced("replaceAll", text, old, new, -1)


@function(
    "position", (2, 3), ("position('abc', 'c')", "3"), ("position('abc', 'x')", "0"), ("position('abc', '')", "1")
)
def position(text: Any, part: Any, start: Any = None) -> int:
    """Where a text first occurs in another, 0 when it does not."""
    return text_of("position", text).find(to_string(part)) + 1 if isinstance(text, str) else 0


@function("positionCaseInsensitive", (2, 3), ("positionCaseInsensitive('abC', 'c')", "3"))
def position_case_insensitive(text: Any, part: Any, start: Any = None) -> int:
    """Where a text first occurs in another, upper and lower case being equal; 0 when it does not."""
    if not isinstance(text, str):
        return 0
    return _cased_of("position", text).lower().find(_cased_of("position", to_string(part)).lower()) + 1


@function(
    "substring",
    (2, 3),
    ("substring('abcdef', 2, 3)", "'bcd'"),
    ("substring('abc', 2)", "'bc'"),
    ("substring('abc', 0)", "''"),
)
def substring(text: Any, start: Any, count: Any = None) -> str:
    """Part of a text, from a position, up to a number of characters; empty when that is outside the text."""
    if not isinstance(text, str):
        return ""
    first = cut_of("substring", start)
    most = len(text) if count is None else cut_of("substring", count)
    if first < 1 or most < 0:
        return ""
    most = min(most, len(text))
    check_text(most)
    if most > SMALL:
        spend(most // PER_UNIT)
    return text[first - 1 : first - 1 + most]


@function("startsWith", 2, ("startsWith('abc', 'ab')", "true"), ("startsWith(null, 'a')", "false"))
def starts_with(text: Any, prefix: Any) -> bool:
    """Whether a text starts with another; false unless both are text."""
    return isinstance(text, str) and isinstance(prefix, str) and text.startswith(text_of("startsWith", prefix))


@function(
    "like", 2, ("like('hello', 'h%o')", "true"), ("like('hello', 'ell')", "true"), ("like('a%', 'a\\\\%')", "false")
)
def like_(text: Any, pattern: Any) -> bool:
    """Whether the pattern occurs in the text: `%` is any run of characters, `_` any one."""
    return like(text, pattern)


@function("ilike", 2, ("ilike('HELLO', 'ell')", "true"))
def ilike(text: Any, pattern: Any) -> bool:
    """As `like`, upper and lower case being equal."""
    return like(text, pattern, True)


@function("notLike", 2, ("notLike('hello', 'x')", "true"))
def not_like(text: Any, pattern: Any) -> bool:
    """Whether the pattern does not occur in the text."""
    return not like(text, pattern)


@function("notILike", 2, ("notILike('HELLO', 'h_l')", "false"))
def not_ilike(text: Any, pattern: Any) -> bool:
    """As `notLike`, upper and lower case being equal."""
    return not like(text, pattern, True)


@function(
    "match", 2, ("match('order-42', '\\\\d+')", "true"), ("match(null, 'a')", "false"), ("match('A', '(?i)a')", "true")
)
def match(text: Any, pattern: Any) -> bool:
    """Whether the regular expression (RE2) is found in the text."""
    return found(text, pattern)


@function("extractRegex", 2, ("extractRegex('order-42', '([a-z]+)-')", "'order'"), ("extractRegex('a', '\\\\d')", "''"))
def extract_regex(text: Any, pattern: Any) -> str:
    """What the first group of the regular expression (RE2), or all of it, matches; empty when it does not."""
    if text is None or pattern is None:
        return ""
    pattern = to_string(pattern)
    result = search_of(pattern)(to_string(text))
    if result is None:
        return ""
    found_bytes: bytes = result.group(1 if compiled(pattern).groups else 0) or b""
    return found_bytes.decode()


@function(
    "replaceRegexpAll",
    3,
    ("replaceRegexpAll('/users/42/edit', '\\\\d+', ':id')", "'/users/:id/edit'"),
    ("replaceRegexpAll('a-b', '(a)-(b)', '\\\\2-\\\\1')", "'b-a'"),
    ("replaceRegexpAll(null, 'a', 'b')", "null"),
)
def replace_regexp_all(text: Any, pattern: Any, replacement: Any) -> str | None:
    r"""The text with all that the regular expression (RE2) matches replaced; `\1` is its first group."""
    if text is None:
        return None
    return replaced_all(to_string(text), to_string(pattern), to_string(replacement))


@function(
    "multiSearchAnyCaseInsensitive",
    2,
    ("multiSearchAnyCaseInsensitive('ABC', ['x', 'bc'])", "1"),
    ("multiSearchAnyCaseInsensitive('ABC', 'a')", "0"),
)
def multi_search_any_case_insensitive(text: Any, parts: Any) -> int:
    """1 when any of the texts occurs in the first, upper and lower case being equal; else 0."""
    if text is None or not is_array(parts):
        return 0
    name = "multiSearchAnyCaseInsensitive"
    lowered = _cased_of(name, to_string(text)).lower()
    return int(any(text_contains(lowered, _cased_of(name, to_string(part)).lower()) for part in walked(parts)))


def _stripped(char: Any) -> str | None:
    """The characters to strip; None where the whole text goes, as it does for anything but one character."""
    if not isinstance(char, str):
        return " "
    return char if len(char) == 1 else None


def _cased_of(name: str, value: Any) -> str:
    """The text, for changing its case: a few letters become two or three when they change."""
    text = text_of(name, value)
    if len(text) > _SHORT:
        spend(len(text) // 4)
        reserve(len(text) if text.isascii() else 3 * len(text))
    return text


def _replaced(name: str, text: Any, old: Any, new: Any, most: int) -> str | None:
    if text is None:
        return None
    text, old, new = text_of(name, text), string_of(old), string_of(new)
    count = text.count(old) if most < 0 else min(most, text.count(old))
    length = len(text) + count * (len(new) - len(old))
    check_text(length)
    if length > SMALL:
        spend(length // PER_UNIT + count)
    replaced: str = text.replace(old, new, most)
    return replaced

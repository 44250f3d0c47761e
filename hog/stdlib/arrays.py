"""Arrays and dictionaries. Nothing changes its argument; what is no array counts as an empty one."""

import re
from typing import Any, Final

from hog.runtime import compare
from hog.runtime.errors import LimitFailure
from hog.runtime.limits import FEW, SMALL, check_items, check_text, reserve, spend
from hog.runtime.text import to_string, to_text
from hog.stdlib.arguments import PER_UNIT, cut_of, is_array, items_of, string_of, texts_of
from hog.stdlib.registry import function

_VERSION: Final = re.compile(r"(?<!\d)\d++(?:\.\d++)+", re.ASCII)
"""Begins at the first digit of a number only, or a long number would be tried from each of its digits."""
_NUMBER_BYTES: Final = 40
"""A number and its place in an array."""
_MAX_COMPARED: Final = 4_000_000_000
"""Characters that sorting may compare: some 0.3 s."""


@function("arrayPushBack", 2, ("arrayPushBack([1], 2)", "[1, 2]"), ("arrayPushBack(null, 2)", "[2]"))
def array_push_back(items: Any, item: Any) -> list[Any]:
    """The array with one more item at its end."""
    return [*items_of(items, 1), item]


@function("arrayPushFront", 2, ("arrayPushFront([1], 2)", "[2, 1]"), ("arrayPushFront((1, 3), 2)", "[2, 1, 3]"))
def array_push_front(items: Any, item: Any) -> list[Any]:
    """The array with one more item at its start."""
    return [item, *items_of(items, 1)]


@function("arrayPopBack", 1, ("arrayPopBack([1, 2])", "[1]"), ("arrayPopBack([])", "[]"))
def array_pop_back(items: Any) -> list[Any]:
    """The array without its last item."""
    return list(items_of(items)[:-1])


@function("arrayPopFront", 1, ("arrayPopFront([1, 2])", "[2]"), ("arrayPopFront(null)", "[]"))
def array_pop_front(items: Any) -> list[Any]:
    """The array without its first item."""
    return list(items_of(items)[1:])


@function("arrayReverse", 1, ("arrayReverse([1, 2])", "[2, 1]"), ("arrayReverse('ab')", "[]"))
def array_reverse(items: Any) -> list[Any]:
    """The array from its end to its start."""
    return list(items_of(items)[::-1])


@function(
    "arraySort",
    (1, None),
    ("arraySort([10, 9, 1])", "[1, 9, 10]"),
    ("arraySort(['b', 'a'])", "['a', 'b']"),
    ("arraySort([10, '9', null])", "[10, '9', null]"),
)
def array_sort(items: Any, *ignored: Any) -> list[Any]:
    """The array in order: numbers by size, anything else by its text."""
    array = items_of(items)
    if len(array) > FEW:
        spend(len(array) * len(array).bit_length() // 2)
    if all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in array):
        return sorted(array)
    texts = texts_of(array, to_string)
    if sum(map(len, texts)) * len(texts).bit_length() > _MAX_COMPARED:
        raise LimitFailure("sorting such long texts would take too long")
    return [array[index] for index in sorted(range(len(texts)), key=texts.__getitem__)]


@function(
    "arrayReverseSort",
    (1, None),
    ("arrayReverseSort([10, 9, 1])", "[10, 9, 1]"),
    ("arrayReverseSort(['a', 'b'])", "['b', 'a']"),
)
def array_reverse_sort(items: Any, *ignored: Any) -> list[Any]:
    """The array in falling order."""
    return array_sort(items)[::-1]


@function(
    "arrayStringConcat",
    (1, 2),
    ("arrayStringConcat([1, null, 'a'], '-')", "'1--a'"),
    ("arrayStringConcat(['a', 'b'])", "'ab'"),
    ("arrayStringConcat('ab', '-')", "''"),
    leaps=True,
)
def array_string_concat(items: Any, separator: Any = "") -> str:
    """The items as one text, with a separator between them; null adds nothing."""
    between, texts = to_text(separator), texts_of(items_of(items))
    length = sum(map(len, texts)) + len(between) * len(texts)
    check_text(length)
    if length > SMALL:
        spend(length // PER_UNIT)
    return between.join(texts)


@function("has", 2, ("has([1, 2], 2)", "true"), ("has([1], '1')", "false"), ("has('abc', 'a')", "false"))
def has(items: Any, item: Any) -> bool:
    """Whether the item is in the array; a text is not a number that reads alike."""
    return is_array(items) and compare.member(item, items)


@function("indexOf", 2, ("indexOf(['a', 'b'], 'b')", "2"), ("indexOf([1], 2)", "0"), ("indexOf('abc', 'a')", "0"))
def index_of(items: Any, item: Any) -> int:
    """Where the item is in the array, 0 when it is not."""
    return compare.position(item, items) if is_array(items) else 0


@function(
    "range",
    (1, 2),
    ("range(3)", "[0, 1, 2]"),
    ("range(2, 4)", "[2, 3]"),
    ("range(4, 2)", "[]"),
    leaps=True,
)
def range_(first: Any, end: Any = None) -> list[int]:
    """The whole numbers from 0, or from the first, up to but not including the last."""
    start, stop = (0, first) if end is None else (first, end)
    return _numbers(cut_of("range", start), cut_of("range", stop))


@function("keys", 1, ("keys({'a': 1})", "['a']"), ("keys(['x', 'y'])", "[0, 1]"), ("keys(null)", "[]"), leaps=True)
def keys(holder: Any) -> list[Any]:
    """The keys of a dictionary, or the indexes of an array from 0."""
    if not isinstance(holder, dict):
        return _numbers(0, len(items_of(holder)))
    _count_dictionary(holder)
    return list(holder)


@function("values", 1, ("values({'a': 1})", "[1]"), ("values((1, 2))", "[1, 2]"), ("values('ab')", "[]"))
def values(holder: Any) -> list[Any]:
    """The values of a dictionary, or the items of an array."""
    if not isinstance(holder, dict):
        return list(items_of(holder))
    _count_dictionary(holder)
    return list(holder.values())


@function("tuple", (0, None), ("tuple(1, 2)", "(1, 2)"), ("tuple(1)", "tuple(1)"), ("tuple()", "tuple()"))
def tuple_(*items: Any) -> tuple[Any, ...]:
    """A tuple of the arguments."""
    return items


@function(
    "sortableSemver",
    1,
    ("sortableSemver('v1.12.3-rc')", "[1, 12, 3]"),
    ("sortableSemver('v7')", "[]"),
    ("sortableSemver('1.9') < sortableSemver('1.10')", "true"),
    exact=True,
)
def sortable_semver(version: Any) -> list[int]:
    """The numbers of the first version in a text, as an array that orders as versions do."""
    match = _VERSION.search(string_of(version)[:1000])
    return [int(part) for part in match[0].split(".")] if match else []


def _numbers(start: int, stop: int) -> list[int]:
    count = stop - start
    check_items(count)
    if count > SMALL:
        spend(count)
        reserve(count * _NUMBER_BYTES)
    return list(range(start, stop))


def _count_dictionary(holder: dict[Any, Any]) -> None:
    if len(holder) > SMALL:
        spend(len(holder) // PER_UNIT)
        check_items(len(holder))

"""Arrays and dictionaries. Nothing changes its argument; what is no array counts as an empty one."""

import re
from typing import Any, Final

from hog.runtime import compare
from hog.runtime.calls import callback
from hog.runtime.concat import join
from hog.runtime.limits import check_items
from hog.runtime.text import to_string, to_text
from hog.runtime.truth import truthy
from hog.stdlib.arguments import is_array, whole_of
from hog.stdlib.registry import function

_VERSION: Final = re.compile(r"\d+(?:\.\d+)+", re.ASCII)


@function("arrayPushBack", 2, ("arrayPushBack([1], 2)", "[1, 2]"))
def array_push_back(items: Any, item: Any) -> list[Any]:
    """The array with one more item at its end."""
    return [*_array(items), item]


@function("arrayPushFront", 2, ("arrayPushFront([1], 2)", "[2, 1]"))
def array_push_front(items: Any, item: Any) -> list[Any]:
    """The array with one more item at its start."""
    return [item, *_array(items)]


@function("arrayPopBack", 1, ("arrayPopBack([1, 2])", "[1]"))
def array_pop_back(items: Any) -> list[Any]:
    """The array without its last item."""
    return _array(items)[:-1]


@function("arrayPopFront", 1, ("arrayPopFront([1, 2])", "[2]"))
def array_pop_front(items: Any) -> list[Any]:
    """The array without its first item."""
    return _array(items)[1:]


@function("arrayReverse", 1, ("arrayReverse([1, 2])", "[2, 1]"))
def array_reverse(items: Any) -> list[Any]:
    """The array from its end to its start."""
    return _array(items)[::-1]


@function("arraySort", (1, None), ("arraySort([10, 9, 1])", "[1, 9, 10]"), ("arraySort(['b', 'a'])", "['a', 'b']"))
def array_sort(items: Any, *ignored: Any) -> list[Any]:
    """The array in order: numbers by size, anything else by its text."""
    array = _array(items)
    numeric = all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in array)
    return sorted(array) if numeric else sorted(array, key=to_text)


@function("arrayReverseSort", (1, None), ("arrayReverseSort([10, 9, 1])", "[10, 9, 1]"))
def array_reverse_sort(items: Any, *ignored: Any) -> list[Any]:
    """The array in falling order."""
    return array_sort(items)[::-1]


@function("arrayStringConcat", (1, 2), ("arrayStringConcat([1, null, 'a'], '-')", "'1--a'"))
def array_string_concat(items: Any, separator: Any = "") -> str:
    """The items as one text, with a separator between them."""
    between = to_text(separator)
    parts: list[str] = []
    for position, item in enumerate(_array(items)):
        parts.extend((between, to_text(item)) if position else (to_text(item),))
    return join(tuple(parts))


@function("has", 2, ("has([1, 2], 2)", "true"), ("has([1], '1')", "false"))
def has(items: Any, item: Any) -> bool:
    """Whether the item is in the array."""
    return is_array(items) and compare.member(item, items)


@function("indexOf", 2, ("indexOf(['a', 'b'], 'b')", "2"), ("indexOf([1], 2)", "0"))
def index_of(items: Any, item: Any) -> int:
    """Where the item is in the array, 0 when it is not."""
    return next((index for index, other in enumerate(_array(items), 1) if compare.same(item, other)), 0)


@function("range", (1, 2), ("range(3)", "[0, 1, 2]"), ("range(2, 4)", "[2, 3]"))
def range_(first: Any, end: Any = None) -> list[int]:
    """The whole numbers from 0, or from the first, up to but not including the last."""
    start, stop = (0, first) if end is None else (first, end)
    start, stop = whole_of("range", start), whole_of("range", stop)
    check_items(stop - start)
    return list(range(start, stop))


@function("keys", 1, ("keys({'a': 1})", "['a']"), ("keys(['x', 'y'])", "[0, 1]"))
def keys(holder: Any) -> list[Any]:
    """The keys of a dictionary, or the indexes of an array from 0."""
    return list(holder) if isinstance(holder, dict) else list(range(len(_array(holder))))


@function("values", 1, ("values({'a': 1})", "[1]"))
def values(holder: Any) -> list[Any]:
    """The values of a dictionary, or the items of an array."""
    return list(holder.values()) if isinstance(holder, dict) else _array(holder)


@function("tuple", (0, None), ("tuple(1, 2)", "(1, 2)"), ("tuple()", "tuple()"))
def tuple_(*items: Any) -> tuple[Any, ...]:
    """A tuple of the arguments."""
    return items


@function("arrayMap", 2, ("arrayMap(x -> x * 2, [1, 2])", "[2, 4]"))
def array_map(change: Any, items: Any) -> list[Any]:
    """The results of calling the function with each item."""
    call = callback(change, 1)
    return [call(item) for item in values(items)]


@function("arrayFilter", 2, ("arrayFilter(x -> x > 1, [1, 2])", "[2]"))
def array_filter(condition: Any, items: Any) -> list[Any]:
    """The items for which the function gives what counts as true."""
    call = callback(condition, 1)
    return [item for item in values(items) if truthy(call(item))]


@function("arrayExists", 2, ("arrayExists(x -> x > 1, [1, 2])", "true"))
def array_exists(condition: Any, items: Any) -> bool:
    """Whether the function gives what counts as true for any item."""
    call = callback(condition, 1)
    return any(truthy(call(item)) for item in values(items))


@function("arrayCount", 2, ("arrayCount(x -> x > 1, [1, 2, 3])", "2"))
def array_count(condition: Any, items: Any) -> int:
    """For how many items the function gives what counts as true."""
    call = callback(condition, 1)
    return sum(truthy(call(item)) for item in values(items))


@function("arrayReduce", 3, ("arrayReduce((sum, x) -> sum + x, [1, 2, 3], 0)", "6"))
def array_reduce(combine: Any, items: Any, start: Any) -> Any:
    """The result of calling the function with the result so far and each item in turn."""
    call = callback(combine, 2)
    result = start
    for item in values(items):
        result = call(result, item)
    return result


@function("sortableSemver", 1, ("sortableSemver('v1.12.3-rc')", "[1, 12, 3]"))
def sortable_semver(version: Any) -> list[int]:
    """The numbers of the first version in a text, as an array that orders as versions do."""
    match = _VERSION.search(to_string(version)[:1000])
    return [int(part) for part in match[0].split(".")] if match else []


def _array(items: Any) -> list[Any]:
    return list(items) if is_array(items) else []

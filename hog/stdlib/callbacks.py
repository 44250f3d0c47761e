"""Functions that call a function for each item of an array, or each value of a dictionary. The function comes first."""

from typing import Any

from hog.runtime.calls import callback
from hog.runtime.truth import truthy
from hog.stdlib.arguments import walked
from hog.stdlib.arrays import values
from hog.stdlib.registry import function


@function(
    "arrayMap",
    2,
    ("arrayMap(x -> x * 2, [1, 2])", "[2, 4]"),
    ("arrayMap(upper, ['a', 'b'])", "['A', 'B']"),
    ("arrayMap(x -> x, {'a': 1})", "[1]"),
    ("arrayMap(x -> x, null)", "[]"),
    leaps=True,
    exact=True,
)
def array_map(change: Any, items: Any) -> list[Any]:
    """The results of calling the function with each item."""
    call = callback(change, 1)
    results: list[Any] = []
    for item in walked(values(items)):
        # One by one, not in a comprehension: what `results` holds is seen when memory is counted.
        results.append(call(item))  # noqa: PERF401
    return results


@function(
    "arrayFilter",
    2,
    ("arrayFilter(x -> x > 1, [1, 2])", "[2]"),
    ("arrayFilter(x -> x, [0, 1, '', null, []])", "[1, []]"),
    leaps=True,
    exact=True,
)
def array_filter(condition: Any, items: Any) -> list[Any]:
    """The items for which the function gives what counts as true."""
    call = callback(condition, 1)
    return [item for item in walked(values(items)) if truthy(call(item))]


@function(
    "arrayExists",
    2,
    ("arrayExists(x -> x > 1, [1, 2])", "true"),
    ("arrayExists(x -> x > 1, [])", "false"),
    leaps=True,
    exact=True,
)
def array_exists(condition: Any, items: Any) -> bool:
    """Whether the function gives what counts as true for any item; it is not called for those behind that one."""
    call = callback(condition, 1)
    return any(truthy(call(item)) for item in walked(values(items)))


@function("arrayCount", 2, ("arrayCount(x -> x > 1, [1, 2, 3])", "2"), leaps=True, exact=True)
def array_count(condition: Any, items: Any) -> int:
    """For how many items the function gives what counts as true."""
    call = callback(condition, 1)
    return sum(truthy(call(item)) for item in walked(values(items)))


@function(
    "arrayReduce",
    3,
    ("arrayReduce((sum, x) -> sum + x, [1, 2, 3], 0)", "6"),
    ("arrayReduce((longest, x) -> max2(longest, length(x)), ['a', 'abc'], 0)", "3"),
    ("arrayReduce((sum, x) -> sum + x, [], 'start')", "'start'"),
    leaps=True,
    exact=True,
)
def array_reduce(combine: Any, items: Any, start: Any) -> Any:
    """The result of calling the function with the result so far and each item in turn."""
    call = callback(combine, 2)
    result = start
    for item in walked(values(items)):
        result = call(result, item)
    return result

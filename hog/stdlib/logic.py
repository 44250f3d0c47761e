"""Null, conditions and comparisons as functions. The function forms of comparisons do not make types alike."""

from typing import Any

from hog.runtime import compare
from hog.runtime.arithmetic import add, subtract
from hog.runtime.concat import join
from hog.runtime.errors import Failure
from hog.runtime.text import to_string
from hog.runtime.truth import truthy
from hog.stdlib.arguments import is_array
from hog.stdlib.registry import function


@function("isNull", 1, ("isNull(null)", "true"), ("isNull(0)", "false"))
def is_null(value: Any) -> bool:
    """Whether the value is null."""
    return value is None


@function("isNotNull", 1, ("isNotNull('')", "true"))
def is_not_null(value: Any) -> bool:
    """Whether the value is not null."""
    return value is not None


@function("ifNull", 2, ("ifNull(null, 1)", "1"), ("ifNull(0, 1)", "0"))
def if_null(value: Any, default: Any) -> Any:
    """The value, or the default when the value is null."""
    return default if value is None else value


@function("coalesce", (1, None), ("coalesce(null, '', 1)", "''"))
def coalesce(*values: Any) -> Any:
    """The first argument that is not null."""
    return next((value for value in values if value is not None), None)


@function("assumeNotNull", 1, ("assumeNotNull(1)", "1"))
def assume_not_null(value: Any) -> Any:
    """The value; a null ends the evaluation."""
    if value is None:
        raise Failure("Value is null in assumeNotNull")
    return value


@function("empty", 1, ("empty('')", "true"), ("empty([])", "true"), ("empty(null)", "true"), ("empty(0)", "false"))
def empty(value: Any) -> bool:
    """Whether the value is null, an empty text or an empty container; numbers and booleans never are."""
    return value is None or (isinstance(value, (str, list, tuple, dict)) and not value)


@function("notEmpty", 1, ("notEmpty('a')", "true"))
def not_empty(value: Any) -> bool:
    """Whether the value is not empty."""
    return not empty(value)


@function("not", 1, ("not(0)", "true"))
def not_(value: Any) -> bool:
    """True when the value counts as false."""
    return not truthy(value)


@function("and", (1, None), ("and(1, 'a')", "true"))
def and_(*values: Any) -> bool:
    """Whether all arguments count as true."""
    return all(map(truthy, values))


@function("or", (1, None), ("or(0, '')", "false"))
def or_(*values: Any) -> bool:
    """Whether any argument counts as true."""
    return any(map(truthy, values))


@function("if", (2, 3), ("if(1 > 2, 'a', 'b')", "'b'"))
def if_(condition: Any, then: Any, otherwise: Any = None) -> Any:
    """The second argument when the first counts as true, else the third. Only the one that is wanted is evaluated."""
    return then if truthy(condition) else otherwise


@function("multiIf", (2, None), ("multiIf(false, 1, true, 2, 3)", "2"))
def multi_if(*arguments: Any) -> Any:
    """The value behind the first condition that counts as true, else the last argument."""
    for index in range(0, len(arguments) - 1, 2):
        if truthy(arguments[index]):
            return arguments[index + 1]
    return arguments[-1] if len(arguments) % 2 else None


@function("equals", 2, ("equals(1, 1)", "true"), ("equals(1, '1')", "false"))
def equals(left: Any, right: Any) -> bool:
    """Whether both are the same, without making types alike."""
    return compare.same(left, right)


@function("notEquals", 2, ("notEquals(1, '1')", "true"))
def not_equals(left: Any, right: Any) -> bool:
    """Whether they differ, without making types alike."""
    return not compare.same(left, right)


@function("greater", 2, ("greater(2, 1)", "true"))
def greater(left: Any, right: Any) -> bool:
    """Whether the first is greater."""
    return compare.greater(left, right)


@function("greaterOrEquals", 2, ("greaterOrEquals(2, 2)", "true"))
def greater_or_equals(left: Any, right: Any) -> bool:
    """Whether the first is greater or equal."""
    return compare.greater_or_equal(left, right)


@function("less", 2, ("less(1, 2)", "true"))
def less(left: Any, right: Any) -> bool:
    """Whether the first is less."""
    return compare.less(left, right)


@function("lessOrEquals", 2, ("lessOrEquals(3, 2)", "false"))
def less_or_equals(left: Any, right: Any) -> bool:
    """Whether the first is less or equal."""
    return compare.less_or_equal(left, right)


@function("in", 2, ("in(1, [1, 2])", "true"), ("in('a', 'abc')", "false"))
def in_(item: Any, items: Any) -> bool:
    """Whether the item is a member of an array or tuple; false for anything else."""
    return is_array(items) and compare.member(item, items)


@function("plus", 2, ("plus(1, 2)", "3"), ("plus('a', 'b')", "'ab'"))
def plus(left: Any, right: Any) -> Any:
    """The sum; unlike the operator `+` it joins when one side is text."""
    if isinstance(left, str) or isinstance(right, str):
        return join((to_string(left), to_string(right)))
    return add(left, right)


@function("minus", 2, ("minus(3, 2)", "1"))
def minus(left: Any, right: Any) -> Any:
    """The difference."""
    return subtract(left, right)


@function("min2", 2, ("min2(3, 5)", "3"))
def min2(left: Any, right: Any) -> Any:
    """The lesser of two values."""
    return left if compare.less(left, right) else right


@function("max2", 2, ("max2(3, 5)", "5"))
def max2(left: Any, right: Any) -> Any:
    """The greater of two values."""
    return left if compare.greater(left, right) else right

"""The global names of compiled code: these helpers, the library, and of Python's own builtins only some types."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from hog.runtime import access, arithmetic, calls, compare, concat, errors, patterns, text, truth
from hog.stdlib import FUNCTIONS

_BINARY: Final[dict[str, Callable[..., Any]]] = {
    helper.__name__: helper
    for helper in (
        arithmetic.add,
        arithmetic.subtract,
        arithmetic.multiply,
        arithmetic.divide,
        arithmetic.remainder,
        compare.equal,
        compare.not_equal,
        compare.less,
        compare.less_or_equal,
        compare.greater,
        compare.greater_or_equal,
        compare.contains,
        compare.not_contains,
        patterns.found,
        patterns.like,
    )
}


def _reversed(helper: Callable[..., Any]) -> Callable[..., Any]:
    """The helper with its operands swapped: Python evaluates from left to right, the language the right side first."""

    def swapped(right: Any, left: Any, *options: Any) -> Any:
        return helper(left, right, *options)

    return swapped


def _global_or(globals_: Mapping[str, Any], root: str, function: Any) -> Any:
    """A bare name of a library function: a global of that name goes first."""
    return globals_.get(root, function)


def _fail(message: str, *arguments: Any) -> NoReturn:
    """Where the compiler has found out that a call cannot succeed, if the program ever gets there. Its arguments come
    first: they may print.
    """
    raise errors.Failure(message)


NAMESPACE: Final[dict[str, Any]] = {
    "__builtins__": {},
    "type": type,
    "dict": dict,
    "float": float,
    "int": int,
    "str": str,
    **_BINARY,
    **{f"{name}_reversed": _reversed(helper) for name, helper in _BINARY.items()},
    **{f"f_{name}": function.call for name, function in FUNCTIONS.items()},
    "between": compare.between,
    "outside": compare.outside,
    "copied": access.copied,
    "dictionary": access.dictionary,
    "fail": _fail,
    "function_value": calls.function_value,
    "get": access.get,
    "global_or": _global_or,
    "join": concat.join,
    "loop_items": access.loop_items,
    "loop_values": access.loop_values,
    "set_member": access.set_member,
    "thrown": errors.thrown,
    "Thrown": errors.Thrown,
    "to_text": text.to_text,
    "truthy": truth.truthy,
}

"""Ticks for code without loops: ten thousand library calls in one expression take as long as a loop.

Each call of a helper whose time depends on what it is given is counted in the finished syntax. Few of them between two
ticks are what the fences allow for; with more, each one ticks, and the code runs within budgets.
"""

import ast
from collections.abc import Iterable
from typing import Final

from hog.compiler.code import call

MAX_CALLS: Final = 32
"""Calls in a source that need not tick."""
_QUICK: Final = frozenset({"call_value", "fail", "function_value", "global_or", "thrown", "tick", "truthy", "type"})
"""Helpers that always take the same time, or tick themselves."""
_QUICK_WITH_TEXT: Final = frozenset(
    {"equal", "get", "greater", "greater_or_equal", "less", "less_or_equal", "not_equal"}
)
"""The same where one side is a literal text: what these do with it is no more than the literal is long."""


def tick_calls(calls: Iterable[ast.Call]) -> bool:
    """Make each costly call tick, where there are many of them; tells whether there are."""
    costly = [node for node in calls if _costly(node)]
    if len(costly) <= MAX_CALLS:
        return False
    for node in costly:
        # `(tick() or upper)(x)`: a tick gives null.
        ticking = ast.BoolOp(ast.Or(), [call("tick"), node.func])
        for part in (ticking, ticking.values[0], ticking.values[0].func):  # type: ignore[attr-defined]
            ast.copy_location(part, node)
        node.func = ticking
    return True


def _costly(node: ast.Call) -> bool:
    if not isinstance(node.func, ast.Name) or node.func.id in _QUICK:
        return False
    return node.func.id not in _QUICK_WITH_TEXT or not any(map(_is_text, node.args))


def _is_text(argument: ast.expr) -> bool:
    return isinstance(argument, ast.Constant) and isinstance(argument.value, str)

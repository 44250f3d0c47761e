"""One expression or one program to one Python function, with what it reads."""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any, Final

from hog import nodes
from hog.compiler.fencing import tick_calls
from hog.compiler.lowering import Lowering
from hog.compiler.positions import inherit, set_position
from hog.compiler.scopes import Kinds
from hog.compiler.sharing import share_reads
from hog.errors import HogSyntaxError
from hog.names import Chain, Names
from hog.runtime.limits import CODE
from hog.runtime.namespace import NAMESPACE

_FUNCTION: Final = "program"
_ASSIGNS_MEMBER: Final = re.compile(r"(?:\]|\.\s*(?:[\w$]+|`[^`]*`|\"[^\"]*\"))\s*:=")
_START: Final[dict[str, Any]] = {"lineno": 1, "col_offset": 0}
_GLOBALS: Final = "g"
_OF_THE_RUN: Final = ("tick", "call_value")


@dataclass(frozen=True, slots=True)
class Compiled:
    """The function, and what the compiler found out about it."""

    run: Callable[..., Any]
    """Takes the globals; a `fenced` one also the run's `tick` and `call`. It may raise anything that Python can."""
    chains: frozenset[Chain]
    constant: bool
    fenced: bool


def compile_tree(node: nodes.Expr | nodes.Program, names: Names | None, source: str) -> Compiled:
    """Compile an expression, or a program of statements."""
    try:
        # A guess that holds nearly always saves the second time.
        guess = Kinds(copies=_ASSIGNS_MEMBER.search(source) is not None)
        lowering, body = _lowered(node, names, source, guess)
        kinds = lowering.scopes.found_out(copies=lowering.assigns_members)
        if kinds != guess:
            lowering, body = _lowered(node, names, source, kinds)
        calls = [found for statement in body for found in inherit(statement)]
        lowering.fenced = tick_calls(calls) or lowering.fenced
        code = _code(body, lowering)
    except (RecursionError, MemoryError, SyntaxError):
        # SyntaxError: more loops and blocks within each other than Python has room for.
        raise HogSyntaxError("nested too deeply", 1, 1, source) from None
    run = FunctionType(code, NAMESPACE, _FUNCTION, tuple(lowering.objects.values()))
    chains = frozenset(lowering.chains)
    constant = isinstance(node, nodes.Node) and not isinstance(node, nodes.Program) and not chains and lowering.pure
    return Compiled(run, chains, constant, lowering.fenced)


def _lowered(
    node: nodes.Expr | nodes.Program, names: Names | None, source: str, kinds: Kinds
) -> tuple[Lowering, list[ast.stmt]]:
    lowering = Lowering(names, source, kinds)
    if isinstance(node, nodes.Program):
        return lowering, lowering.program(node)
    tree = lowering.expression(node).tree
    if not lowering.before:
        tree = share_reads(tree, lowering)
    return lowering, [*lowering.before, set_position(ast.Return(tree), node)]


def _code(body: list[ast.stmt], lowering: Lowering) -> CodeType:
    """The code object of `def program(g, tick, call_value, k0=…): body`; the objects k0, … are given as defaults."""
    of_the_run = _OF_THE_RUN if lowering.fenced else ()
    parameters = [ast.arg(identifier, **_START) for identifier in (_GLOBALS, *of_the_run, *lowering.objects)]
    arguments = ast.arguments([], parameters, None, [], [], None, [])
    module = ast.Module([ast.FunctionDef(_FUNCTION, arguments, body, [], **_START)], [])
    compiled = compile(module, CODE, "exec", dont_inherit=True, optimize=2)
    return next(item for item in compiled.co_consts if isinstance(item, CodeType))

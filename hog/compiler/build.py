"""One expression to one Python function, with what it reads."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any, Final

from hog import nodes
from hog.compiler.lowering import Lowering
from hog.errors import HogSyntaxError
from hog.names import Chain, Names
from hog.runtime.namespace import NAMESPACE

FILENAME: Final = "<hog>"
_FUNCTION: Final = "program"


@dataclass(frozen=True, slots=True)
class Compiled:
    """The function, and what the compiler found out about it."""

    run: Callable[[Mapping[str, Any]], Any]
    chains: frozenset[Chain]
    constant: bool


def compile_expression(node: nodes.Expr, names: Names | None, source: str) -> Compiled:
    """Compile the expression. The function takes the globals and may raise anything that Python can."""
    lowering = Lowering(names, source)
    try:
        tree = lowering.expression(node).tree
        code = _code(tree, lowering)
    except (RecursionError, MemoryError):
        raise HogSyntaxError("nested too deeply", 1, 1, source) from None
    run = FunctionType(code, NAMESPACE, _FUNCTION, tuple(lowering.objects.values()))
    chains = frozenset(lowering.chains)
    return Compiled(run, chains, constant=not chains and lowering.pure)


def _code(tree: ast.expr, lowering: Lowering) -> CodeType:
    """The code object of `def program(g, k0=…, k1=…): return tree`; the objects k0, k1 are given as defaults."""
    parameters = [ast.arg("g"), *(ast.arg(identifier) for identifier in lowering.objects)]
    arguments = ast.arguments([], parameters, None, [], [], None, [])
    definition = ast.FunctionDef(_FUNCTION, arguments, [ast.Return(tree)], [])
    module = ast.fix_missing_locations(ast.Module([definition], []))
    compiled = compile(module, FILENAME, "exec", dont_inherit=True, optimize=2)
    return next(item for item in compiled.co_consts if isinstance(item, CodeType))

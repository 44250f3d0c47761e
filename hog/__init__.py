"""Hog, the language of filters, templates and destination code: compiled to Python once, then called."""

from hog.entry import compile_node, conjuncts, expression, program, template, template_parts
from hog.errors import (
    HogCompileError,
    HogError,
    HogLimitError,
    HogRuntimeError,
    HogSyntaxError,
    HogThrownError,
)
from hog.names import Names
from hog.program import Program
from hog.runtime.errors import Failure
from hog.runtime.limits import Limits
from hog.runtime.run import Run
from hog.runtime.text import to_text
from hog.runtime.truth import truthy
from hog.stdlib import Function, functions

__all__ = [
    "Failure",
    "Function",
    "HogCompileError",
    "HogError",
    "HogLimitError",
    "HogRuntimeError",
    "HogSyntaxError",
    "HogThrownError",
    "Limits",
    "Names",
    "Program",
    "Run",
    "compile_node",
    "conjuncts",
    "expression",
    "functions",
    "program",
    "template",
    "template_parts",
    "to_text",
    "truthy",
]

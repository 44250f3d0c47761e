"""Hog, the language of filters, templates and destination code: compiled to Python once, then called."""

from hog.entry import compile_node, conjuncts, expression, template, template_parts
from hog.errors import HogCompileError, HogError, HogRuntimeError, HogSyntaxError
from hog.names import Names
from hog.program import Program
from hog.runtime.text import to_text
from hog.runtime.truth import truthy
from hog.stdlib import Function, functions

__all__ = [
    "Function",
    "HogCompileError",
    "HogError",
    "HogRuntimeError",
    "HogSyntaxError",
    "Names",
    "Program",
    "compile_node",
    "conjuncts",
    "expression",
    "functions",
    "template",
    "template_parts",
    "to_text",
    "truthy",
]

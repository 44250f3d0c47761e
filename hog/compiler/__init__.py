"""Syntax tree to Python code, once for each program."""

from hog.compiler.build import Compiled, compile_tree

__all__ = ["Compiled", "compile_tree"]

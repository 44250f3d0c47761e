"""Liquid templates, as far as LiquidJS gives the same for the same: compiled at load, fenced when rendered."""

from destinations.liquid.program import LiquidProgram, compile_liquid
from destinations.liquid.source import LiquidError

__all__ = ["LiquidError", "LiquidProgram", "compile_liquid"]

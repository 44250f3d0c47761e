"""PostHog's filters object, compiled to the same filter as an expression."""

from destinations.filters.compiling import compile_filters
from destinations.filters.context import Project

__all__ = ["Project", "compile_filters"]

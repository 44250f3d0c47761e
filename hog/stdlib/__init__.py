"""The standard library, one file for each family of functions. Importing a family registers its functions."""

from hog.stdlib import (
    arrays,
    callbacks,
    cohorts,
    conversion,
    date_format,
    dates,
    effects,
    encoding,
    errors,
    hashing,
    identifiers,
    json,
    logic,
    math,
    network,
    strings,
)
from hog.stdlib.registry import FUNCTIONS, Function, functions

__all__ = [
    "FUNCTIONS",
    "Function",
    "arrays",
    "callbacks",
    "cohorts",
    "conversion",
    "date_format",
    "dates",
    "effects",
    "encoding",
    "errors",
    "functions",
    "hashing",
    "identifiers",
    "json",
    "logic",
    "math",
    "network",
    "strings",
]

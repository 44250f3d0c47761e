"""`like` and regular expressions, both on RE2 alone: no pattern takes more than linear time.

Compiled patterns are kept, up to a bound.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import re2

from hog.runtime.errors import Failure
from hog.runtime.text import to_string
from hog.runtime.truth import truthy

MAX_PATTERN: Final = 10_000
"""Characters of one pattern."""
_MAX_MEMORY_BYTES: Final = 8 * 1024 * 1024
_WILD: Final = re.compile(r"[%_]|[^%_]+")
_WILDCARDS: Final = {"%": ".*", "_": "."}

Finder = Callable[[str], bool]


@lru_cache(maxsize=2048)
def compiled(pattern: str, ignore_case: bool = False) -> Any:
    """The compiled pattern; a bad one is a `Failure` that says what is wrong with it."""
    if len(pattern) > MAX_PATTERN:
        raise Failure(
            f"a regular expression of {len(pattern)} characters is too long; at most {MAX_PATTERN} are allowed"
        )
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not ignore_case
    options.max_mem = _MAX_MEMORY_BYTES
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        raise Failure(f"bad regular expression '{pattern}': {_reason(error)}") from None


@lru_cache(maxsize=2048)
def finder(pattern: str, ignore_case: bool = False) -> Finder:
    """What tells whether the pattern is found in a text. Nothing is found in, or by, an empty text."""
    search = compiled(pattern, ignore_case).search
    # Bytes, not text: for a text the library turns all offsets back into characters, which costs more than the search.
    return lambda text: pattern != "" and text != "" and search(text.encode()) is not None


@lru_cache(maxsize=2048)
def like_finder(pattern: str, ignore_case: bool = False) -> Finder:
    """What tells whether a `like` pattern occurs in a text: `%` is any run within a line, `_` any one character."""
    part = pattern.strip("%")
    if "%" not in part and "_" not in part and not ignore_case:
        return lambda text: part in text
    regex = _WILD.sub(lambda match: _WILDCARDS.get(match[0]) or re2.escape(match[0]), part)
    search = compiled(regex, ignore_case).search
    return lambda text: search(text.encode()) is not None


def found(text: Any, pattern: Any, ignore_case: bool = False) -> bool:
    """`text =~ pattern`."""
    return truthy(text) and truthy(pattern) and finder(to_string(pattern), ignore_case)(to_string(text))


def like(text: Any, pattern: Any, ignore_case: bool = False) -> bool:
    """`text like pattern`."""
    return like_finder(to_string(pattern), ignore_case)(to_string(text))


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else "it cannot be compiled"
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)

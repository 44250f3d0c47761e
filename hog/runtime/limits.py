"""How large one value may become. Checked before the memory is taken."""

from typing import Final

from hog.runtime.errors import Failure

MAX_TEXT: Final = 16 * 1024 * 1024
"""Characters of one text."""
MAX_ITEMS: Final = 1_000_000
"""Items of one array."""
MAX_INTEGER_BITS: Final = 4096
"""Bits of one integer: far more than any identifier, few enough to compute and print at once."""
MAX_DIGITS: Final = 1_200
"""Digits of an integer in a text; about as many as `MAX_INTEGER_BITS` allows."""


def check_text(length: int) -> None:
    """Refuse a text of this many characters when that is too many."""
    if length > MAX_TEXT:
        raise Failure(f"a text of {length} characters is too long; at most {MAX_TEXT} are allowed")


def check_items(count: int) -> None:
    """Refuse an array of this many items when that is too many."""
    if count > MAX_ITEMS:
        raise Failure(f"an array of {count} items is too long; at most {MAX_ITEMS} are allowed")

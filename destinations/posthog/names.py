"""Names that are made of what people wrote: ids of destinations, of secrets, of mappings."""

import re
import unicodedata
from collections.abc import Container
from typing import Final

from destinations.project import FILES

MAX_ID: Final = 60
_RESERVED: Final = frozenset(name.partition(".")[0] for name in FILES)
"""A file of this name is no destination."""
# Letters that Unicode does not take apart into a plain one and a sign.
_PLAIN: Final = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ß": "ss"}
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def slug(name: str) -> str:
    """The name in `a-z`, `0-9` and single hyphens; empty where nothing of it can be written so."""
    apart = unicodedata.normalize("NFKD", name.lower().translate(_PLAIN))
    plain = "".join(char for char in apart if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_ID].strip("-")


def free_id(name: str, fallback: str, taken: Container[str]) -> str:
    """An id that is not taken, of the name or else of the fallback."""
    plain = slug(name) or slug(fallback) or "destination"
    if plain in _RESERVED:
        plain = f"{plain}-destination"
    return numbered(plain, "-", taken)


def numbered(plain: str, between: str, taken: Container[str]) -> str:
    """The plain name if it is not taken, else with the first number, from 2 on, that makes it free."""
    found, number = plain, 1
    while found in taken:
        number += 1
        found = f"{plain}{between}{number}"
    return found


def secret_name(*words: str) -> str:
    """`SLACK_API_KEY` of `slack` and `apiKey`."""
    parts = [slug(_CAMEL.sub("-", word)) for word in words]
    name = "-".join(part for part in parts if part).replace("-", "_").upper()
    # Neither a variable of the environment nor a name in a template may begin with a digit.
    return f"_{name}" if name[:1].isdigit() else name

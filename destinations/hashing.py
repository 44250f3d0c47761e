"""A hash of what a value reads as: by it events are told apart, on every machine and in every version alike."""

import hashlib
from typing import Any

from destinations.text import text_of


def hash_of(value: Any, where: str) -> int:
    """64 bits; null is as the empty text. Raises InputError for a value that has no text."""
    text = text_of(value, where)
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest())

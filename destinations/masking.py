"""A frequency cap: of the events with the same key only some are sent within a time. Here its key is made, no more."""

from collections.abc import Mapping
from typing import Any

from destinations.errors import part_at
from destinations.globals import invocation_needs
from destinations.hashing import hash_of
from destinations.spec import MaskingSpec
from destinations.templates import TextCompiler
from destinations.values import Value
from records import Cap

_PATH = ("masking", "hash")


class Masking:
    """What events are told apart by, and how many of them go out."""

    def __init__(self, key: Value, ttl_s: int, threshold: int | None) -> None:
        """`key` is the template; `threshold` None lets one out in `ttl_s` seconds."""
        self.ttl_s = ttl_s
        self.threshold = threshold
        self.needs = invocation_needs(key.chains)
        self._key = key

    def key(self, globals: Mapping[str, Any]) -> Any:
        """By what an event is told apart. Raises InputError."""
        return self._key.render(globals)

    def cap(self, key: Any) -> Cap | None:
        """What an event with this key counts against; None where it is empty, and nothing holds the event back.

        Raises InputError for a key that has no text.
        """
        return Cap(hash_of(key, part_at(_PATH)), self.ttl_s, self.threshold) if key else None


def compile_masking(spec: MaskingSpec | None, texts: TextCompiler) -> Masking | None:
    """None where nothing is held back; what is wrong goes to the report."""
    if spec is None:
        return None
    return Masking(texts.text(spec.hash, _PATH), spec.ttl_s, spec.threshold)

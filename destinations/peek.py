"""Reads single properties out of an event's raw JSON, without parsing the rest. It decides nothing."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec

from destinations.errors import EventDataError

Peek = Callable[[bytes], tuple[Any, ...]]


def peek_at(names: Sequence[str]) -> Peek | None:
    """A function from the raw properties to those of these names, in order; None for names it cannot look for.

    What is absent is null. For a few of fifty properties it costs a quarter of parsing them all. It raises
    EventDataError for what it cannot read; parsing the whole then says why, or copes.
    """
    fields = [(f"_{index}", Any, None) for index in range(len(names))]
    rename = {f"_{index}": name for index, name in enumerate(names)}
    try:
        decoder = msgspec.json.Decoder(msgspec.defstruct("Peeked", fields, rename=rename, gc=False))
    except ValueError:  # A quote, a backslash or a control character in a name.
        return None

    def peek(raw: bytes) -> tuple[Any, ...]:
        try:
            return msgspec.structs.astuple(decoder.decode(raw))
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise EventDataError(str(error)) from None

    return peek


def property_names(chains: Collection[tuple[str, ...]]) -> frozenset[str] | None:
    """The properties that chains of a filter read; None when one of them reads the object as a whole."""
    of_properties = [chain for chain in chains if chain[0] == "properties"]
    return None if any(len(chain) == 1 for chain in of_properties) else frozenset(chain[1] for chain in of_properties)

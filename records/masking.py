"""What a frequency cap is decided by, on its way to the step that decides it."""

import msgspec

from records.event import EndOfInput, Event


class Cap(msgspec.Struct, frozen=True, gc=False):
    """What an event counts against: of those with one `key` only some are sent within `ttl_s` seconds of the first.

    That is the first one, and with a threshold N also the one behind each N of them.
    """

    key: int
    """A hash of 64 bits."""
    ttl_s: float
    threshold: int | None = None


class Capped(msgspec.Struct, gc=False):
    """An event that goes on only if it does not exceed the cap; without a cap it has only kept its place behind others.

    It is data through and through: the step that decides may be in another process.
    """

    destination: str
    item: Event | EndOfInput
    """What is held back is never rendered, so the event itself is here, with its person."""
    mappings: list[str] = []
    """Of those that it matches, the names; of a destination without mappings the empty one."""
    owed: bool = False
    """Whether its position is to be noted, and nothing sent."""
    cap: Cap | None = None

"""What a frequency cap is decided by, on its way to the step that decides it."""

from collections.abc import Callable, Sequence

import msgspec

from records.event import EndOfInput
from records.invocation import Invocation, Missed, Together


class Cap(msgspec.Struct, frozen=True, gc=False):
    """What an event counts against: of those with one `key` only some are sent within `ttl_s` seconds of the first.

    That is the first one, and with a threshold N also the one behind each N of them.
    """

    key: int
    """A hash of 64 bits."""
    ttl_s: float
    threshold: int | None = None


class Capped(msgspec.Struct, gc=False):
    """What is made of one event, to go on only if the event does not exceed the cap.

    Without a cap it goes on, and has only kept its place behind others.
    """

    destination: str
    make: Callable[[], Sequence[Invocation | Together | Missed | EndOfInput]]
    """Makes it. To be called once, on any thread, and only if it goes on: what is held back is never rendered."""
    cap: Cap | None = None

"""What an outbox keeps over a restart, and how it is read back. Its form is public: the next version reads it too."""

from collections.abc import Iterable

import msgspec

from delivery.health import HealthState
from delivery.ranges import Range
from records import Invocation

Positions = tuple[str, int, list[int], float]
"""Stream, partition, offsets, and when the oldest of them was read."""

Position = tuple[str, int, int]
"""Stream, partition, offset."""

STATE_VERSION = 3
_READABLE = (1, 2, 3)
"""1 knew nothing of health, 2 nothing of what was replayed and held."""


class OutboxState(msgspec.Struct):
    """The snapshot: counts, ranges, and the positions of what was held. It holds no event and no secret."""

    version: int
    destination: str
    matched: int
    delivered: int
    failed: int
    expired: int
    skipped: int
    ranges: list[Range]
    held: list[Positions]
    """What was in memory, per partition."""
    health: HealthState = msgspec.field(default_factory=HealthState)
    command: int = 0
    listed_until: float = 0.0
    """What the ledger has of later is not in `failed`."""
    uncounted: list[Position] = msgspec.field(default_factory=list[Position])
    """Where the ledger has failures from before a crash that are owed here."""
    replayed: list[Positions] = msgspec.field(default_factory=list[Positions])
    """As `held`: what somebody had asked for again."""


def positions_of(invocations: Iterable[Invocation]) -> list[Positions]:
    """Where to read them again."""
    held: dict[tuple[str, int], Positions] = {}
    for one in invocations:
        at = one.read_ms / 1000
        stream, partition, offsets, since = held.get((one.stream, one.partition)) or (one.stream, one.partition, [], at)
        offsets.append(one.offset)
        held[stream, partition] = (stream, partition, offsets, min(since, at))
    return list(held.values())


class StateError(Exception):
    """A snapshot that this version cannot read."""


class _Head(msgspec.Struct):
    version: int
    destination: str = "?"


def read_state(snapshot: bytes) -> OutboxState:
    """Decode a snapshot.

    Raises:
        StateError: When another version wrote it, or it is damaged.
    """
    try:
        head = msgspec.msgpack.decode(snapshot, type=_Head)
        if head.version not in _READABLE:
            raise StateError(
                f"the saved state of destination {head.destination!r} has version {head.version}, this Offramp reads "
                f"{STATE_VERSION}; start the version that wrote it, let it drain, then upgrade"
            )
        return msgspec.msgpack.decode(snapshot, type=OutboxState)
    except msgspec.MsgspecError as error:
        raise StateError(f"the saved state of a destination cannot be read: {error}") from None

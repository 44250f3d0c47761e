"""What an outbox keeps over a restart, and how it is read back. Its form is public: the next version reads it too."""

import msgspec

from delivery.health import HealthState
from delivery.positions import Position, Positions, decode, encode
from delivery.ranges import Range

STATE_VERSION = 4
_READABLE = (1, 2, 3, 4)
"""1 knew nothing of health, 2 nothing of what was replayed and held, 3 nothing of mappings."""

_ENCODER = msgspec.msgpack.Encoder(enc_hook=encode)


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


def write_state(state: OutboxState) -> bytes:
    """Encode a snapshot."""
    return _ENCODER.encode(state)


class StateError(Exception):
    """A snapshot that this version cannot read."""


_DECODER = msgspec.msgpack.Decoder(OutboxState, dec_hook=decode)


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
        return _DECODER.decode(snapshot)
    except msgspec.MsgspecError as error:
        raise StateError(f"the saved state of a destination cannot be read: {error}") from None

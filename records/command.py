"""What people ask of a destination while the job runs."""

from enum import StrEnum

import msgspec


class CommandKind(StrEnum):
    """What is to be done."""

    PAUSE = "pause"
    """Send nothing for now; what matches is owed."""
    DISABLE = "disable"
    """Send nothing until somebody enables it; what matches is owed."""
    ENABLE = "enable"
    """Send again, whatever the reason was that nothing was sent. `skip_missed` says what becomes of what is owed."""
    REPLAY = "replay"
    """Read `spans` again and send what matches, though it may have been sent before."""
    PAUSE_REPLAYS = "pause_replays"
    RESUME_REPLAYS = "resume_replays"
    CANCEL_REPLAYS = "cancel_replays"


class Span(msgspec.Struct, frozen=True):
    """Positions `first` to `last` (inclusive) of one partition; with `only`, these of them (sorted) and no others."""

    stream: str
    partition: int
    first: int
    last: int
    only: list[int] | None = None
    mapping: str = ""
    """With it, only what this mapping of the destination makes of the events."""
    failed_at: list[float] | None = None
    """Of failed deliveries, beside each of `only`: when it had failed, seconds since the epoch."""

    @property
    def positions(self) -> int:
        """How many."""
        return self.last - self.first + 1 if self.only is None else len(self.only)


class Command(msgspec.Struct, frozen=True):
    """One wish of a person. Its `id` grows with the order of the commands; it is the replay's number, too."""

    id: int
    destination: str
    kind: CommandKind
    by: str = ""
    """Who asked, for the log."""
    skip_missed: bool = False
    """Of ENABLE: give up what is owed instead of sending it."""
    spans: list[Span] = msgspec.field(default_factory=list[Span])
    failed: bool = False
    """Of REPLAY: the positions are those of deliveries that failed for good; they are owed again."""

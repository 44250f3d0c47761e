"""What `deliver` decides, pure: retries, ranges, windows, accounts, when sources must wait. No engine, no network."""

from delivery.backlog import Backlog
from delivery.commands import carry_out
from delivery.failures import KnownFailures
from delivery.handoff import Handoff
from delivery.held import UNREPEATABLE
from delivery.masking import Masks
from delivery.outbox import Outbox
from delivery.positions import Position
from delivery.progress import Load, Progress
from delivery.ranges import Range, Reread
from delivery.state import OutboxState, StateError, read_state
from delivery.strain import Strain

__all__ = [
    "UNREPEATABLE",
    "Backlog",
    "Handoff",
    "KnownFailures",
    "Load",
    "Masks",
    "Outbox",
    "OutboxState",
    "Position",
    "Progress",
    "Range",
    "Reread",
    "StateError",
    "Strain",
    "carry_out",
    "read_state",
]

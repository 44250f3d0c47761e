"""The commands of people as a source of the flow. Its state is the number up to which it has emitted all commands.

That number is in the same snapshot as what the operators made of the commands. One that has overtaken a command of
another destination may be emitted again after a restart; each destination knows by its number that it was carried out.

Limits: what the desk has laid ready. Blocking: never, but for one look into the journal at the start.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, Protocol, TypeAlias

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from connectors.lane import Beat, Beats, Gate, Pace
from records import Command, EndOfInput

PART: Final = "commands"

Read: TypeAlias = tuple[str, Command | EndOfInput]


class Ready(Protocol):
    """Where commands lie ready; see `connectors.desk`. No call but `begin` blocks."""

    def begin(self, resume: int | None) -> int:
        """Lay ready what comes behind this number, None when no snapshot knows of one; answers where that is."""

    def reached(self) -> int:
        """The number up to which all commands have been laid ready."""

    def take(self) -> list[Command]:
        """What is ready, in order for each destination."""

    def looked(self) -> bool:
        """Whether everything from before `begin` has been laid ready."""


class CommandsSource(FixedPartitionedSource[Read, int]):
    """All commands, by destination.

    Args:
        ready: Where they come from.
        gate: Says when to end.
        end: With a job that ends at the end of its inputs: called once when the commands from before its start are
            emitted; it answers the destinations, each of which is then sent a mark, so that nothing ends before the
            commands have reached them.
        beats: When epochs end.
    """

    def __init__(
        self,
        ready: Ready,
        gate: Gate,
        end: Callable[[], Iterable[str]] | None = None,
        beats: Beats | None = None,
    ) -> None:
        self._ready = ready
        self._gate = gate
        self._end = end
        self._beats = beats

    def list_parts(self) -> list[str]:
        """The only one."""
        return [PART]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> "CommandsPartition":
        """Go on behind the last command that a snapshot knows."""
        last = self._ready.begin(resume_state)
        return CommandsPartition(self._ready, last, self._gate, self._end, Pace(Beat(self._beats)))


class CommandsPartition(StatefulSourcePartition[Read, int]):
    """See CommandsSource."""

    def __init__(
        self,
        ready: Ready,
        last: int,
        gate: Gate,
        end: Callable[[], Iterable[str]] | None = None,
        pace: Pace | None = None,
    ) -> None:
        """`last` is the number up to which all commands have been emitted."""
        self._ready = ready
        self._last = last
        self._gate = gate
        self._end = end
        self._pace = pace or Pace()
        self._marked = False

    def next_batch(self) -> list[Read]:
        """What is ready, or nothing. Raises StopIteration at the end."""
        self._pace.called()
        if self._gate.stopping():
            raise StopIteration
        # Asked before taking: what was laid ready before the answers is taken then.
        looked, self._last = self._ready.looked(), self._ready.reached()
        batch: list[Read] = [(command.destination, command) for command in self._ready.take()]
        if self._end is not None and not self._marked and looked:
            self._marked = True
            batch += [(destination, EndOfInput(PART, destination)) for destination in self._end()]
        elif self._marked and not batch and self._gate.drained():
            raise StopIteration
        self._pace.after(batch)
        return batch

    def next_awake(self) -> datetime | None:
        """See Pace."""
        return self._pace.next_awake

    def snapshot(self) -> int:
        """The number up to which all commands have been emitted."""
        self._pace.epoch_began()
        return self._last

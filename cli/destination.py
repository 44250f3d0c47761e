"""What commands about one destination share: what the journal knows of it, and telling the running job what to do."""

import getpass
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Self, TypeVar

import msgspec
import typer

from cli.options import open_journal, refuse_unknown
from cli.output import fail
from connectors.commands import Answer, Commands, Wish
from connectors.journal import JournalReader
from records import Status

if TYPE_CHECKING:
    from cli.api_client import ApiReader

T = TypeVar("T")

WAIT_S = 10.0
ASK_LOG_S = 90.0
"""To find out what to replay, the job may have to ask brokers, or to search a file."""
_LOOK_EVERY_S = 0.1

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The destination's id.", show_default=False)]


def person() -> str:
    """Who asks, for the log."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


class Told(msgspec.Struct, frozen=True):
    """What became of commands that were given together."""

    ids: list[int]
    running: bool
    """False while no job runs: then nothing was waited for."""
    done: bool
    """Carried out, in time."""
    answer: Answer | None
    """The first that is an error, else the last one."""
    status: Status


class Line:
    """To one destination: its state in the journal, and commands to the job. Use it in a `with` block."""

    def __init__(self, state: str | None, destination: str) -> None:
        """Ends the command with a line when there is no journal, or nothing is known of the destination."""
        self.journal: JournalReader | ApiReader = open_journal(state)
        self._destination = destination
        self.status = self._first_status()

    def __enter__(self) -> Self:
        """Closes at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes."""
        self.journal.close()

    def running(self) -> bool:
        """Whether a job is at work on this state."""
        return self._own_journal().is_written(time.time())

    def look(self) -> Status:
        """The destination's state now; the last known one when it has gone."""
        self.status = next((one for one in self.journal.statuses() if one.id == self._destination), self.status)
        return self.status

    def tell(self, *wishes: Wish) -> Told:
        """Give commands and wait until they are carried out: not at all when no job runs."""
        with Commands(self._own_journal().path) as commands:
            ids = [commands.add(self._destination, wish) for wish in wishes]
            if not self.running():
                return Told(ids, False, False, None, self.status)
            asks_log = any(wish.first or wish.since is not None for wish in wishes)
            answer = None
            for id in ids:
                answer = self._until(partial(commands.answer_of, id), ASK_LOG_S if asks_log else WAIT_S)
                if answer is None or answer.error:
                    return Told(ids, answer is not None or self.running(), False, answer, self.look())
        if all(wish.dry for wish in wishes):
            return Told(ids, True, True, answer, self.look())
        done = self._until(lambda: self.look().command >= ids[-1] or None, WAIT_S)
        return Told(ids, True, done is not None, answer, self.status)

    def _own_journal(self) -> JournalReader:
        """That of a state directory: who has none has another way to all of this."""
        assert isinstance(self.journal, JournalReader)
        return self.journal

    def _until(self, look: Callable[[], T | None], wait_s: float) -> T | None:
        """The first answer; None when none comes in time, or when the job has ended."""
        give_up_at = time.monotonic() + wait_s
        while (found := look()) is None and time.monotonic() < give_up_at and self.running():
            time.sleep(_LOOK_EVERY_S)
        return found

    def _first_status(self) -> Status:
        statuses = {one.id: one for one in self.journal.statuses()}
        if self._destination not in statuses:
            with self.journal:
                refuse_unknown(self.journal, self._destination)
        return statuses[self._destination]


def line_to(state: str | None, api: str | None, destination: str) -> Line:
    """To the job of a state directory, or to that of a console."""
    if api is None:
        return Line(state, destination)
    if state is not None:
        fail("--state and --api name different jobs; give one of them", 2)
    from cli.api_line import ApiLine

    return ApiLine(api, destination)


def carry_out(state: str | None, api: str | None, destination: str, wish: Wish, becomes: str) -> None:
    """Give one command, wait, and say what has become of it."""
    with line_to(state, api, destination) as line:
        report(line.tell(wish), becomes)


def report(told: Told, becomes: str) -> None:
    """Say what has become of a command; ends with exit code 1 when it was refused or not carried out in time.

    `becomes` is what the job will do when there is one: `crm will be paused`.
    """
    if not told.running:
        typer.echo(f"no job is running; when one does, {becomes}")
        return
    refuse_failed(told)
    typer.echo(described(told.status))


def refuse_failed(told: Told) -> None:
    """End with what the job said against it, or that it has not done it in time."""
    if told.answer is not None and told.answer.error:
        fail(told.answer.error, 1)
    if not told.done:
        fail("the job has not carried it out yet, and will; offramp status shows when it has", 1)


def refuse_unanswered(told: Told) -> None:
    """Only what was refused, or not even looked at: a job may begin it later."""
    if told.answer is None or told.answer.error:
        refuse_failed(told)


def described(status: Status) -> str:
    """`crm is paused; 12 events are owed`."""
    owed = f"; {events(status.owed)} owed" if status.owed else ""
    return f"{status.id} is {status.state}{owed}"


def events(count: int) -> str:
    """`1 event is`, `2 events are`."""
    return "1 event is" if count == 1 else f"{count:,} events are"

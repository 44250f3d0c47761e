"""Where people's commands reach the running job: a thread that looks for new ones, answers them, and lays them ready.

What needs the log is found out here, because a broker may need seconds for it and a worker has none. It carries nothing
out: the operators do.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from connectors.commands import Answer, Asked, Commands
from connectors.journal_schema import JournalError
from connectors.log import Log, LogError
from connectors.replay_spans import positions_in, spans_of
from records import Command, CommandKind

LOOK_EVERY_S: Final = 0.2
WATCH_EVERY_S: Final = 60.0
CLOSE_S: Final = 2.0
FRESH_S: Final = 3600.0
"""A state without snapshots carries out what was wished for within the last hour: not what an earlier state, which was
deleted, has been told in all its life."""
PROMPT_S: Final = 5.0
"""What was wished for longer ago was so while no job ran: what has been written since then is still to come anyway."""
_OF_HEALTH: Final = (CommandKind.PAUSE, CommandKind.DISABLE, CommandKind.ENABLE)
_log = logging.getLogger("offramp.commands")


class Desk:
    """Commands from the journal to the source that emits them.

    Args:
        commands: The table.
        logs: By `Log.stream`, for replays.
        unknown: Why there is no such destination; empty when there is.
        idle: Why a destination does not run, so that nothing can be paused or enabled; empty when it does.
        watch: Called once a minute, for what else has to be looked after and may wait for a broker.
    """

    def __init__(
        self,
        commands: Commands,
        logs: Mapping[str, Log],
        unknown: Callable[[str], str],
        idle: Callable[[str], str] = lambda _: "",
        watch: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._watch = watch
        self._watch_at = 0.0
        self._commands = commands
        self._logs = logs
        self._unknown = unknown
        self._idle = idle
        self._clock = clock
        self._laid_out: int | None = None
        """The number of the last command that was laid ready; None before the source has begun."""
        self._ready: deque[Command] = deque()
        self._looked = threading.Event()
        self._complaint = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """End the thread. One that waits for a broker is left behind: what it would answer is answered next time."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)
        self._commands.close()

    def begin(self, resume: int | None) -> int:
        """See `commands_source.Ready`. Reads the journal once."""
        if resume is None:
            self._laid_out = self._commands.last_before(self._clock() - FRESH_S)
        else:
            self._commands.continue_behind(resume)
            self._laid_out = resume
        return self._laid_out

    def take(self) -> list[Command]:
        """What is ready, in order. Does not block."""
        return [self._ready.popleft() for _ in range(len(self._ready))]

    def looked(self) -> bool:
        """Whether everything that was wished for before the source began has been laid ready."""
        return self._looked.is_set()

    def look(self) -> None:
        """Answer what is new and lay ready what can be carried out; the thread does it by itself."""
        began = self._laid_out
        try:
            for asked in self._commands.unanswered():
                self._commands.answer(asked.id, self._answered(asked))
            if began is not None:
                self._lay_out(began)
            self._complaint = ""
        except JournalError as error:
            if not self._complaint and not self._stop.is_set():
                _log.error("commands cannot be read: %s; trying again", error)
            self._complaint = str(error)
        if began is not None:
            # Also after an error: a job must not run for ever because its journal cannot be read.
            self._looked.set()

    def _run(self) -> None:
        while True:
            try:
                self.look()
                if time.monotonic() >= self._watch_at:
                    self._watch_at = time.monotonic() + WATCH_EVERY_S
                    self._watch()
            except Exception:  # noqa: BLE001
                _log.exception("the desk has failed; trying again")
            if self._stop.wait(LOOK_EVERY_S):
                return

    def _lay_out(self, behind: int) -> None:
        for asked in self._commands.answered_after(behind):
            if (command := asked.command) is not None:
                self._ready.append(command)
            self._laid_out = asked.id

    def _answered(self, asked: Asked) -> Answer:
        wish = asked.wish
        if wish is None:
            return Answer("this version of the job does not know the command; upgrade it")
        if error := self._unknown(asked.destination):
            return Answer(error)
        if wish.kind in _OF_HEALTH and (error := self._idle(asked.destination)):
            return Answer(error)
        if wish.kind is not CommandKind.REPLAY:
            return Answer()
        try:
            late = self._clock() - asked.at > PROMPT_S
            spans = spans_of(wish, self._logs, asked.at if late else None)
        except LogError as error:
            return Answer(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the commands behind this one must go on
            _log.exception("what to replay could not be found out")
            return Answer(f"what to replay could not be found out: {type(error).__name__}; the job's log says more")
        return Answer("", [] if wish.spans else spans, positions_in(spans))

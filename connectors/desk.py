"""Where people's commands reach the running job: a thread that looks for new ones, answers them, and lays them ready.

What needs the log is found out here, because a broker may need seconds for it and a worker has none: on a thread for
each destination that has such a wish, so that its own later commands wait for it and nobody else's. It carries nothing
out: the operators do.

Limits: `MOST_ASKING` destinations at a time have the log asked; the next one's commands wait for one of them.
"""

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Final

from connectors.commands import Answer, Asked, Commands, Wish
from connectors.journal_schema import JournalError
from connectors.log import Log, LogError
from connectors.replay_spans import positions_in, spans_of
from records import Command, CommandKind, Span

LOOK_EVERY_S: Final = 0.2
WATCH_EVERY_S: Final = 60.0
CLOSE_S: Final = 2.0
MOST_ASKING: Final = 8
PATIENCE_S: Final = 0.05
"""A log mostly answers within this: then nothing has to wait for the next look."""
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
        watch: Called once a minute, on a thread of its own, for what else has to be looked after and may wait for a
            broker.
        refused: Why a destination takes nothing of a stream; empty when it does.
        patience_s: How long a look waits for the logs that it asks.
    """

    def __init__(
        self,
        commands: Commands,
        logs: Mapping[str, Log],
        unknown: Callable[[str], str],
        idle: Callable[[str], str] = lambda _: "",
        watch: Callable[[], None] = lambda: None,
        refused: Callable[[str, str], str] = lambda destination, stream: "",
        clock: Callable[[], float] = time.time,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._watch = watch
        self._refused = refused
        self._patience_s = patience_s
        self._commands = commands
        self._logs = logs
        self._unknown = unknown
        self._idle = idle
        self._clock = clock
        self._reached: int | None = None
        """The number up to which all has been laid ready; None before the source has begun."""
        self._overtaken: set[int] = set()
        """Numbers above it that have been laid ready, too."""
        self._asking: dict[str, threading.Thread] = {}
        """By destination. One that has ended may still be in it."""
        self._failure: JournalError | None = None
        """Of a thread that asked."""
        self._ready: deque[Command] = deque()
        self._looked = threading.Event()
        self._complaint = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)
        self._watcher = threading.Thread(target=self._run_watch, name="desk-watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()
        self._watcher.start()

    def close(self) -> None:
        """End the threads. One that waits for a broker is left behind: what it would answer is answered next time."""
        self._stop.set()
        give_up_at = time.monotonic() + CLOSE_S
        for thread in (self._thread, self._watcher, *self._asking.copy().values()):
            if thread.is_alive():
                thread.join(max(0.0, give_up_at - time.monotonic()))
        self._commands.close()

    def begin(self, resume: int | None) -> int:
        """See `commands_source.Ready`. Reads the journal once."""
        if resume is None:
            resume = self._commands.last_before(self._clock() - FRESH_S)
        else:
            self._commands.continue_behind(resume)
        self._reached = resume
        return resume

    def reached(self) -> int:
        """The number up to which all commands have been laid ready. Does not block."""
        return self._reached or 0

    def take(self) -> list[Command]:
        """What is ready, in order for each destination. Does not block."""
        return [self._ready.popleft() for _ in range(len(self._ready))]

    def looked(self) -> bool:
        """Whether everything that was wished for before the source began has been laid ready."""
        return self._looked.is_set()

    def look(self) -> None:
        """Answer what is new and lay ready what can be carried out; the thread does it by itself."""
        began, complete = self._reached, True
        try:
            complete = self._answer_new()
            if began is not None:
                self._lay_out(began)
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure
            self._complaint = ""
        except JournalError as error:
            if not self._complaint and not self._stop.is_set():
                _log.error("commands cannot be read: %s; trying again", error)
            self._complaint = str(error)
            complete = True
        if began is not None and complete:
            # Also after an error: a job must not run for ever because its journal cannot be read.
            self._looked.set()

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except Exception:  # noqa: BLE001
                _log.exception("the desk has failed; trying again")
            if self._stop.wait(LOOK_EVERY_S):
                return

    def _run_watch(self) -> None:
        while True:
            try:
                self._watch()
            except Exception:  # noqa: BLE001
                _log.exception("the watch over what is owed has failed; trying again")
            if self._stop.wait(WATCH_EVERY_S):
                return

    def _answer_new(self) -> bool:
        """Answer what is new, or have its log asked. Whether nothing is left without an answer."""
        # Before the rows are read: whoever has ended by now has written all its answers.
        self._asking = {of: thread for of, thread in self._asking.items() if thread.is_alive()}
        new: defaultdict[str, list[Asked]] = defaultdict(list)
        for asked in self._commands.unanswered():
            if asked.destination not in self._asking:
                new[asked.destination].append(asked)
        started = []
        complete = not self._asking
        for destination, rows in new.items():
            if not any(_needs_log(asked) for asked in rows):
                self._answer(rows)
            elif len(self._asking) < MOST_ASKING:
                thread = threading.Thread(target=self._ask, args=(rows,), name="desk-asking", daemon=True)
                self._asking[destination] = thread
                thread.start()
                started.append(thread)
            else:
                complete = False
        give_up_at = time.monotonic() + self._patience_s
        for thread in started:
            thread.join(max(0.0, give_up_at - time.monotonic()))
        return complete and not any(thread.is_alive() for thread in started)

    def _ask(self, rows: list[Asked]) -> None:
        try:
            self._answer(rows)
        except JournalError as error:
            # For the next look, which reads the rows again.
            self._failure = error

    def _answer(self, rows: list[Asked]) -> None:
        for asked in rows:
            self._commands.answer(asked, self._answered(asked))

    def _lay_out(self, behind: int) -> None:
        waiting: set[str] = set()
        for asked in self._commands.after(behind):
            if asked.answer is None:
                waiting.add(asked.destination)
            elif asked.destination not in waiting and asked.id not in self._overtaken:
                if (command := asked.command) is not None:
                    self._ready.append(command)
                self._overtaken.add(asked.id)
            if not waiting:
                # Last: the source takes what is ready after it has asked how far that reaches.
                self._reached = asked.id
                self._overtaken.discard(asked.id)

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
            spans = self._spans(asked.destination, wish, asked.at if late else None)
        except LogError as error:
            return Answer(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the commands behind this one must go on
            _log.exception("what to replay could not be found out")
            return Answer(f"what to replay could not be found out: {type(error).__name__}; the job's log says more")
        return Answer("", [] if wish.spans else spans, positions_in(spans))

    def _spans(self, destination: str, wish: Wish, asked_at: float | None) -> list[Span]:
        """See `spans_of`: of all that the destination takes, or of the one partition that is named."""
        if wish.first is None and not wish.spans:
            logs = {stream: log for stream, log in self._logs.items() if not self._refused(destination, stream)}
            if not logs:
                raise LogError("nothing to replay: none of the inputs is for this destination")
            return spans_of(wish, logs, asked_at)
        spans = spans_of(wish, self._logs, asked_at)
        if wish.first is not None and (error := self._refused(destination, spans[0].stream)):
            raise LogError(error)
        return spans


def _needs_log(asked: Asked) -> bool:
    return asked.wish is not None and asked.wish.kind is CommandKind.REPLAY and not asked.wish.spans

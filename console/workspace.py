"""What the console knows: the files of the destinations, what the journal says of them, and the catalogue.

The one place that pages and the API ask. It delivers nothing, and writes nothing but commands to the job. Blocks: call
it from a thread. Safe to use from several.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

import catalog
from catalog import Catalog, Template
from catalog.problem import Problem
from connectors.commands import Answer, Commands, Wish
from connectors.destination_file import DestinationFileError, DestinationFiles
from connectors.journal import JournalReader
from connectors.journal_ledger import StoredFailure
from connectors.journal_reader import StoredLine
from console.drafts import Drafts
from destinations import Destination, EventView, Secrets, Watched
from destinations.literal_secrets import without_lines
from destinations.loading import compile_bytes, project_of
from flows.event_views import EventViews, NoEventError, matches
from flows.settings import Settings
from flows.trial import Workbench
from flows.trial_result import TrialResult
from records import Metric, Source, Status

LOOK_EVERY_S: Final = 1.0
"""At the files."""
SAMPLE_S: Final = 60.0
SAMPLE_EVENTS: Final = 1000
ILL: Final = frozenset({"quarantined", "disabled", "invalid"})
"""States that somebody has to know of at once."""


_UNSEEN: Final = "\x00a secret of the job"


class NoJournalError(Exception):
    """No job has run with this state directory yet."""


class Row(msgspec.Struct, frozen=True):
    """One destination: its file, and what the job last said of it."""

    id: str
    name: str
    template: str
    state: str
    """As the job has it; `invalid` for a file that does not load, `new` until a job has told of it, `off` where its
    file says `enabled: false`."""
    status: Status
    problems: tuple[str, ...] = ()
    """What is wrong with its file as it is now."""


class Workspace:
    """One state directory and one directory of destinations."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        """Opens nothing yet."""
        self.settings = settings
        self.catalog: Catalog = catalog.builtin()
        self._clock = clock
        self._lock = threading.Lock()
        # The job may have secrets that this process has not: a file is not wrong because of that.
        lenient = Secrets(lambda name: settings.secret(name) or _UNSEEN)
        self._watched = Watched(settings.destinations, lenient, self.catalog)
        self.drafts = Drafts(settings, self.catalog, lenient)
        self.bench = Workbench(settings.allow)
        self._looked_at = float("-inf")
        self._sampling = threading.Lock()
        self._sampled: list[EventView] = []
        self._sampled_at = float("-inf")
        self._journal: JournalReader | None = None
        self._commands: Commands | None = None

    def close(self) -> None:
        """Close the journal, and break off what is tried out."""
        self.bench.close()
        with self._lock:
            for each in (self._journal, self._commands):
                if each is not None:
                    each.close()
            self._journal = self._commands = None

    @property
    def folder(self) -> Path:
        """Where the files of the destinations are."""
        return self.settings.destinations

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def is_running(self) -> bool:
        """Whether a job is at work on this state."""
        journal = self._reader()
        return journal is not None and journal.is_written(self.now())

    def rows(self) -> list[Row]:
        """Every destination that has a file, or of which the job knows, by id."""
        loaded, problems = self._files()
        statuses = self._statuses()
        gone = {id for id, status in statuses.items() if status.state == "removed"}
        ids = loaded.keys() | problems.keys() | (statuses.keys() - gone)
        return [self._row(id, loaded.get(id), problems.get(id, ()), statuses.get(id)) for id in sorted(ids)]

    def row(self, id: str) -> Row | None:
        """One of them."""
        return next((row for row in self.rows() if row.id == id), None)

    def template(self, slug: str) -> Template | None:
        """One of the catalogue."""
        return self.catalog.get(slug)

    def logs(
        self, id: str, *, after: int | None = None, level: str = "debug", text: str = "", limit: int = 100
    ) -> list[StoredLine]:
        """See `JournalReader.logs`."""
        journal = self._reader()
        return [] if journal is None else journal.logs(id, after_id=after, level=level, text=text, limit=limit)

    def count_dead_letters(self) -> int:
        """See `JournalReader.count_dead_letters`."""
        journal = self._reader()
        return 0 if journal is None else journal.count_dead_letters()

    def metrics(self, id: str, since: float) -> list[Metric]:
        """See `JournalReader.metrics`."""
        journal = self._reader()
        return [] if journal is None else journal.metrics(id, since=since)

    def failures(
        self, id: str, *, after: int | None = None, status: str = "", text: str = "", limit: int = 100
    ) -> list[StoredFailure]:
        """See `JournalReader.failures`; raises ValueError for a status that is none."""
        journal = self._reader()
        return [] if journal is None else journal.failures(id, after_id=after, status=status, text=text, limit=limit)

    def delivered_by_minute(self, since: float) -> Mapping[str, Mapping[int, int]]:
        """Of all destinations: how many were delivered in each minute."""
        journal = self._reader()
        return {} if journal is None else journal.delivered_by_minute(since)

    def tell(self, id: str, wish: Wish) -> int:
        """Give the job a command; its number. Raises NoJournalError."""
        commands = self._asking()
        return commands.add(id, wish)

    def answer(self, number: int) -> Answer | None:
        """What the job said to a command; None as long as it has said nothing. Raises NoJournalError."""
        return self._asking().answer_of(number)

    def wait_for_answer(self, number: int, wait_s: float) -> Answer:
        """What the job says to a command; an error of ours where it says nothing in time. Raises NoJournalError."""
        give_up_at = time.monotonic() + wait_s
        while (answer := self.answer(number)) is None:
            if not self.is_running():
                return Answer("no job is running; it will be done when one does")
            if time.monotonic() >= give_up_at:
                return Answer("the job has said nothing yet; it will be done")
            time.sleep(0.1)
        return answer

    def failed_positions(self, id: str, status: str, text: str) -> dict[tuple[str, int, str], list[int]]:
        """See `JournalReader.failed_positions`; raises ValueError for a status that is none."""
        journal = self._reader()
        return {} if journal is None else journal.failed_positions(id, status=status, text=text)

    def sample(self) -> list[EventView]:
        """The newest events of the inputs, whatever they are, as of the last minute; none where there are no inputs."""
        with self._sampling:
            if self._clock() - self._sampled_at > SAMPLE_S:
                self._sampled_at = self._clock()
                try:
                    with EventViews(self.settings) as views:
                        self._sampled = list(views.newest(Source.EVENTS, SAMPLE_EVENTS).views)
                except NoEventError:
                    self._sampled = []
            return self._sampled

    def seen_names(self) -> list[str]:
        """The names of the newest events, the most frequent first."""
        return [name for name, _ in Counter(view.event.event for view in self.sample()).most_common()]

    def would_match(self, destination: Destination) -> tuple[int, int]:
        """Of the newest events: how many the destination wants, and how many there are."""
        views = self.sample()
        return sum(matches(destination, view) for view in views), len(views)

    def recent(self, id: str, count: int, name: str = "", person: str = "", matching: bool = False) -> list[EventView]:
        """The newest events of the job's inputs, for this destination. Raises NoEventError."""
        destination = self.to_try(id)
        with EventViews(self.settings) as views:
            wanted_by = destination if matching else None
            found = views.newest(destination.source, count, name=name, person=person, wanted_by=wanted_by)
            return list(found.views)

    def event(self, id: str, *, uuid: str = "", text: str = "") -> EventView:
        """One event, found or as it was written. Raises NoEventError."""
        destination = self.to_try(id)
        with EventViews(self.settings) as views:
            if text:
                return views.of_text("the event", text.encode(), destination.source)
            return views.by_uuid(uuid, destination.source)

    def try_out(self, id: str, view: EventView, *, send: bool, anyway: bool) -> TrialResult:
        """See `Workbench.try_out`. Raises NoEventError where the destination cannot be loaded here."""
        return self.bench.try_out(self.to_try(id), view, send=send, anyway=anyway)

    def to_try(self, id: str) -> Destination:
        """As its file is now, with the secrets that this process has. Raises NoEventError."""
        files = DestinationFiles(self.folder)
        try:
            data = files.read(id)
        except DestinationFileError as error:
            raise NoEventError(str(error)) from None
        if data is None:
            raise NoEventError(f"there is no file of a destination '{id}'")
        secrets = Secrets(self.settings.secret, self.settings.secret.why_missing)
        compiled = compile_bytes(Path(files.path(id).name), data, secrets, self.catalog, project_of(self.folder))
        if compiled.destination is None:
            raise NoEventError("; ".join(map(str, without_lines(compiled.problems))))
        return compiled.destination

    def _row(self, id: str, loaded: Destination | None, problems: tuple[str, ...], status: Status | None) -> Row:
        status = status or Status(id, "", "new", 0.0)
        state = status.state
        if problems:
            state = "invalid"
        elif loaded is not None and not loaded.enabled:
            state = "off"
        elif loaded is None:
            state = "removed"
        name = loaded.name if loaded is not None else status.name or id
        template = ""
        if loaded is not None:
            template = loaded.spec.template or ("code" if loaded.spec.code is not None else "webhook")
        return Row(id, name, template, state, status, problems)

    def _files(self) -> tuple[dict[str, Destination], dict[str, tuple[str, ...]]]:
        with self._lock:
            if self._clock() - self._looked_at >= LOOK_EVERY_S:
                self._watched.poll(self._clock())
                self._looked_at = self._clock()
            found: dict[str, list[Problem]] = {}
            for problem in self._watched.problems:
                if problem.destination:
                    found.setdefault(problem.destination, []).append(problem)
            problems = {id: tuple(map(str, without_lines(each))) for id, each in found.items()}
            return dict(self._watched.destinations), problems

    def look_again(self) -> None:
        """See what has just been written."""
        with self._lock:
            self._looked_at = float("-inf")

    def _statuses(self) -> dict[str, Status]:
        journal = self._reader()
        return {} if journal is None else {status.id: status for status in journal.statuses()}

    def _reader(self) -> JournalReader | None:
        """None as long as no job has made a journal."""
        with self._lock:
            if self._journal is None and self.settings.journal.exists():
                self._journal = JournalReader(self.settings.journal)
            return self._journal

    def _asking(self) -> Commands:
        with self._lock:
            if self._commands is None:
                if not self.settings.journal.exists():
                    raise NoJournalError("no job has run with this state directory yet")
                self._commands = Commands(self.settings.journal)
            return self._commands

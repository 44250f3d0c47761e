"""Events that a person asks about, as destinations see them at this moment: with their person and groups.

It reads, and changes nothing. What there is not comes out as a `NoEventError`, whose text is for the person.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

import msgspec

from connectors.log import Log, LogError
from connectors.person_table import PersonTable, PersonTableError
from connectors.recent_events import BOUNDS, Bounds, Wish, find_event, recent_events
from destinations import Destination, EventDataError, EventView, Site, load_project
from flows.job import log_of, logs_of_persons
from flows.settings import Settings
from hog import HogRuntimeError
from operators.envelope import decode_message
from operators.join_person import Join, Nobody
from operators.person_update import decode_person_update
from records import DeadLetter, Event, Message, Source

GIVEN: Final = "file"
"""The stream of an event that was given, and not found in an input."""


class NoEventError(Exception):
    """There is no such event; the text says why and what to do."""


class Newest(msgspec.Struct, frozen=True):
    """What was found in the inputs, and how far was looked."""

    views: list[EventView]
    """The newest first."""
    looked_at: int
    """Messages."""
    unfinished: int
    """Partitions that there was no time for."""


class EventViews:
    """What all events of one look are seen with: the running job's persons and groups as they are when it is opened, or
    those that the last job has left; nobody where there are none. May be used from several threads.
    """

    def __init__(self, settings: Settings) -> None:
        """`settings.events`, `persons` and `kafka` are only needed for what is looked for in the inputs.

        Raises:
            NoEventError: The table of persons cannot be read.
        """
        self._settings = settings
        site = Site(settings.site_url, dict(settings.group_types))
        project = load_project(settings.destinations).project
        self._site = site if project is None else site.presented(project.presentation)
        path = settings.state / "persons"
        try:
            self._people = PersonTable(path, read_only=True) if path.is_dir() else None
        except PersonTableError as error:
            raise NoEventError(str(error)) from None
        self._join = Join(self._people or Nobody(), settings.group_types)

    def __enter__(self) -> Self:
        """Is itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Lets go of the table."""
        if self._people is not None:
            self._people.close()

    def of(self, event: Event) -> EventView:
        """The event with its person and groups."""
        view = EventView(event, self._site)
        self._join.enrich(view)
        return view

    def of_text(self, name: str, text: bytes, source: Source) -> EventView:
        """The one event in a text, in either shape that the job reads; for changes of persons, a message of them.

        Raises:
            NoEventError: It is none. The text begins with `name`.
        """
        event = self._decoded(Message(GIVEN, 0, 0, text.strip(), 0), source)
        if event is None:
            raise NoEventError(f"{name}: the deletion of a person is no event")
        if isinstance(event, DeadLetter):
            raise NoEventError(f"{name}: not an event: {event.reason}")
        return self.of(event)

    def by_uuid(self, uuid: str, source: Source) -> EventView:
        """The event of that uuid among the newest messages of the inputs.

        Raises:
            NoEventError: There is none, there are no inputs, or they cannot be read.
        """
        logs = self._logs(source)
        try:
            found = find_event(logs, uuid, lambda message: self._event(message, source))
        except LogError as error:
            raise NoEventError(str(error)) from None
        if found is None:
            what = "files" if all(log.stream.startswith("file:") for log in logs) else "topics"
            raise NoEventError(f"no event {uuid} is among the newest messages of the {what}")
        return self.of(found)

    def newest(
        self,
        source: Source,
        count: int = 1,
        *,
        name: str = "",
        person: str = "",
        wanted_by: Destination | None = None,
        bounds: Bounds = BOUNDS,
    ) -> Newest:
        """The newest events of the inputs; perhaps none.

        Args:
            source: Which inputs: of events, or of changes of persons.
            count: At most so many.
            name: Only events of this name.
            person: Only those of this distinct id.
            wanted_by: Only those that match this destination, be it enabled or not.
            bounds: How far it looks.

        Raises:
            NoEventError: There are no inputs, or they cannot be read.
        """

        def is_wanted(event: Event) -> bool:
            return wanted_by is None or matches(wanted_by, self.of(event))

        logs, wish = self._logs(source), Wish(name, person, wanted=is_wanted)
        try:
            found = recent_events(logs, wish, lambda message: self._event(message, source), count, bounds)
        except LogError as error:
            raise NoEventError(str(error)) from None
        return Newest([self.of(event) for event in found.events], found.looked_at, found.unfinished)

    def _logs(self, source: Source) -> Sequence[Log]:
        settings = self._settings
        if source is Source.PERSON_UPDATES:
            if settings.persons is None:
                raise NoEventError("changes of persons are looked for in the persons, and no --persons are given")
            return logs_of_persons(settings)
        logs = [log_of(one, settings.kafka) for one in settings.events]
        if not any(log.replayable for log in logs):
            raise NoEventError("an event is looked for in topics and files, and no such --events are given")
        return logs

    def _event(self, message: Message, source: Source) -> Event | None:
        event = self._decoded(message, source)
        return event if isinstance(event, Event) else None

    def _decoded(self, message: Message, source: Source) -> Event | DeadLetter | None:
        is_update = source is Source.PERSON_UPDATES
        return decode_person_update(message) if is_update else decode_message(message, self._settings.project)


def matches(destination: Destination, view: EventView) -> bool:
    """Whether something would be made of the event, whatever a cap then says. Raises nothing."""
    names = destination.event_names
    if names is not None and view.event.event not in names:
        return False
    try:
        return (
            destination.matches(view)
            and any(branch.matches(view) for branch in destination.branches)
            and destination.samples(view)
        )
    except (HogRuntimeError, EventDataError):
        return False


def position(view: EventView) -> str:
    """Where the event was found; empty where it was given."""
    event = view.event
    return "" if event.stream == GIVEN else f"{event.stream}/{event.partition}:{event.offset}"

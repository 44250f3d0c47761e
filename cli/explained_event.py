"""The event that `offramp explain` is asked about: of a file or found by its uuid, with its person and groups."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.files import read_file
from cli.output import fail
from connectors.event_search import find_event
from connectors.log import LogError
from connectors.person_table import PersonTable, PersonTableError
from destinations import EventView, Site, load_project
from flows.job import log_of
from flows.settings import FileInput, Settings, from_process
from operators.envelope import decode_message
from operators.join_person import Join, Nobody, People
from operators.person_update import decode_person_update
from records import DeadLetter, Event, Message, Person, Source

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def event_view(
    named: str, person: Path | None, events: list[str] | None, settings: Settings, source: Source
) -> EventView:
    """The event that is named, as a destination of this source would see it now; ends the command where there is none.

    `person` is a file of properties that take the place of what is known.
    """
    if _UUID.fullmatch(named) and not Path(named).exists():
        event = _found(named, events, settings, source)
    else:
        event = _of_file(named, settings, source)
    site = Site(settings.site_url, dict(settings.group_types))
    project = load_project(settings.destinations).project
    view = EventView(event, site if project is None else site.presented(project.presentation))
    with _people(settings.state / "persons") as people:
        Join(people, settings.group_types).enrich(view)
    if person is not None:
        event.person = Person(event.person_id or (event.person.id if event.person else ""), read_file(person))
    return view


def _of_file(name: str, settings: Settings, source: Source) -> Event:
    data = sys.stdin.buffer.read() if name == "-" else read_file(Path(name))
    event = _decoded(Message("file", 0, 0, data.strip(), 0), settings, source)
    if event is None:
        fail(f"{name}: the deletion of a person is no event", 1)
    if isinstance(event, DeadLetter):
        fail(f"{name}: not an event: {event.reason}", 1)
    return event


def _decoded(message: Message, settings: Settings, source: Source) -> Event | DeadLetter | None:
    is_update = source is Source.PERSON_UPDATES
    return decode_person_update(message) if is_update else decode_message(message, settings.project)


def _found(uuid: str, events: list[str] | None, settings: Settings, source: Source) -> Event:
    if source is Source.PERSON_UPDATES:
        fail("changes of persons are not looked for by their uuid; give --event the message of the persons topic", 2)
    inputs = from_process({"events": events}, only=["events", "kafka"])
    if not inputs.events:
        fail("an event is looked for by its uuid in the inputs; --events or OFFRAMP_EVENTS names them", 2)

    def decode(message: Message) -> Event | None:
        event = _decoded(message, settings, source)
        return event if isinstance(event, Event) else None

    try:
        found = find_event([log_of(one, inputs.kafka) for one in inputs.events], uuid, decode)
    except LogError as error:
        fail(str(error), 1)
    if found is None:
        what = "files" if all(isinstance(one, FileInput) for one in inputs.events) else "topics"
        fail(f"no event {uuid} is among the newest messages of the {what}", 1)
    return found


@contextmanager
def _people(path: Path) -> Iterator[People]:
    """The running job's table as it is now, or the one that the last job has left; nobody where there is none."""
    if not path.is_dir():
        yield Nobody()
        return
    try:
        table = PersonTable(path, read_only=True)
    except PersonTableError as error:
        fail(str(error), 1)
    try:
        yield table
    finally:
        table.close()

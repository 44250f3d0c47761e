"""The event that `offramp explain` is asked about: of a file or found by its uuid, with its person and groups."""

import re
import sys
from pathlib import Path

import msgspec

from cli.files import read_file
from cli.output import fail
from destinations import EventView
from flows.event_views import EventViews, NoEventError
from flows.settings import Settings, from_process
from records import Person, Source

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def event_view(
    named: str, person: Path | None, events: list[str] | None, settings: Settings, source: Source
) -> EventView:
    """The event that is named, as a destination of this source would see it now; ends the command where there is none.

    `person` is a file of properties that take the place of what is known.
    """
    try:
        if is_uuid(named) and not Path(named).exists():
            with EventViews(with_inputs(settings, events, source)) as views:
                view = views.by_uuid(named, source)
        else:
            with EventViews(settings) as views:
                view = views.of_text(named, read_event(named), source)
    except NoEventError as error:
        fail(str(error), 1)
    if person is not None:
        event = view.event
        event.person = Person(event.person_id or (event.person.id if event.person else ""), read_file(person))
    return view


def is_uuid(text: str) -> bool:
    """Whether it has the form of one."""
    return _UUID.fullmatch(text) is not None


def read_event(name: str) -> bytes:
    """The text of a file, or of standard input for `-`; ends the command where it cannot be read."""
    return sys.stdin.buffer.read() if name == "-" else read_file(Path(name))


def with_inputs(settings: Settings, events: list[str] | None, source: Source) -> Settings:
    """The settings with the inputs in which an event is looked for; ends the command where none are named."""
    names = "persons" if source is Source.PERSON_UPDATES else "events"
    inputs = from_process({"events": events}, only=[names, "kafka"])
    if not getattr(inputs, names):
        how = "OFFRAMP_PERSONS or offramp.yaml" if names == "persons" else "--events or OFFRAMP_EVENTS"
        fail(f"an event is looked for in the inputs; {how} names them", 2)
    return msgspec.structs.replace(settings, **{name: getattr(inputs, name) for name in (names, "kafka")})

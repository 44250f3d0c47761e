"""`offramp import --check`: compiles written destinations, and tries them on events. Nothing is sent."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

import catalog
from cli.made_up_messages import made_up_messages
from destinations import Destination, EventView, Secrets, Site, load
from destinations.dry_run import DryRun, dry_run
from destinations.filters import Project
from destinations.loading import compile_path, load_project
from destinations.posthog import Imported
from destinations.posthog.project import standing_in
from flows.settings import Settings
from operators.envelope import decode_message
from operators.join_person import Join, Nobody
from operators.person_update import decode_person_update
from records import DeadLetter, Message, Source

MAX_SHOWN = 5
"""Requests of one event."""


class Tried(msgspec.Struct, frozen=True):
    """What became of one try: of a file, or of an event with it."""

    what: str
    problems: list[str] = []
    passes: bool = True
    """Whether the event passes the filters; it is tried either way."""
    requests: list[str] = []
    """Without secrets and bodies."""
    assumed: bool = False
    """Whether requests of code were taken to be answered 200 with `{}`."""
    ended_by: str = ""
    """The error of code that has had such an answer: with a real one there might be none."""

    def texts(self) -> list[str]:
        """In lines."""
        if self.problems:
            return [f"check, {self.what}: {problem}" for problem in self.problems]
        sent = ", ".join(self.requests[:MAX_SHOWN]) or "no request"
        more = f", and {len(self.requests) - MAX_SHOWN} more" if len(self.requests) > MAX_SHOWN else ""
        filters = "" if self.passes else " (if it passed the filters, which it does not)"
        then = f"; then {self.ended_by}, unless the real answer says otherwise" if self.ended_by else ""
        return [f"check, {self.what}{filters}: {sent}{more}{then}"]


class Checker:
    """Tries the destinations of one directory."""

    def __init__(self, directory: Path, settings: Settings, placeholders: Mapping[str, str]) -> None:
        """`placeholders` take the place of secrets that are not set."""
        self._directory = directory
        self._secrets = Secrets(lambda name: settings.secret(name) or placeholders.get(name))
        self._loaded = load(directory, self._secrets, catalog.builtin())
        self._settings = settings
        presentation = (load_project(directory).project or Project()).presentation
        self._site = Site(settings.site_url, dict(settings.group_types)).presented(presentation)

    def tried(self, imported: Imported, events: list[bytes]) -> Iterator[Tried]:
        """The file, then each event, or where there is none events made up for it, in both shapes."""
        destination = self._loaded.destinations.get(imported.id)
        if destination is None:
            problems = [problem for problem in self._loaded.problems if problem.destination in (imported.id, "")]
            yield Tried("its file", [problem.summary() for problem in problems])
            # What is missing in project.yaml decides what it takes, not what it sends.
            path, project = self._directory / f"{imported.id}.yaml", standing_in(imported.needs)
            destination = compile_path(path, self._secrets, catalog.builtin(), project).destination
        if destination is None:
            return
        for number, event in enumerate(events, 1):
            yield self._event(destination, f"event {number}", event)
        if not events:
            for what, event in made_up_messages(destination, self._settings.group_types):
                yield self._event(destination, what, event)

    def _event(self, destination: Destination, what: str, data: bytes) -> Tried:
        message = Message("file", 0, 0, data, 0)
        is_update = destination.source is Source.PERSON_UPDATES
        event = decode_person_update(message) if is_update else decode_message(message, self._settings.project)
        if event is None:
            return Tried(what, ["the deletion of a person is no event"])
        if isinstance(event, DeadLetter):
            return Tried(what, [f"not an event: {event.reason}"])
        view = EventView(event, self._site)
        Join(Nobody(), self._settings.group_types).enrich(view)
        return _told(what, destination, dry_run(destination, view))


def _told(what: str, destination: Destination, found: DryRun) -> Tried:
    requests = [f"{request.method} {destination.redact(request.url)}" for request in found.requests]
    requests += [f"postHogCapture of {len(found.captured)} event"] if found.captured else []
    if found.error and not found.error_behind_answer:
        return Tried(what, [found.error], found.matches, requests, found.answered)
    return Tried(what, [], found.matches, requests, found.answered, ended_by=found.error)

"""`offramp import --check`: compiles written destinations, and tries them on events. Nothing is sent."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import orjson

import catalog
from destinations import Destination, EventView, Secrets, Site, load
from destinations.dry_run import dry_run
from destinations.loading import compile_path
from destinations.posthog import Imported
from destinations.posthog.made_up import made_up_event
from destinations.posthog.project import standing_in
from flows.settings import Settings
from operators.envelope import decode_message
from operators.join_person import Join, Nobody
from records import DeadLetter, Event, Message

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

    def texts(self) -> list[str]:
        """In lines."""
        if self.problems:
            return [f"check, {self.what}: {problem}" for problem in self.problems]
        sent = ", ".join(self.requests[:MAX_SHOWN]) or "no request"
        more = f", and {len(self.requests) - MAX_SHOWN} more" if len(self.requests) > MAX_SHOWN else ""
        filters = "" if self.passes else " (if it passed the filters, which it does not)"
        return [f"check, {self.what}{filters}: {sent}{more}"]


class Checker:
    """Tries the destinations of one directory."""

    def __init__(self, directory: Path, settings: Settings, placeholders: Mapping[str, str]) -> None:
        """`placeholders` take the place of secrets that are not set."""
        self._directory = directory
        self._secrets = Secrets(lambda name: settings.secret(name) or placeholders.get(name))
        self._loaded = load(directory, self._secrets, catalog.builtin())
        self._settings = settings

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
            for shape, event in _made_up(destination).items():
                yield self._event(destination, f"an event made up, {shape}", event)

    def _event(self, destination: Destination, what: str, data: bytes) -> Tried:
        event = decode_message(Message("file", 0, 0, data, 0), self._settings.project)
        if isinstance(event, DeadLetter):
            return Tried(what, [f"not an event: {event.reason}"])
        event.person = Join(Nobody()).person_of(event)
        site = Site(self._settings.site_url, group_types=dict(self._settings.group_types))
        found = dry_run(destination, EventView(event, site))
        requests = [f"{request.method} {destination.redact(request.url)}" for request in found.requests]
        requests += [f"postHogCapture of {len(found.captured)} event"] if found.captured else []
        return Tried(what, [found.error] if found.error else [], found.matches, requests)


def _made_up(destination: Destination) -> dict[str, bytes]:
    """One event that has all that the destination reads, as SDKs send it and as a row."""
    names = destination.filter.event_names
    event = made_up_event(destination.reads, min(names) if names else "$pageview")
    return {"capture shape": _captured(event), "row of clickhouse_events_json": _row(event)}


def _captured(event: Event) -> bytes:
    assert event.person is not None
    return orjson.dumps(
        {
            "uuid": event.uuid,
            "event": event.event,
            "distinct_id": event.distinct_id,
            "timestamp": event.timestamp,
            "properties": orjson.Fragment(event.properties),
            # In this shape the person comes from the job's table; here it has to come along.
            "person_id": event.person.id,
            "person_properties": orjson.Fragment(event.person.properties),
        }
    )


def _row(event: Event) -> bytes:
    assert event.person is not None
    return orjson.dumps(
        {
            "uuid": event.uuid,
            "event": event.event,
            "team_id": event.project,
            "distinct_id": event.distinct_id,
            "person_id": event.person.id,
            "timestamp": event.timestamp.replace("T", " ").removesuffix("Z"),
            "properties": event.properties.decode(),
            "person_properties": event.person.properties.decode(),
            "elements_chain": "",
        }
    )

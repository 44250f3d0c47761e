"""Everything that a running job consists of, made from its settings and handed to the steps by `flows.deliver`."""

import fcntl
import logging
import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TextIO

from catalog.loading import builtin
from connectors.backlog_source import BacklogSource
from connectors.capture import FileCapture, KafkaCapture
from connectors.commands import Commands
from connectors.commands_source import PART, CommandsSource
from connectors.config_store import ConfigStore
from connectors.desk import Desk
from connectors.events_source import EventsSource
from connectors.http import HttpTransport
from connectors.journal import Journal, JournalError, Keep
from connectors.journal_sink import JournalSink, JournalWriter
from connectors.jsonl import FileLog, StdinLog
from connectors.kafka import KafkaLog
from connectors.lane import Beats
from connectors.log import Log
from connectors.notices import Notices
from connectors.notifier import Notifier, Told
from connectors.person_feed import PersonFeed
from connectors.person_inputs import Input as PersonInput
from connectors.person_inputs import JsonLines, KafkaTopic, Role
from connectors.person_table import PersonTable
from connectors.retention_watch import RetentionWatch
from delivery import Handoff, Position, Progress, Strain
from destinations import Secrets, Site, Watched
from destinations.notify import Notify
from flows.gate import Gate
from flows.settings import FileInput, Input, KafkaInput, Settings, SettingsError, Table
from operators.deliver import Delivery
from operators.join_person import Join
from records import Source

_log = logging.getLogger("offramp")


class Job:
    """Opened by the constructor, running between `start` and `close`."""

    def __init__(self, settings: Settings) -> None:
        """Open everything that can be wrong before the engine starts.

        Raises:
            SettingsError, ValueError: Something that the settings name cannot be had; the text says what to do.
        """
        self.settings = settings
        self._lock = _lock(settings.state)
        self._capture = _capture(settings)
        self._transport = HttpTransport(allow=settings.allow, capture=self._capture)
        self.progress = Progress(busy=Strain(self._transport.late_s).busy)
        self.handoff = Handoff()
        site = Site(settings.site_url, dict(settings.group_types))
        self._store = Journal(settings.journal, keep=Keep(settings.journal_days, settings.ledger_days))
        watched = Watched(settings.destinations, Secrets(settings.secret, settings.secret.why_missing), builtin())
        self._notices = Notices(settings.journal)
        self._notifier = Notifier(self._transport, self._told, self._notices)
        self.writer = JournalWriter(self._store, self._store.statuses(), self._problem, notify=self._notifier.tell)
        # A destination that waits for what nobody reads is told so.
        unread = {} if settings.persons else {Source.PERSON_UPDATES: "--persons"}
        self.destinations = ConfigStore(watched, site, self.writer.show, self.writer.statuses, unread=unread)
        self.journal = JournalSink(self.writer)
        self._people = PersonTable(settings.state / "persons")
        self._feed = _feed(settings, self._people)
        self.gate = Gate(self.progress, self._persons_ready, settings.shutdown_grace_s)
        persons = {log.stream: log for log in logs_of_persons(settings)}
        self.persons = frozenset(persons)
        """The streams whose messages are persons."""
        logs = {log.stream: log for log in (log_of(one, settings.kafka) for one in settings.events)} | persons
        memory, beats = settings.state / "parts.json", Beats(settings.snapshot_interval_s)
        self.resumed = memory.exists()
        wanted = dict.fromkeys(persons, partial(self.destinations.takes, Source.PERSON_UPDATES))
        self.events = EventsSource(
            list(logs.values()), self.gate, settings.start, settings.until_end, memory, beats, wanted
        )
        live = self.events.messages_read
        self.backlog = BacklogSource(logs, self.handoff, self.gate, settings.until_end, beats, live)
        retention = RetentionWatch(logs.values(), lambda: self.writer.statuses.copy(), self.writer.put)
        self.desk = Desk(Commands(settings.journal), logs, self._unknown, self._idle, retention.check, self._refused)
        end = self._commands_end if settings.until_end else None
        self.commands = CommandsSource(self.desk, self.gate, end, beats)
        self.join = Join(self._people, settings.group_types)
        self.delivery = Delivery(
            self._transport,
            self.handoff,
            self.progress,
            self.destinations.find,
            self.destinations.removed,
            self.gate.drain_until,
            # Standard input cannot be read again: nothing waits for its return.
            readable=lambda stream: stream in logs or stream == StdinLog.stream,
            listed=self.writer.listed,
            failed_since=self._failed_since,
        )

    def start(self) -> None:
        """Start everything that runs beside the engine."""
        for part in self.events.present:
            self.progress.part_opened(part)
        if self.settings.until_end:
            self.progress.part_opened(PART)
        self.writer.start()
        self.destinations.open()
        self.events.begin()
        self.desk.start()
        self._transport.start()
        self._notifier.start()
        if self._feed is not None:
            self._feed.start()

    def close(self) -> None:
        """End what `start` started, in the opposite order; the journal is complete afterwards."""
        self.desk.close()
        self.destinations.close()
        self.writer.close()
        # Behind the writer, which hands on the last changes of health.
        self._notifier.close()
        self._notices.close()
        self._transport.close()
        if self._capture is not None:
            self._capture.close()
        if self._feed is not None:
            self._feed.close()
        self._people.close()
        self._store.close()
        self._lock.close()

    @property
    def failure(self) -> str:
        """Why the job had to end by itself; empty when it had not."""
        return "" if self._feed is None else self._feed.failure or ""

    @property
    def failed(self) -> bool:
        """Whether the exit code is to be 1: it had to end by itself, or ended with deliveries that failed for good."""
        return bool(self.failure or (self.settings.until_end and self.writer.failed))

    def _persons_ready(self) -> bool:
        if self.failure and not self.gate.stopping():
            # Events must not meet a table that nobody keeps up to date.
            self.gate.stop()
        return self._feed is None or self._feed.ready.is_set()

    def _failed_since(self, destination: str, since: float) -> set[Position]:
        try:
            return self._store.failed_since(destination, since)
        except JournalError as error:
            # At worst the ledger names what is delivered after all.
            _log.warning("the ledger cannot be read: %s", error)
            return set()

    def _problem(self, destination: str) -> str:
        return self.destinations.problem(destination)

    def _told(self, destination: str) -> Told | None:
        """What is told of a destination when its health changes, and to whom."""
        found = self.destinations.find(destination)
        if found is None:
            return None
        webhooks = {"own": found.notify} if found.notify is not None else {}
        if self.settings.notify is not None:
            webhooks["all"] = Notify(self.settings.notify)
        return Told(found.name, found.url(self.destinations.site, self.settings.project), webhooks)

    def _commands_end(self) -> Iterable[str]:
        ids = self.destinations.ids()
        self.progress.part_ended(PART, ids)
        return ids

    def _unknown(self, destination: str) -> str:
        if self.destinations.has(destination):
            return ""
        there_are = ", ".join(self.destinations.ids()) or "none"
        return f"there is no destination '{destination}'; there are: {there_are}"

    def _refused(self, destination: str, stream: str) -> str:
        found = self.destinations.find(destination)
        source = Source.PERSON_UPDATES if stream in self.persons else Source.EVENTS
        if found is None or found.source is source:
            return ""
        return f"destination '{destination}' takes {found.source}, and {stream} has {source}"

    def _idle(self, destination: str) -> str:
        if self.destinations.find(destination) is not None:
            return ""
        why = self._problem(destination) or "its file says 'enabled: false'"
        return f"destination '{destination}' does not run: {why}"


def log_of(one: Input, client: Mapping[str, str], compacted: bool = False) -> Log:
    """The log that an input names; nothing is opened."""
    if isinstance(one, KafkaInput):
        return KafkaLog(one.servers, one.topic, client, compacted=compacted)
    return FileLog(one.path) if isinstance(one, FileInput) else StdinLog()


def logs_of_persons(settings: Settings) -> list[Log]:
    """The persons as a log of their changes, beside the table that is made of them."""
    return [] if settings.persons is None else [log_of(settings.persons[0], settings.kafka, compacted=True)]


def _capture(settings: Settings) -> KafkaCapture | FileCapture | None:
    output = settings.capture
    if output is None:
        return None
    if isinstance(output, KafkaInput):
        return KafkaCapture(output.servers, output.topic, settings.kafka)
    return FileCapture(output.path)


def _feed(settings: Settings, people: PersonTable) -> PersonFeed | None:
    inputs = []
    if settings.persons is not None:
        persons, distinct_ids = settings.persons
        inputs += [
            _person_input(Role.PERSONS, persons, settings.kafka),
            _person_input(Role.DISTINCT_IDS, distinct_ids, settings.kafka),
        ]
    if settings.groups is not None:
        inputs.append(_person_input(Role.GROUPS, settings.groups, settings.kafka))
    return PersonFeed(people, inputs) if inputs else None


def _person_input(role: Role, table: Table, client: Mapping[str, str]) -> PersonInput:
    if isinstance(table, KafkaInput):
        return KafkaTopic(role, table.servers, table.topic, dict(client))
    return JsonLines(role, table.path)


def _lock(state: Path) -> TextIO:
    """Hold the state folder: two jobs on one would each send everything and lose the other's place."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock = (state / "lock").open("a+")
    except OSError as error:
        raise SettingsError(f"--state {state}: cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise SettingsError(
            f"--state {state}: another job is running on it (process {lock.read().strip() or 'unknown'}); "
            "stop it, or give another --state"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock

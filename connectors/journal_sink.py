"""Takes journal records from the flow and writes them a few times a second, so that no worker waits for a disk."""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec
from bytewax.outputs import DynamicSink, StatelessSinkPartition

from connectors.journal_buffer import Record as StoredRecord
from records import DeadLetter, Failure, HealthChange, LogLine, Metric, Status

Record = StoredRecord | HealthChange

FLUSH_EVERY_S = 0.25
"""A crash loses at most this much of the journal; what is owed is in the engine's snapshots, not here."""
ANNOUNCE_EVERY_S = 5.0
HEARTBEAT_EVERY_S = 5.0
MAX_QUEUED_BYTES = 32 << 20
LINE_BYTES = 200
"""For the line itself, so that empty ones cannot pile up without end."""

_log = logging.getLogger("offramp.journal")


class _Shown(msgspec.Struct, frozen=True):
    """A status that the configuration tells of, not an operator."""

    status: Status


class JournalStore(Protocol):
    """Where records end up; see `connectors.journal`."""

    def write(self, records: Iterable[StoredRecord]) -> str:
        """Keep these records; raises nothing. The answer says what is wrong, empty when nothing is."""

    def forget_status(self, destination: str) -> str:
        """Remove the status of a destination that is gone."""


class Announcer:
    """Tells the process log of errors and warnings: of each kind one line per destination and `ANNOUNCE_EVERY_S`.

    An endpoint that is down fails thousands of times: one line with a count says as much as thousands of lines.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said_at: dict[tuple[str, int], float] = {}
        self._unsaid: Counter[tuple[str, int]] = Counter()

    def announce(self, record: Record) -> None:
        """Log a record that a person should know of."""
        if isinstance(record, DeadLetter):
            position = f"{record.stream}/{record.partition}:{record.offset}"
            text = f"{position}: not an event, kept as a dead letter: {record.reason}"
            self._say("dead letters", logging.WARNING, text)
        elif isinstance(record, LogLine) and record.level in ("warn", "error"):
            level = logging.ERROR if record.level == "error" else logging.WARNING
            self._say(record.log_source_id, level, f"destination '{record.log_source_id}': {record.message}")

    def finish(self) -> None:
        """Tell how many lines were held back since the last ones."""
        for (topic, level), count in self._unsaid.items():
            kind = logging.getLevelName(level).lower()
            logging.getLogger(f"offramp.{topic}").log(level, "%s: %d more like the last %s", topic, count, kind)
        self._unsaid.clear()

    def _say(self, topic: str, level: int, text: str) -> None:
        now, key = self._clock(), (topic, level)
        if now - self._said_at.get(key, float("-inf")) < ANNOUNCE_EVERY_S:
            self._unsaid[key] += 1
            return
        self._said_at[key] = now
        more = self._unsaid.pop(key, 0)
        suffix = f" (and {more} more like it since the last line)" if more else ""
        logging.getLogger(f"offramp.{topic}").log(level, "%s%s", text, suffix)


class JournalWriter:
    """A thread between the flow and the journal. `put` never blocks; `close` writes what is left."""

    def __init__(
        self,
        store: JournalStore,
        statuses: Iterable[Status] = (),
        problem: Callable[[str], str] = lambda _: "",
        announcer: Announcer | None = None,
        notify: Callable[[HealthChange], None] = lambda _: None,
    ) -> None:
        """`statuses` are those of the last run; `problem` says what is wrong with a destination's file now.

        `notify` is told every change of health, on the writer's thread; the journal does not keep them.
        """
        self.statuses = {status.id: status for status in statuses}
        """The latest status of each destination."""
        self.failed = 0
        """Deliveries that failed for good in this run."""
        self.settled = 0
        """Deliveries that came to an end in this run, well or not."""
        self.dead_letters = 0
        self._failed_at: dict[str, float] = {}
        self._written_at: dict[str, float] = {}
        self._listed: dict[str, float] = {}
        self._store = store
        self._problem = problem
        self._announcer = announcer or Announcer()
        self._notify = notify
        self._complaint = ""
        self._beat_at = 0.0
        self._removed: set[str] = set()
        self._queue: deque[Record | _Shown] = deque()
        self._putting = threading.Lock()
        self._put_bytes = self._taken_bytes = 0
        self._left_out = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, records: Iterable[Record]) -> None:
        """Take records; they are written within `FLUSH_EVERY_S`.

        What comes faster than the disk takes it loses its bodies first, then its lines, then entries of the ledger:
        history may be lost, the job's memory may not.
        """
        with self._putting:
            for record in records:
                if isinstance(record, LogLine | Failure):
                    queued = self._put_bytes - self._taken_bytes
                    if queued > (2 if isinstance(record, LogLine) else 4) * MAX_QUEUED_BYTES:
                        self._left_out += 1
                        continue
                    if record.body and queued > MAX_QUEUED_BYTES:
                        self._left_out += 1
                        record = msgspec.structs.replace(record, body=b"")
                    self._put_bytes += _size(record)
                self._queue.append(record)

    def listed(self, destination: str) -> float:
        """The time of the latest failure of a destination that is written in the ledger, and so are those before it."""
        return self._listed.get(destination, 0.0)

    def close(self) -> None:
        """Write what is left and end the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_EVERY_S):
            self._flush()
        self._flush()
        self._announcer.finish()

    def show(self, status: Status) -> None:
        """Show the state of a destination that no operator speaks for now; counts that are known stay."""
        self._queue.append(_Shown(status))

    def _flush(self) -> None:
        # Here and below, on the one thread: nobody else touches `statuses` while it is gone through.
        batch: list[StoredRecord] = []
        # What is there now: what comes meanwhile must wait for the disk.
        for _ in range(len(self._queue)):
            item = self._queue.popleft()
            if isinstance(item, LogLine | Failure):
                self._taken_bytes += _size(item)
            if not isinstance(item, _Shown):
                batch += self._note(item)
            elif item.status.state == "removed":
                self._write(batch)
                batch = []
                self._remove(item.status.id)
            else:
                batch.append(self._merge(item.status))
        if time.monotonic() - self._beat_at >= HEARTBEAT_EVERY_S:
            # An idle destination has nothing to say, and must not look as if no job were running.
            self._beat_at = time.monotonic()
            now = time.time()
            self.statuses = {id: _as_of(now, status) for id, status in self.statuses.items()}
            batch += self.statuses.values()
        self._write(batch)
        if not self._complaint:
            # One flush late: failures of one moment may have come in two parts.
            self._listed.update(self._written_at)
            self._written_at, self._failed_at = self._failed_at, {}
        if self._left_out:
            # Not locked: a count that is a little late comes with the next flush.
            left_out, self._left_out = self._left_out, 0
            _log.warning("the journal cannot keep up: %d records were cut or left out", left_out)

    def _merge(self, shown: Status) -> Status:
        self._removed.discard(shown.id)
        known = self.statuses.get(shown.id)
        if known is not None:
            changes = {"name": shown.name, "state": shown.state, "at": shown.at, "problem": shown.problem}
            shown = msgspec.structs.replace(known, **changes)
        self.statuses[shown.id] = shown
        return shown

    def _remove(self, destination: str) -> None:
        self._removed.add(destination)
        self.statuses.pop(destination, None)
        self._complain(self._store.forget_status(destination))

    def _write(self, batch: list[StoredRecord]) -> None:
        if batch:
            self._complain(self._store.write(batch))

    def _note(self, record: Record) -> list[StoredRecord]:
        if isinstance(record, HealthChange):
            self._notify(record)
            return []
        if isinstance(record, Status):
            if record.id in self._removed:
                # It was on its way when the file went: nothing would ever take it away again.
                return []
            known = self.statuses.get(record.id)
            if known is not None and not record.name:
                # It does not run at present: whoever knows why has told the rest of it.
                same = {"name": known.name, "state": known.state, "problem": known.problem}
                record = msgspec.structs.replace(record, **same)
            if problem := self._problem(record.id):
                record = msgspec.structs.replace(record, state="invalid", problem=problem)
            self.statuses[record.id] = record
        elif isinstance(record, Metric):
            if record.metric_kind == "failure":
                self.failed += record.count
            if record.metric_kind in ("failure", "success"):
                self.settled += record.count
        else:
            if isinstance(record, Failure):
                self._failed_at[record.destination] = record.at
            self.dead_letters += isinstance(record, DeadLetter)
            self._announcer.announce(record)
        return [record]

    def _complain(self, complaint: str) -> None:
        if complaint and not self._complaint:
            _log.error("%s", complaint)
        elif self._complaint and not complaint:
            _log.info("the journal is written again")
        self._complaint = complaint


def _size(record: LogLine | Failure) -> int:
    text = record.message if isinstance(record, LogLine) else record.reason
    return LINE_BYTES + len(text) + len(record.body)


def _as_of(now: float, status: Status) -> Status:
    """What nobody has changed since: what is owed is older by now."""
    lag_s = status.lag_s + max(0.0, now - status.at) if status.owed and status.lag_s else status.lag_s
    return msgspec.structs.replace(status, at=now, lag_s=lag_s)


class _Partition(StatelessSinkPartition[Record]):
    def __init__(self, writer: JournalWriter) -> None:
        self._writer = writer

    def write_batch(self, items: list[Record]) -> None:
        self._writer.put(items)


class JournalSink(DynamicSink[Record]):
    """Each worker hands its records to the one writer of its process. Does not block."""

    def __init__(self, writer: JournalWriter) -> None:
        self._writer = writer

    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Partition:
        """Build the worker's end."""
        return _Partition(self._writer)

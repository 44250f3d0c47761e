"""What waits to be written to the journal: bounded, so that a full disk costs history and never the job's memory.

Pure: no file, no clock.
"""

from collections import deque
from collections.abc import Iterable

import msgspec

from records import DeadLetter, Failure, FailuresTaken, LogLine, Metric, Status

LedgerRecord = Failure | FailuresTaken
Record = LogLine | Metric | Status | DeadLetter | LedgerRecord

MAX_LOGS = 50_000
MAX_METRICS = 100_000
MAX_BYTES = 64 << 20
KEPT_VALUE_BYTES = 1 << 20
"""Of a dead letter's value."""


class KeptDeadLetter(msgspec.Struct, frozen=True):
    """A dead letter whose value may have been cut; `size` is what it was."""

    letter: DeadLetter
    size: int


class JournalBuffer:
    """Records in the order they came; metrics added up, statuses replaced by the latest, dead letters one per position.

    Units: bytes count messages, bodies and values. Limits: kept by `shrink`; past `max_bytes`, or their own count, the
    oldest log lines go first, then the oldest dead letters, then the oldest of the ledger, then the oldest metrics.
    """

    def __init__(self, *, max_logs: int = MAX_LOGS, max_metrics: int = MAX_METRICS, max_bytes: int = MAX_BYTES) -> None:
        self.logs: deque[LogLine] = deque()
        self.metrics: dict[tuple[str, int, str, str], int] = {}
        self.statuses: dict[str, Status] = {}
        self.forgotten: set[str] = set()
        self.dead_letters: dict[tuple[str, int, int], KeptDeadLetter] = {}
        self.ledger: deque[LedgerRecord] = deque()
        """In the order they came: the same delivery may enter, leave and enter again."""
        self.dropped = 0
        """Since the buffer was made; never goes back."""
        self._max_logs = max_logs
        self._max_metrics = max_metrics
        self._max_bytes = max_bytes
        self._bytes = 0

    def __len__(self) -> int:
        """How many records wait."""
        kinds = (self.logs, self.metrics, self.statuses, self.forgotten, self.dead_letters, self.ledger)
        return sum(map(len, kinds))

    def add(self, records: Iterable[Record]) -> None:
        """Takes all of them, also above the limits: what can be written at once need not be small."""
        for record in records:
            if isinstance(record, LogLine):
                self.logs.append(record)
                self._bytes += _log_size(record)
            elif isinstance(record, Metric):
                key = (record.app_source_id, record.minute, record.metric_kind, record.metric_name)
                self.metrics[key] = self.metrics.get(key, 0) + record.count
            elif isinstance(record, Status):
                self.statuses[record.id] = record
                self.forgotten.discard(record.id)
            elif isinstance(record, DeadLetter):
                self._add_dead_letter(record)
            else:
                self.ledger.append(record)
                self._bytes += _ledger_size(record)

    def forget(self, destination: str) -> None:
        """The destination has no status any more."""
        self.statuses.pop(destination, None)
        self.forgotten.add(destination)

    def clear(self) -> None:
        """Everything is written."""
        self.logs.clear()
        self.metrics.clear()
        self.statuses.clear()
        self.forgotten.clear()
        self.dead_letters.clear()
        self.ledger.clear()
        self._bytes = 0

    def shrink(self) -> None:
        """Drops and counts what is above the limits."""
        while self.logs and (len(self.logs) > self._max_logs or self._bytes > self._max_bytes):
            self._bytes -= _log_size(self.logs.popleft())
            self.dropped += 1
        while self.dead_letters and self._bytes > self._max_bytes:
            self._bytes -= _letter_size(self.dead_letters.pop(next(iter(self.dead_letters))))
            self.dropped += 1
        while self.ledger and self._bytes > self._max_bytes:
            self._bytes -= _ledger_size(self.ledger.popleft())
            self.dropped += 1
        while len(self.metrics) > self._max_metrics:
            del self.metrics[next(iter(self.metrics))]
            self.dropped += 1

    def _add_dead_letter(self, letter: DeadLetter) -> None:
        position = (letter.stream, letter.partition, letter.offset)
        if position in self.dead_letters:
            return
        size = len(letter.value)
        if size > KEPT_VALUE_BYTES:
            letter = msgspec.structs.replace(letter, value=letter.value[:KEPT_VALUE_BYTES])
        self.dead_letters[position] = KeptDeadLetter(letter, size)
        self._bytes += _letter_size(self.dead_letters[position])


# All count a little for the record itself, so that empty ones cannot pile up without end.
def _log_size(line: LogLine) -> int:
    return 200 + len(line.message) + len(line.body)


def _letter_size(kept: KeptDeadLetter) -> int:
    return 200 + len(kept.letter.reason) + len(kept.letter.value)


def _ledger_size(record: LedgerRecord) -> int:
    if isinstance(record, FailuresTaken):
        return 200 + 8 * len(record.offsets)
    return 200 + len(record.reason) + len(record.body)

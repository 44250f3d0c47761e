"""settle: what became of each attempt, as the journal keeps it: log lines, metrics, status records, the ledger."""

from collections import Counter
from collections.abc import Iterable

import bytewax.operators as op
from bytewax.dataflow import Stream
from bytewax.operators import KeyedStream

from records import Failure, FailuresTaken, HealthChange, LogLine, Metric, Note, Outcome, Status, Verdict

MAX_MESSAGE_CHARS = 10_000
LEDGER_BODY_BYTES = 4096
"""Of the last response, in the ledger; the log has more of it."""

Record = LogLine | Metric | Status | Failure | FailuresTaken | HealthChange

_LEVELS = {"degraded": "warn", "quarantined": "warn", "attention": "warn", "disabled": "error"}

_METRICS = {
    Verdict.DELIVERED: ("success", "succeeded"),
    Verdict.FAILED: ("failure", "failed"),
    Verdict.RETRYING: ("other", "retried"),
    Verdict.SKIPPED: ("other", "skipped"),
}


Result = Outcome | Status | Metric | LogLine | HealthChange


def settle(step_id: str, up: KeyedStream[Result]) -> Stream[Record]:
    """Turn outcomes into journal records.

    Shape: in `(destination, Result)`, out log lines, metrics, status records, ledger entries and changes of health.

    Guarantee: records of outcomes after the last snapshot come again when their deliveries do.
    """
    return op.flat_map_batch(step_id, up, lambda batch: records_of([item for _, item in batch]))


def records_of(results: Iterable[Result]) -> list[Record]:
    """The journal records of one batch, its metrics added up."""
    records: list[Record] = []
    counts: Counter[tuple[str, int, str, str]] = Counter()
    for result in results:
        if isinstance(result, HealthChange):
            counts[result.destination, int(result.at // 60) * 60, "other", result.after] += 1
            records += [result, _change_line(result)]
            continue
        if not isinstance(result, Outcome):
            records.append(result)
            continue
        kind, name = _METRICS[result.verdict]
        counts[result.destination, int(result.at // 60) * 60, kind, name] += 1
        records += [_note_line(result, note) for note in result.notes]
        if result.verdict is not Verdict.DELIVERED:
            records.append(_line(result))
        if result.verdict is Verdict.FAILED:
            records.append(_failure(result))
        if result.listed:
            position = (result.stream, result.partition, [result.offset], result.mapping)
            records.append(FailuresTaken(result.destination, *position))
    for (destination, minute, kind, name), count in counts.items():
        records.append(Metric(destination, minute, kind, name, count))
    return records


def _failure(outcome: Outcome) -> Failure:
    return Failure(
        destination=outcome.destination,
        invocation=outcome.invocation,
        at=outcome.at,
        stream=outcome.stream,
        partition=outcome.partition,
        offset=outcome.offset,
        event_uuid=outcome.event_uuid,
        event_name=outcome.event_name,
        attempts=outcome.attempts,
        reason=outcome.reason[:MAX_MESSAGE_CHARS],
        status=outcome.status,
        body=outcome.body[:LEDGER_BODY_BYTES],
        mapping=outcome.mapping,
    )


def _change_line(change: HealthChange) -> LogLine:
    text = f"{change.before} -> {change.after}: {change.reason}"[:MAX_MESSAGE_CHARS]
    return LogLine(change.destination, change.at, _LEVELS.get(change.after, "info"), text, "", change.response.encode())


def _note_line(outcome: Outcome, note: Note) -> LogLine:
    message = note.message[:MAX_MESSAGE_CHARS]
    return LogLine(outcome.destination, note.at, note.level, message, outcome.invocation, note.body)


def _line(outcome: Outcome) -> LogLine:
    position = f"{outcome.stream}/{outcome.partition}:{outcome.offset}"
    where = f"event {outcome.event_name!r} {outcome.event_uuid} at {position}"
    if outcome.mapping:
        where = f"mapping {outcome.mapping!r}, {where}"
    if outcome.verdict is Verdict.RETRYING:
        level, text = "warn", f"{outcome.reason}; attempt {outcome.attempts}, will be tried again ({where})"
    else:
        level, text = "error", f"{outcome.reason} ({where})"
    return LogLine(
        log_source_id=outcome.destination,
        timestamp=outcome.at,
        level=level,
        message=text[:MAX_MESSAGE_CHARS],
        instance_id=outcome.invocation,
        body=outcome.body,
    )

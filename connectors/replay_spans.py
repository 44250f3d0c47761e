"""What a wish for a replay means in the log: positions and times become spans that exist.

Blocks while brokers are asked, up to some seconds for each partition, or while a file is searched. Raises LogError.
"""

from collections.abc import Mapping

from connectors.commands import Position, Wish
from connectors.log import Log, LogError
from records import Span


def spans_of(wish: Wish, logs: Mapping[str, Log], asked_at: float | None = None) -> list[Span]:
    """Positions of these logs, by stream; at least one.

    Ends that are not given are the ends of the log now, or at the moment `asked_at`.
    """
    if wish.spans:
        return wish.spans
    if wish.first is not None:
        return [_between(wish.first, wish.last, logs, asked_at)]
    replayable = [log for log in logs.values() if log.replayable]
    if not replayable:
        raise LogError("standard input cannot be read again")
    spans = [span for log in replayable for span in _since(wish, log, asked_at)]
    if not spans:
        raise LogError("nothing to replay: no input has a message of that time")
    return spans


def positions_in(spans: list[Span]) -> int:
    """How many positions are to be read; bytes where the log is a file."""
    return sum(span.positions for span in spans)


def _between(first: Position, last: Position | None, logs: Mapping[str, Log], asked_at: float | None) -> Span:
    log = _log(first.stream, logs)
    partitions = log.partitions()
    where = f"{log.stream}/{first.partition}"
    if first.partition not in partitions:
        raise LogError(f"{log.stream} has no partition {first.partition}; it has {_listed(partitions)}")
    if last is not None and (_log(last.stream, logs) is not log or last.partition != first.partition):
        raise LogError("--from and --to are in different partitions; give one replay for each")
    begin, end = log.start_offset(first.partition), _end(log, first.partition, asked_at if last is None else None)
    if first.offset < begin:
        gone = f"{first.offset} to {begin - 1} are gone, retention has deleted them"
        raise LogError(f"{where} begins at {begin} now: {gone}; give --from {where}:{begin}")
    start = log.align(first.partition, first.offset)
    stop = end - 1 if last is None else min(last.offset, end - 1)
    if start > stop:
        wrong_way = last is not None and last.offset < first.offset
        why = (
            f"--to {last.offset} lies before --from {first.offset}" if wrong_way and last else f"{where} ends at {end}"
        )
        raise LogError(f"nothing to replay: {why}")
    return Span(log.stream, first.partition, start, stop)


def _since(wish: Wish, log: Log, asked_at: float | None) -> list[Span]:
    assert wish.since is not None
    spans = []
    for partition in log.partitions():
        first = log.offset_at(partition, wish.since)
        last = _end(log, partition, wish.until or asked_at) - 1
        if first <= last:
            spans.append(Span(log.stream, partition, first, last))
    return spans


def _end(log: Log, partition: int, moment: float | None) -> int:
    end = log.end_offset(partition)
    return end if moment is None else min(end, log.offset_at(partition, moment))


def _log(name: str, logs: Mapping[str, Log]) -> Log:
    """The input of this name: whole (`kafka:events`), or without its kind, or the name of a file alone."""
    found = [log for stream, log in logs.items() if name in (stream, stream.partition(":")[2])]
    found = found or [log for stream, log in logs.items() if stream.startswith("file:") and stream.endswith(f"/{name}")]
    if not found:
        raise LogError(f"the job does not read {name!r}; its inputs are {', '.join(logs)}")
    if not found[0].replayable:
        raise LogError("standard input cannot be read again")
    return found[0]


def _listed(partitions: list[int]) -> str:
    return f"{partitions[0]} to {partitions[-1]}" if len(partitions) > 1 else f"only {partitions[0]}"

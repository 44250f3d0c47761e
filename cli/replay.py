"""`offramp replay`: sends again what is in the log, or what failed, to one destination."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from cli.destination import IdArgument, Line, line_to, person, refuse_failed, refuse_unanswered, report
from cli.failed import ErrorOption, StatusOption
from cli.options import ApiOption, JsonOption, StateOption
from cli.output import fail, span
from cli.replay_progress import is_terminal, show, tell_begun
from cli.replay_wishes import moment_of, position_of
from connectors.commands import Wish, spans_of_failed
from connectors.journal import JournalReader
from connectors.replay_spans import positions_in
from records import CommandKind, Span

if TYPE_CHECKING:
    from cli.api_client import ApiReader

RATE_OVER_S = 300


def _option(flag: str, metavar: str, help: str) -> typer.models.OptionInfo:
    return typer.Option(flag, metavar=metavar, help=help, show_default=False)  # type: ignore[no-any-return]


FROM = _option("--from", "TOPIC/PARTITION:OFFSET", "The first position. Of a file: events.jsonl/0:BYTE.")
TO = _option("--to", "TOPIC/PARTITION:OFFSET", "The last position. Default: the end of the partition as it is now.")
FROM_TIME = _option("--from-time", "TIME", "All inputs from this moment on: 2026-11-20T10:00:00Z, or 2h, 3d ago.")
TO_TIME = _option("--to-time", "TIME", "Up to this moment, which does not belong to it. Default: now.")
FAILED = typer.Option("--failed", help="The deliveries that offramp failed lists; they are owed again.")
DRY = typer.Option("--dry-run", help="Only say how much it would be.")
DETACH = typer.Option("--detach", help="Do not wait for the end.")
PAUSE = typer.Option("--pause", help="Let the replays of this destination rest.")
RESUME = typer.Option("--resume", help="Let them go on.")
CANCEL = typer.Option("--cancel", help="End them; what they have not sent is given up.")
PROGRESS = typer.Option("--progress", help="Show how far they are.")


def replay(
    destination: IdArgument,
    from_: Annotated[str | None, FROM] = None,
    to: Annotated[str | None, TO] = None,
    from_time: Annotated[str | None, FROM_TIME] = None,
    to_time: Annotated[str | None, TO_TIME] = None,
    failed: Annotated[bool, FAILED] = False,
    status: StatusOption = "",
    error: ErrorOption = "",
    dry_run: Annotated[bool, DRY] = False,
    detach: Annotated[bool, DETACH] = False,
    pause: Annotated[bool, PAUSE] = False,
    resume: Annotated[bool, RESUME] = False,
    cancel: Annotated[bool, CANCEL] = False,
    progress: Annotated[bool, PROGRESS] = False,
    state: StateOption = None,
    api: ApiOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send again what is in the log, or what failed. With the destination as it is configured now, and the same
    webhook-id as before.

    Everything that matches is sent, also what was delivered before. On a terminal the progress is shown until the end;
    Ctrl-C leaves it running.
    """
    given = {
        "--from": from_ is not None,
        "--from-time": from_time is not None,
        "--failed": failed,
        "--pause": pause,
        "--resume": resume,
        "--cancel": cancel,
        "--progress": progress,
    }
    _refuse_mixed(given, {"--to": to, "--to-time": to_time, "--status": status, "--error": error})
    with line_to(state, api, destination) as line:
        if progress:
            show(line, as_json=as_json)
            return
        if pause or resume or cancel:
            _steer(line, destination, pause=pause, cancel=cancel)
            return
        if not isinstance(line.journal, JournalReader):
            from cli.api_line import body_of
            from cli.api_replay import replay_there

            # What has failed is known there, so it is asked for by what it is like.
            body: dict[str, object] = {"kind": "replay", "failed": True, "status": status, "error": error}
            if not failed:
                body = body_of(_of_log(from_, to, from_time, to_time, dry=dry_run))
            replay_there(line, body | {"dry": dry_run}, wait=is_terminal() and not detach, as_json=as_json)
            return
        if failed:
            wishes = _of_failed(line.journal, destination, status, error)
        else:
            wishes = [_of_log(from_, to, from_time, to_time, dry=dry_run)]
        if dry_run:
            _tell_size(line, destination, wishes, as_json=as_json)
        else:
            _begin(line, destination, wishes, wait=is_terminal() and not detach)


def _refuse_mixed(given: Mapping[str, bool], narrowing: Mapping[str, str | None]) -> None:
    chosen = [flag for flag, is_given in given.items() if is_given]
    if len(chosen) != 1:
        said = f"{' and '.join(chosen)} do not go together" if chosen else "nothing says what to replay"
        fail(f"offramp replay: {said}; give one of {', '.join(given)}", 2)
    needs = {"--to": "--from", "--to-time": "--from-time", "--status": "--failed", "--error": "--failed"}
    for flag, value in narrowing.items():
        if value and needs[flag] != chosen[0]:
            fail(f"offramp replay: {flag} goes with {needs[flag]}, not with {chosen[0]}", 2)


def _steer(line: Line, destination: str, *, pause: bool, cancel: bool) -> None:
    kind = CommandKind.PAUSE_REPLAYS if pause else CommandKind.RESUME_REPLAYS
    word = "pause" if pause else "go on"
    if cancel:
        kind, word = CommandKind.CANCEL_REPLAYS, "end"
    if line.running() and not line.status.replays:
        typer.echo(f"{destination} has no replay under way")
        return
    told = line.tell(Wish(kind, person()))
    report(told, f"the replays of {destination} will {word}")
    if told.running:
        show(line)


def _of_log(from_: str | None, to: str | None, from_time: str | None, to_time: str | None, *, dry: bool) -> Wish:
    now = time.time()
    at = "--from"
    try:
        if from_ is not None:
            first, at = position_of(from_), "--to"
            last = None if to is None else position_of(to)
            return Wish(CommandKind.REPLAY, person(), first=first, last=last, dry=dry)
        at = "--from-time"
        since, at = moment_of(from_time or "", now), "--to-time"
        until = None if to_time is None else moment_of(to_time, now)
    except ValueError as error:
        fail(f"offramp replay: {at}: {error}", 2)
    if until is not None and until <= since:
        fail("offramp replay: --to-time is not behind --from-time", 2)
    return Wish(CommandKind.REPLAY, person(), since=since, until=until, dry=dry)


def _of_failed(journal: JournalReader, destination: str, status: str, error: str) -> list[Wish]:
    try:
        found = journal.failed_positions(destination, status=status, text=error)
    except ValueError as problem:
        fail(f"offramp replay: --status: {problem}", 2)
    if not found:
        fail(f"nothing to replay: the ledger of '{destination}' has no such delivery; offramp failed lists it", 1)
    by = person()
    return [Wish(CommandKind.REPLAY, by, spans=spans, failed=True) for spans in spans_of_failed(found)]


def _tell_size(line: Line, destination: str, wishes: list[Wish], *, as_json: bool) -> None:
    spans = [span for wish in wishes for span in wish.spans]
    failed = bool(spans)
    if failed:
        count = positions_in(spans)
    else:
        if not line.running():
            fail("no job is running, and it is the job that knows the log; start it, or leave out --dry-run", 1)
        told = line.tell(*wishes)
        refuse_failed(told)
        if told.answer is None:
            fail("the job has ended", 1)
        spans, count = told.answer.spans, told.answer.positions
    # Of a file it is bytes that are counted, and nobody knows how many events they are.
    rate = 0.0 if not failed and _of_files(spans) else _rate(line.journal, destination)
    seconds = count / rate if rate else None
    if as_json:
        known = [{"stream": s.stream, "partition": s.partition, "first": s.first, "last": s.last} for s in spans]
        what = "deliveries" if failed else "positions"
        typer.echo(msgspec.json.encode({what: count, "spans": known, "seconds": seconds}).decode())
        return
    for one in () if failed else spans:
        typer.echo(f"{one.stream}/{one.partition}: {one.first} to {one.last}")
    how_long = "unknown" if seconds is None else f"about {span(seconds)}, at the rate of the last minutes"
    if_all = "" if failed or seconds is None else ", if all of it matches"
    typer.echo(f"{_size(count, spans, failed=failed)} would be sent again. How long that takes: {how_long}{if_all}")


def _rate(journal: "JournalReader | ApiReader", destination: str) -> float:
    """Deliveries a second that came to an end within the last minutes."""
    now = time.time()
    found = journal.metrics(destination, since=now - RATE_OVER_S)
    ended = sum(one.count for one in found if one.metric_kind in ("success", "failure"))
    first = min((one.minute for one in found), default=0)
    return ended / max(now - first, 1.0)


def _begin(line: Line, destination: str, wishes: list[Wish], *, wait: bool) -> None:
    told = line.tell(*wishes)
    if not told.running:
        typer.echo(f"no job is running; when one does, the replay to {destination} begins")
        return
    refuse_unanswered(told)
    spans = [span for wish in wishes for span in wish.spans]
    failed = bool(spans)
    count = positions_in(spans)
    if told.answer is not None and not failed:
        spans, count = told.answer.spans, told.answer.positions
    tell_begun(line, told, _size(count, spans, failed=failed), count, wait=wait)


def _size(count: int, spans: list[Span], *, failed: bool) -> str:
    """`1,200 positions`; of a file it is bytes that are counted."""
    of_files = _of_files(spans)
    what = "failed deliver" if failed else "bytes of events" if of_files else "position"
    if failed:
        return f"{count:,} {what}{'y' if count == 1 else 'ies'}"
    return f"{count:,} {what}{'' if count == 1 or of_files else 's'}"


def _of_files(spans: list[Span]) -> bool:
    return any(span.stream.startswith("file:") for span in spans)

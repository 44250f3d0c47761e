"""`offramp replay` by the console's API: how much is sent again is what the job there answers."""

from collections.abc import Mapping

import msgspec
import typer

from cli.api_line import ApiLine
from cli.destination import Line, refuse_unanswered
from cli.output import fail
from cli.replay_progress import tell_begun


def replay_there(line: Line, body: Mapping[str, object], *, wait: bool, as_json: bool) -> None:
    """Give the command and say what comes of it; with `dry`, how much it would be."""
    assert isinstance(line, ApiLine)
    told = line.give(body)
    id, dry = line.status.id, bool(body.get("dry"))
    if not told.running:
        if dry:
            fail("no job is running, and it is the job that knows the log; start it, or leave out --dry-run", 1)
        typer.echo(f"no job is running; when one does, the replay to {id} begins")
        return
    refuse_unanswered(told)
    count = 0 if told.answer is None else told.answer.positions
    if as_json:
        typer.echo(msgspec.json.encode({"positions": count, "replays": [] if dry else told.ids}).decode())
        return
    size = _size(count, failed=bool(body.get("failed")))
    if dry:
        typer.echo(f"{size} would be sent again")
        return
    tell_begun(line, told, size, count, wait=wait)


def _size(count: int, *, failed: bool) -> str:
    if failed:
        return f"{count:,} failed deliver{'y' if count == 1 else 'ies'}"
    # Of a file it is bytes that are counted; the console does not say of what it is.
    return f"what matches of {count:,} position{'' if count == 1 else 's'}"

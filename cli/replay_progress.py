"""How far replays are, as `offramp replay` shows it."""

import sys
import time

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.destination import Line, Told
from cli.output import console
from records import Replay, Status

LOOK_EVERY_S = 0.3
WAITING = ("disabled", "paused", "quarantined")
"""States in which nothing is sent."""


def is_terminal() -> bool:
    """Whether somebody looks at the output."""
    return sys.stdout.isatty()


def show(line: Line, *, as_json: bool = False) -> None:
    """The replays of a destination as they are; on a terminal until their end."""
    status = line.look()
    if as_json:
        typer.echo(msgspec.json.encode(status.replays).decode())
    elif not status.replays:
        typer.echo(f"{status.id} has no replay under way")
    elif is_terminal() and not all(one.paused for one in status.replays):
        follow(line, [one.id for one in status.replays], sum(one.total for one in status.replays))
    else:
        for one in status.replays:
            typer.echo(described(one))


def described(one: Replay) -> str:
    """`replay 12: 40 % of 1,200 read, 300 matched`."""
    share = 1 - one.left / one.total if one.total else 1.0
    paused = ", paused" if one.paused else ""
    return f"replay {one.id}: {share:.0%} of {one.total:,} read, {one.matched:,} matched{paused}"


def tell_begun(line: Line, told: Told, size: str, count: int, *, wait: bool) -> None:
    """Say that a replay of this size has begun, or why it has not yet; with `wait`, follow it to its end."""
    id = told.status.id
    typer.echo(f"replay {', '.join(map(str, told.ids))} to {id}: {size}")
    if told.status.state in (*WAITING, "invalid"):
        typer.echo(f"{id} is {told.status.state}: it waits until that is over (offramp enable {id})")
    elif not told.done:
        typer.echo("the job has not begun it yet, and will")
    if wait:
        follow(line, told.ids, count)
    else:
        typer.echo(f"offramp replay {id} --progress shows how far it is")


def follow(line: Line, ids: list[int], total: int) -> None:
    """Show the progress until the end of these replays, the end of the job, or Ctrl-C."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    wanted = set(ids)
    try:
        with Progress(*columns, console=console()) as progress:
            task = progress.add_task("waiting", total=total)
            while line.running():
                status = line.look()
                left = [one for one in status.replays if one.id in wanted]
                if not left and status.command >= max(ids):
                    progress.update(task, completed=total, description="done")
                    break
                if left:
                    rest = sum(one.left for one in left)
                    progress.update(task, completed=max(0, total - rest), description=_activity(status, left))
                time.sleep(LOOK_EVERY_S)
            else:
                typer.echo("the job has ended; the replay goes on when it runs again")
                return
    except KeyboardInterrupt:
        typer.echo(f"it goes on; offramp replay {line.status.id} --progress shows how far it is")
        return
    typer.echo(f"all of it has been read; offramp logs {line.status.id} tells what became of it")


def _activity(status: Status, left: list[Replay]) -> str:
    if all(one.paused for one in left):
        return "paused"
    if status.state in WAITING:
        return f"waiting: {status.state}"
    return f"{sum(one.matched for one in left):,} matched"

"""`offramp logs`: what happened at one destination."""

import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from cli.options import ApiOption, JsonOption, StateOption, open_reader, refuse_unknown
from cli.output import console, text
from records import LogLine

FOLLOW_EVERY_S = 0.5
FOLLOW_LINES = 200
SHOWN_BODY = 1_000
_STYLES = {"debug": "dim", "warn": "yellow", "error": "red"}


class Level(StrEnum):
    """From the least to the most urgent."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


def logs(
    destination: Annotated[str, typer.Argument(metavar="ID", help="The destination's id.", show_default=False)],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines until Ctrl-C.")] = False,
    level: Annotated[Level, typer.Option("--level", help="The least urgent level to show.")] = Level.DEBUG,
    contains: Annotated[str, typer.Option("--text", help="Only lines with this text.", show_default=False)] = "",
    lines: Annotated[int, typer.Option("-n", min=1, metavar="N", help="How many lines, the newest.")] = 50,
    state: StateOption = None,
    api: ApiOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what happened at one destination. The newest line comes last; a response that was no success is shown."""
    with open_reader(state, api) as journal:
        refuse_unknown(journal, destination, traces=bool(journal.logs(destination, limit=1)))
        out = console()
        last = 0
        found = journal.logs(destination, level=level, text=contains, limit=lines)
        try:
            while True:
                for stored in found:
                    _print(out, stored.line, as_json=as_json)
                    last = stored.id
                if not follow:
                    return
                if len(found) < FOLLOW_LINES:
                    time.sleep(FOLLOW_EVERY_S)
                found = journal.logs(destination, after_id=last, level=level, text=contains, limit=FOLLOW_LINES)
        except KeyboardInterrupt:
            return


def _print(out: Console, line: LogLine, *, as_json: bool) -> None:
    if as_json:
        body = line.body.decode("utf-8", "replace")
        typer.echo(msgspec.json.encode(msgspec.to_builtins(line) | {"body": body}).decode())
        return
    at = datetime.fromtimestamp(line.timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    instance = f" ({line.instance_id})" if line.instance_id else ""
    # Names and ids come from events: a line break in one must not begin what looks like another line.
    message = line.message.replace("\n", "\n    ")
    out.print(text(f"{at} {line.level.upper():5} {message}{instance}", _STYLES.get(line.level, "")))
    if line.body:
        out.print(text(_indented(line.body), "dim"))


def _indented(body: bytes) -> str:
    shown = body[:SHOWN_BODY].decode("utf-8", "replace").strip()
    more = f" … ({len(body)} bytes)" if len(body) > SHOWN_BODY else ""
    return "    " + shown.replace("\n", "\n    ") + more

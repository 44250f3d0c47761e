"""`offramp metrics`: what one destination did, counted."""

import time
from collections import Counter
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from cli.options import ApiOption, JsonOption, StateOption, open_reader, refuse_unknown
from cli.output import console, text

_SPANS = (("5 min", 300), ("hour", 3_600), ("day", 86_400))


def metrics(
    destination: Annotated[str, typer.Argument(metavar="ID", help="The destination's id.", show_default=False)],
    state: StateOption = None,
    api: ApiOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what one destination did, counted. As JSON: the counts of every minute."""
    with open_reader(state, api) as journal:
        found = journal.metrics(destination)
        refuse_unknown(journal, destination, traces=bool(found))
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    out = console()
    if not found:
        out.print(text(f"No counts of a destination '{destination}' yet."))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("what")
    table.add_column("kind")
    for name in (*(name for name, _ in _SPANS), "all kept"):
        table.add_column(name, justify="right")
    now = time.time()
    names = sorted({(one.metric_kind, one.metric_name) for one in found}, reverse=True)
    # A minute counts as a whole: its place within the minute is not kept.
    columns = [Counter[tuple[str, str]]() for _ in range(len(_SPANS) + 1)]
    for one in found:
        for column, oldest in zip(columns, (*(now - size for _, size in _SPANS), 0.0), strict=True):
            if one.minute + 60 > oldest:
                column[one.metric_kind, one.metric_name] += one.count
    for key in names:
        table.add_row(text(key[1]), key[0], *(str(column[key]) for column in columns))
    out.print(table)

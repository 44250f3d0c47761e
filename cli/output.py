"""How commands write: tables and colours for a person at a terminal, plain text for a pipe. Always UTC."""

import sys
from datetime import UTC, datetime
from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text

PLAIN_WIDTH = 200
"""For tables that go into a pipe, where there is no terminal to ask."""


def console() -> Console:
    """Writes to standard output as it is at this moment."""
    terminal = sys.stdout.isatty()
    return Console(file=sys.stdout, width=None if terminal else PLAIN_WIDTH, highlight=False, soft_wrap=not terminal)


def text(value: str, style: str = "") -> Text:
    """Text as it is: nothing in it is taken for markup, and control characters cannot reach the terminal."""
    return Text("".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in value), style=style)


def fail(message: str, code: int) -> NoReturn:
    """Says why on standard error and ends the command."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


def moment(seconds: float) -> str:
    """A time of day with its date."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def span(seconds: float) -> str:
    """A length of time in its largest unit: `0.4 s`, `12 s`, `5 min`, `3 h`, `2 d`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"

"""What people see of the demo: a live table at a terminal, a line a second elsewhere, a summary at the end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from flows.demo_receiver import Arrival
from records import Status

LINE_EVERY_S = 1.0
_COLUMNS = ("state", "per s", "matched", "delivered", "failed", "owed", "retrying", "p50", "p99", "event to arrival")


@dataclass(frozen=True)
class Row:
    """One destination at this moment."""

    status: Status
    per_second: float
    latency_ms: float | None
    """From the event's creation to the arrival of its request."""


@dataclass(frozen=True)
class View:
    """The demo at this moment."""

    seconds: float
    events: int
    rows: Sequence[Row]
    arrivals: Sequence[Arrival]


class Screen(Protocol):
    """Shows the demo while it runs."""

    def __enter__(self) -> Self:
        """Begins."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leaves the terminal as it was."""

    def show(self, view: View) -> None:
        """Called a few times a second."""


class LiveScreen:
    """A table that is drawn over itself."""

    def __init__(self, console: Console, hints: Sequence[str]) -> None:
        """`hints` stand under the table."""
        self._hints = [_text(hint, "dim") for hint in hints]
        self._live = Live(_text("starting the broker, the receiver and the job …"), console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        """Starts to draw."""
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """The last picture stays."""
        self._live.stop()

    def show(self, view: View) -> None:
        """Draws."""
        head = _text(f"{view.seconds:.0f} s, {view.events} events on Kafka", "bold")
        arrivals = [_text(_arrival(arrival), "" if arrival.status < 300 else "yellow") for arrival in view.arrivals]
        parts: list[RenderableType] = [head, _table(view.rows), _text("What arrived last:", "bold"), *arrivals]
        self._live.update(Group(*parts, "", *self._hints), refresh=True)


class LineScreen:
    """A line now and then, for logs."""

    def __init__(self, console: Console, hints: Sequence[str]) -> None:
        """`hints` are shown once, at the beginning."""
        self._console = console
        self._hints = hints
        self._next_s = 0.0

    def __enter__(self) -> Self:
        """Shows the hints."""
        for hint in self._hints:
            self._console.print(_text(hint))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing to restore."""

    def show(self, view: View) -> None:
        """Prints a line when the last one is old enough."""
        if view.seconds >= self._next_s and view.rows:
            self._next_s = view.seconds + LINE_EVERY_S
            counts = ", ".join(f"{row.status.id} {row.status.delivered} delivered" for row in view.rows)
            self._console.print(_text(f"{view.seconds:4.0f} s  {view.events} events  {counts}"))


def hints(program: str, destinations: Path, state: Path, console: str) -> list[str]:
    """What to try next; `program` is how `offramp` was called, `console` the address of the console if there is one."""
    return [
        *([f"Look at it in a browser: {console}"] if console else []),
        f"Try: edit a file in {destinations} and save; it takes effect within 2 s.",
        f"     {program} status --state {state}",
        f"     {program} logs ads --follow --state {state}",
        f"     {program} run --help for your own Kafka. Ctrl-C ends the demo.",
    ]


def summary(statuses: Iterable[Status], events: int, seconds: float) -> list[str]:
    """What was done, a line per destination."""
    lines = [f"{events} events in {seconds:.0f} s"]
    for status in statuses:
        p50 = "" if status.p50_ms is None else f", p50 {status.p50_ms:.0f} ms"
        p99 = "" if status.p99_ms is None else f", p99 {status.p99_ms:.0f} ms"
        lines.append(
            f"{status.id}: matched {status.matched}, delivered {status.delivered}, failed {status.failed}, "
            f"owed {status.owed}{p50}{p99}"
        )
    return lines


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("destination")
    for name in (
        "state",
        "per s",
        "matched",
        "delivered",
        "failed",
        "owed",
        "retrying",
        "p50",
        "p99",
        "event to arrival",
    ):
        table.add_column(name, justify="left" if name == "state" else "right")
    for row in rows:
        status = row.status
        table.add_row(
            _text(status.id, "cyan"),
            _text(status.state, "green" if status.state == "live" else "yellow"),
            f"{row.per_second:.1f}",
            *map(str, (status.matched, status.delivered, status.failed, status.owed, status.waiting_retry)),
            *map(_milliseconds, (status.p50_ms, status.p99_ms, row.latency_ms)),
        )
    return table


def _arrival(arrival: Arrival) -> str:
    return f"  {arrival.status} {arrival.method} {arrival.path} {arrival.body}"


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"


def _text(value: str, style: str = "") -> Text:
    """One line, as it is: nothing in it is taken for markup, and no control character reaches the terminal."""
    clean = "".join(char if char.isprintable() else " " for char in value)
    return Text(clean, style=style, no_wrap=True, overflow="ellipsis")

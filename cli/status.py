"""`offramp status`: how each destination is doing."""

import time
from collections.abc import Sequence

import msgspec
import typer
from rich.table import Table

from cli.options import ApiOption, JsonOption, StateOption, open_reader
from cli.output import console, moment, span, text
from cli.replay_progress import described
from records import Status

OLD_AFTER_S = 10.0
_STYLES = {
    "live": "green",
    "behind": "yellow",
    "degraded": "yellow",
    "probing": "yellow",
    "paused": "dim",
    "disabled": "dim",
    "quarantined": "red",
    "invalid": "red",
}
_ILL = ("degraded", "quarantined", "probing", "disabled")
_RESPONSE_CHARS = 200
_COUNTS = ("matched", "delivered", "failed", "owed", "expired", "skipped")


def status(state: StateOption = None, api: ApiOption = None, as_json: JsonOption = False) -> None:
    """Show how each destination is doing. What matched, what was delivered, what is owed, how fast it answers.

    Works while the job runs and after it has stopped. In JSON, dead_letters is the number of messages that
    could not be decoded, the same in every object.
    """
    with open_reader(state, api) as journal:
        statuses, dead_letters = journal.statuses(), journal.count_dead_letters()
    if as_json:
        objects = [msgspec.to_builtins(one) | {"dead_letters": dead_letters} for one in statuses]
        typer.echo(msgspec.json.format(msgspec.json.encode(objects), indent=2).decode())
        return
    _print_for_people(statuses, dead_letters, time.time())


def _print_for_people(statuses: Sequence[Status], dead_letters: int, now: float) -> None:
    out = console()
    if not statuses:
        out.print("The job has not told of a destination yet.")
    else:
        newest = max(one.at for one in statuses)
        if now - newest > OLD_AFTER_S:
            out.print(f"As of {moment(newest)} UTC, {span(now - newest)} ago.")
        out.print(_table(statuses))
    for one in statuses:
        if one.backlog:
            out.print(text(f"{one.id}: {one.backlog:,} of what is owed is read from the log when its turn comes"))
        for replay in one.replays:
            out.print(text(f"{one.id}: {described(replay)}"))
        if one.state in _ILL and one.reason:
            out.print(text(f"{one.id}: {_health(one)}", _STYLES[one.state]))
        if one.attention:
            out.print(text(f"{one.id}: needs attention: {one.attention}{_answer(one)}", "yellow"))
        if one.problem:
            out.print(text(f"{one.id}: {one.problem}", "red" if one.state == "invalid" else ""))
        elif one.last_error and not one.attention:
            out.print(text(f"{one.id}: last error: {one.last_error}"))
    if dead_letters:
        messages = "1 message" if dead_letters == 1 else f"{dead_letters} messages"
        out.print(f"{messages} could not be decoded: offramp dead-letters")


def _health(one: Status) -> str:
    until = f" until {moment(one.until)}" if one.until else ""
    what_to_do = f"; when it is well again: offramp enable {one.id}" if one.state == "disabled" else ""
    return f"{one.state} since {moment(one.since)}{until} UTC: {one.reason}{_answer(one)}{what_to_do}"


def _answer(one: Status) -> str:
    response = " ".join(one.response.split())
    return f"; its first answer: {response[:_RESPONSE_CHARS]}" if response else ""


def _table(statuses: Sequence[Status]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("id")
    table.add_column("state")
    for name in (*_COUNTS, "lag", "p50", "p99", "errors"):
        table.add_column(name, justify="right")
    for one in statuses:
        table.add_row(
            text(one.id),
            text(one.state, _STYLES.get(one.state, "")),
            *(str(getattr(one, name)) for name in _COUNTS),
            span(one.lag_s) if one.lag_s else "-",
            _milliseconds(one.p50_ms),
            _milliseconds(one.p99_ms),
            f"{one.error_rate:.0%}" if one.p50_ms is not None or one.error_rate else "-",
        )
    return table


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"

"""`offramp failed`: the ledger of one destination: deliveries that failed for good and were not sent again since."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console

from cli.destination import IdArgument
from cli.options import ApiOption, JsonOption, StateOption, open_reader, refuse_unknown
from cli.output import console, fail, moment, text
from connectors.journal import JournalReader
from records import Failure

if TYPE_CHECKING:
    from cli.api_client import ApiReader

StatusOption = Annotated[
    str,
    typer.Option(
        "--status",
        metavar="STATUS",
        help="Only those answered like this: 404, 4xx for all from 400 to 499, none where no answer came.",
        show_default=False,
    ),
]
ErrorOption = Annotated[
    str,
    typer.Option("--error", metavar="TEXT", help="Only those with this text in their reason.", show_default=False),
]
SHOW = typer.Option("--show", metavar="WEBHOOK-ID", help="One of them, with what was answered.", show_default=False)


def failed(
    destination: IdArgument,
    status: StatusOption = "",
    error: ErrorOption = "",
    lines: Annotated[int, typer.Option("-n", min=1, metavar="N", help="How many, the newest.")] = 20,
    show: Annotated[str, SHOW] = "",
    state: StateOption = None,
    api: ApiOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the deliveries that failed for good. The newest comes last.

    offramp replay ID --failed sends them again. An entry leaves when it is sent again, or after --ledger-days.
    """
    with open_reader(state, api) as journal:
        if show:
            _show(journal, destination, show, as_json=as_json)
            return
        try:
            found = [stored.failure for stored in journal.failures(destination, status=status, text=error, limit=lines)]
            count = journal.count_failures(destination, status=status, text=error)
        except ValueError as problem:
            fail(f"offramp failed: --status: {problem}", 2)
        if not count:
            refuse_unknown(journal, destination, traces=bool(journal.count_failures(destination)))
    if as_json:
        typer.echo(msgspec.json.encode([fields(failure) for failure in found]).decode())
        return
    out = console()
    for failure in found:
        out.print(text(_line(failure)))
    again = f" Send them again: offramp replay {destination} --failed"
    out.print(text(f"{count:,} in all, {len(found):,} shown.{again}" if count else "No such delivery has failed."))


def fields(failure: Failure) -> dict[str, object]:
    """As JSON has it."""
    return msgspec.structs.asdict(failure) | {"body": failure.body.decode("utf-8", "replace")}


def _show(journal: "JournalReader | ApiReader", destination: str, invocation: str, *, as_json: bool) -> None:
    failure = journal.failure(destination, invocation)
    if failure is None:
        refuse_unknown(journal, destination, traces=bool(journal.count_failures(destination)))
        fail(f"no delivery {invocation} is in the ledger of '{destination}'; it may have been sent again", 1)
    if as_json:
        typer.echo(msgspec.json.encode(fields(failure)).decode())
        return
    _print_whole(console(), failure)


def _print_whole(out: Console, failure: Failure) -> None:
    rows = {
        "webhook-id": failure.invocation,
        "when": f"{moment(failure.at)} UTC",
        "event": f"{failure.event_name} {failure.event_uuid}",
        "position": _position(failure),
        **({"mapping": failure.mapping} if failure.mapping else {}),
        "attempts": str(failure.attempts),
        "status": "no answer" if failure.status is None else str(failure.status),
        "reason": failure.reason,
    }
    for name, value in rows.items():
        out.print(text(f"{name:<10}  {_one_line(value)}"))
    if failure.body:
        out.print(text(f"\n{failure.body.decode('utf-8', 'replace')}", "dim"))


def _line(failure: Failure) -> str:
    status = "-" if failure.status is None else str(failure.status)
    parts = (
        moment(failure.at),
        f"{status:>3}",
        f"{failure.attempts} {'attempt' if failure.attempts == 1 else 'attempts'}",
        f"{failure.event_name} ({failure.mapping})" if failure.mapping else failure.event_name,
        _position(failure),
        failure.invocation,
        failure.reason,
    )
    return "  ".join(map(_one_line, parts))


def _position(failure: Failure) -> str:
    return f"{failure.stream}/{failure.partition}:{failure.offset}"


def _one_line(value: str) -> str:
    """Names come from events: a line break in one must not begin what looks like another line."""
    return " ".join(value.splitlines())

"""`offramp explain`: why a destination wants an event or does not, and what it would send."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from cli.options import JsonOption, ProjectOption, SecretsDirOption, StateOption
from cli.output import console, text
from cli.road import destination_of, show_clauses, show_inputs, show_request
from connectors.journal import JournalReader
from flows.settings import from_process
from records import Status

if TYPE_CHECKING:
    from rich.console import Console

    # What compiles destinations takes a while to import; --help should not wait for it.
    from destinations.explain import Explanation, Sending
    from flows.settings import Settings

_TAKES_NOTHING = ("behind", "quarantined", "probing", "disabled", "paused")

EVENT = typer.Option(
    "--event",
    metavar="FILE|UUID",
    help="One event as JSON, in either shape; - for standard input. For a destination of person-updates, a message of "
    "the persons topic. Or the uuid of an event, which is looked for in the inputs, among the newest 200,000 messages "
    "of each partition.",
)
PERSON = typer.Option(
    "--person", metavar="FILE", help="The person's properties as a JSON object, in place of those that are known."
)
EVENTS = typer.Option("--events", metavar="INPUT", help="Where the uuid is looked for; as for offramp run.")
DIRECTORY = typer.Option("--destinations", metavar="DIR", help="The destination files. Default: destinations.")


def explain(
    destination: Annotated[str, typer.Argument(metavar="ID", help="The destination's id.", show_default=False)],
    event: Annotated[str, EVENT],
    person: Annotated[Path | None, PERSON] = None,
    events: Annotated[list[str] | None, EVENTS] = None,
    directory: Annotated[str | None, DIRECTORY] = None,
    secrets_dir: SecretsDirOption = None,
    project: ProjectOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the road of one event through one destination: each clause of the filter with what it saw, the inputs as
    rendered, the request. Nothing is sent, and secrets are not shown.

    Person and groups are those of the job's table, also while it runs, else the event's own copy, unless --person is
    given. The exit code is 1 when the event is not wanted, or no request can be made of it.
    """
    settings = from_process(
        {"destinations": directory, "secrets_dir": secrets_dir, "project": project, "state": state},
        only=["destinations", "secrets_dir", "secrets_key", "project", "state", "site_url", "group_types"],
    )
    from cli.explained_event import event_view
    from destinations.explain import explain as explained
    from flows.event_views import position

    compiled = destination_of(destination, settings)
    view = event_view(event, person, events, settings, compiled.source)
    found = explained(compiled, view)
    status = _status(destination, settings)
    if as_json:
        more = {"position": position(view), "status": status}
        typer.echo(msgspec.json.encode(msgspec.structs.asdict(found) | more).decode())
    else:
        _show(found, position(view))
        _show_status(status)
    raise typer.Exit(1 if found.because else 0)


def _status(destination: str, settings: "Settings") -> Status | None:
    """What a job has told last of the destination."""
    if not settings.journal.exists():
        return None
    with JournalReader(settings.journal) as journal:
        return next((status for status in journal.statuses() if status.id == destination), None)


def _show_status(status: Status | None) -> None:
    if status is not None and status.state != "live":
        why = status.problem or status.reason
        out = console()
        out.print(text(f"\nthe destination is {status.state}" + (f": {why}" if why else ""), "yellow"))
        if status.state in _TAKES_NOTHING:
            out.print(text("what matches now is owed, and sent when that is over"))


def _show(found: "Explanation", position: str) -> None:
    out = console()
    if position:
        out.print(text(f"found at {position}"))
    verdict = "is wanted" if found.matches else "is not wanted"
    out.print(text(f"event {found.event!r} {found.uuid} {verdict} by {found.destination}", "bold"))
    if found.because:
        out.print(text(f"because {found.because}"))
    show_clauses(out, found.clauses)
    if found.sample:
        out.print(text(f"\nsample: {found.sample}"))
    if found.cap:
        out.print(text(f"\nmasking: {found.cap}"))
    for sending in found.sendings:
        if sending.mapping:
            out.print(
                text(f"\nmapping {sending.mapping!r} {'matches' if sending.matches else 'does not match'}", "bold")
            )
            if sending.because:
                out.print(text(f"because {sending.because}"))
        _show_sending(out, sending)


def _show_sending(out: "Console", sending: "Sending") -> None:
    show_clauses(out, sending.clauses)
    show_inputs(out, sending.inputs)
    if sending.code:
        out.print(text("\nits code makes the requests; what they are is not known before it runs"))
    if sending.request is not None:
        request = sending.request
        show_request(out, request.method, request.url, request.headers, request.body.decode(errors="replace"))

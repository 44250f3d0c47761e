"""`offramp explain`: why a destination wants an event or does not, and what it would send."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from cli.options import JsonOption, ProjectOption, SecretsDirOption, shown
from cli.output import console, fail, text
from flows.settings import from_process

if TYPE_CHECKING:
    from rich.console import Console

    # What compiles destinations takes a while to import; --help should not wait for it.
    from destinations import Destination, EventView
    from destinations.explain import Clause, Explanation, Sending
    from flows.settings import Settings
    from records import Source

EVENT = typer.Option(
    "--event",
    metavar="FILE",
    help="One event as JSON, in either shape; - for standard input. For a destination of person-updates, a message of "
    "the persons topic.",
)
PERSON = typer.Option(
    "--person", metavar="FILE", help="The person's properties as a JSON object, in place of what the event has of them."
)
DIRECTORY = typer.Option("--destinations", metavar="DIR", help="The destination files. Default: destinations.")


def explain(
    destination: Annotated[str, typer.Argument(metavar="ID", help="The destination's id.", show_default=False)],
    event: Annotated[str, EVENT],
    person: Annotated[Path | None, PERSON] = None,
    directory: Annotated[str | None, DIRECTORY] = None,
    secrets_dir: SecretsDirOption = None,
    project: ProjectOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the road of one event through one destination: each clause of the filter with what it saw, the inputs as
    rendered, the request. Nothing is sent, and secrets are not shown.

    The person is the event's own copy, or the one of --person: not the job's table, which only the job can read. The
    exit code is 1 when the event is not wanted, or no request can be made of it.
    """
    settings = from_process(
        {"destinations": directory, "secrets_dir": secrets_dir, "project": project},
        only=["destinations", "secrets_dir", "project", "site_url", "group_types"],
    )
    from destinations.explain import explain as explained

    compiled = _destination(destination, settings)
    found = explained(compiled, _view(event, person, settings, compiled.source))
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
    else:
        _show(found)
    raise typer.Exit(1 if found.because else 0)


def _destination(id: str, settings: "Settings") -> "Destination":
    import catalog
    from destinations import Secrets, load

    folder = Path(shown(settings.destinations))
    loaded = load(folder, Secrets(settings.secret), catalog.builtin())
    if id not in loaded.destinations:
        problems = [str(problem) for problem in loaded.problems if problem.destination in (id, "")]
        there_are = ", ".join(sorted(loaded.destinations)) or "none"
        fail("\n".join(problems) or f"there is no destination '{id}' in {folder}; there are: {there_are}", 1)
    return loaded.destinations[id]


def _view(event: str, person: Path | None, settings: "Settings", source: "Source") -> "EventView":
    from destinations import EventView, Site, load_project
    from operators.envelope import decode_message
    from operators.person_update import decode_person_update
    from records import DeadLetter, Message, Person, Source

    data = sys.stdin.buffer.read() if event == "-" else _read(Path(event))
    message = Message("file", 0, 0, data.strip(), 0)
    is_update = source is Source.PERSON_UPDATES
    decoded = decode_person_update(message) if is_update else decode_message(message, settings.project)
    if decoded is None:
        fail(f"{event}: the deletion of a person is no event", 1)
    if isinstance(decoded, DeadLetter):
        fail(f"{event}: not an event: {decoded.reason}", 1)
    if person is not None:
        decoded.person = Person(decoded.person_id or "", _read(person))
    elif decoded.person is None and (decoded.person_id is not None or decoded.person_properties is not None):
        decoded.person = Person(decoded.person_id or "", decoded.person_properties or b"{}")
    site = Site(settings.site_url, dict(settings.group_types))
    project = load_project(settings.destinations).project
    return EventView(decoded, site if project is None else site.presented(project.presentation))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror}", 2)


def _show(found: "Explanation") -> None:
    out = console()
    verdict = "is wanted" if found.matches else "is not wanted"
    out.print(text(f"event {found.event!r} {found.uuid} {verdict} by {found.destination}", "bold"))
    if found.because:
        out.print(text(f"because {found.because}"))
    _show_clauses(out, found.clauses)
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
    _show_clauses(out, sending.clauses)
    for one in sending.inputs:
        out.print(text(f"\ninput {one.name}: {one.error or one.value}"))
    if sending.code:
        out.print(text("\nits code makes the requests; what they are is not known before it runs"))
    if sending.request is not None:
        request = sending.request
        out.print(text(f"\n{request.method} {request.url}"))
        for name, value in request.headers.items():
            out.print(text(f"{name}: {value}"))
        out.print(text(f"\n{request.body.decode(errors='replace')}"))


def _show_clauses(out: "Console", clauses: "list[Clause]") -> None:
    for clause in clauses:
        out.print(text(f"\n{'holds' if clause.holds else 'does not hold'}: {clause.text}"))
        for name, value in clause.reads.items():
            out.print(text(f"    {name} is {_json(value)}"))
        if clause.error:
            out.print(text(f"    {clause.error}"))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

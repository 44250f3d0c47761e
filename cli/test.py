"""`offramp test`: try a destination out, step by step, dry or really sent."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from cli.options import AllowOption, ApiOption, JsonOption, ProjectOption, SecretsDirOption, StateOption
from cli.output import console, fail
from cli.road import destination_of
from flows.settings import from_process

if TYPE_CHECKING:
    # What compiles destinations takes a while to import; --help should not wait for it.
    from collections.abc import Iterable, Mapping

    from destinations import Destination, EventView
    from flows.event_views import EventViews
    from flows.trial_result import TrialResult

MOST = 100
EVENT = typer.Option(
    "--event",
    metavar="FILE",
    help="One event as JSON, in either shape; - for standard input. For a destination of person-updates, a message of "
    "the persons topic.",
)
UUID = typer.Option(
    "--uuid", metavar="UUID", help="The event of this uuid, among the newest 200,000 messages of each partition."
)
LAST = typer.Option(
    "--last", metavar="N", min=1, max=MOST, help="The newest N events, whether they match or not, the newest first."
)
NAME = typer.Option("--name", metavar="EVENT_NAME", help="Only events of this name.")
PERSON = typer.Option("--person", metavar="DISTINCT_ID", help="Only events of this distinct id.")
SEND = typer.Option("--send", help="Really send it, once, with the header offramp-test: true.")
ANYWAY = typer.Option("--anyway", help="Go on where the event is not wanted.")
EVENTS = typer.Option("--events", metavar="INPUT", help="Where events are looked for; as for offramp run.")
DIRECTORY = typer.Option("--destinations", metavar="DIR", help="The destination files. Default: destinations.")
ID = typer.Argument(metavar="ID", help="The destination's id.", show_default=False)


def try_out(
    destination: Annotated[str, ID],
    event: Annotated[str | None, EVENT] = None,
    uuid: Annotated[str | None, UUID] = None,
    last: Annotated[int | None, LAST] = None,
    name: Annotated[str | None, NAME] = None,
    person: Annotated[str | None, PERSON] = None,
    send: Annotated[bool, SEND] = False,
    anyway: Annotated[bool, ANYWAY] = False,
    events: Annotated[list[str] | None, EVENTS] = None,
    directory: Annotated[str | None, DIRECTORY] = None,
    allow: AllowOption = None,
    secrets_dir: SecretsDirOption = None,
    project: ProjectOption = None,
    state: StateOption = None,
    api: ApiOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try a destination out with an event: the filter's verdict, the inputs as rendered, each request with its answer.

    Without --send nothing is sent; a program then goes on with answers of 200 and an empty object. With it, what the
    destination makes of the event is sent by its own policy, but once: it is not tried again, joins no batch, and is
    not in the journal. The request has the webhook-id of the event's delivery.

    Without --event, --uuid or --last it is the newest event that matches, among the newest 5,000 messages of each
    partition. Person and groups are those of the job's table, as for offramp explain.

    The exit code is 0 when all of it is delivered, or would be, and else 1.
    """
    _refuse_two([("--event", event), ("--uuid", uuid), ("--last", last)])
    for flag, given in (("--name", name), ("--person", person)):
        if given is not None and (event is not None or uuid is not None):
            fail(f"{flag} goes with a search for the newest events, not with --event or --uuid", 2)
    if api is not None:
        _refuse_own(
            {
                "--destinations": directory,
                "--events": events,
                "--state": state,
                "--allow": allow,
                "--secrets-dir": secrets_dir,
                "--project": project,
            }
        )
        from cli.api_trial import try_out_there
        from cli.explained_event import read_event

        there = try_out_there(
            api,
            destination,
            event=None if event is None else read_event(event),
            uuid=uuid,
            last=last,
            name=name or "",
            person=person or "",
            send=send,
            anyway=anyway,
        )
        raise typer.Exit(_show_all(there, as_json=as_json))
    settings = from_process(
        {
            "destinations": directory,
            "allow": allow,
            "secrets_dir": secrets_dir,
            "project": project,
            "state": state,
        },
        only=["destinations", "allow", "secrets_dir", "project", "state", "site_url", "group_types"],
    )
    from cli.explained_event import read_event, with_inputs
    from flows.event_views import EventViews, NoEventError
    from flows.trial import Workbench

    tried = destination_of(destination, settings)
    text = None if event is None else read_event(event)
    if text is None:
        settings = with_inputs(settings, events, tried.source)
    try:
        with EventViews(settings) as views:
            if text is not None:
                found = [views.of_text(event or "", text, tried.source)]
            elif uuid is not None:
                found = [views.by_uuid(uuid, tried.source)]
            else:
                found = _newest(views, tried, last, name or "", person or "")
    except NoEventError as error:
        fail(str(error), 1)
    with Workbench(settings.allow) as bench:
        results = (bench.try_out(tried, view, send=send, anyway=anyway) for view in found)
        code = _show_all(results, as_json=as_json)
    raise typer.Exit(code)


def _show_all(results: "Iterable[TrialResult]", *, as_json: bool) -> int:
    """The exit code."""
    from cli.tested import show

    well = True
    for result in results:
        well &= result.well
        if as_json:
            typer.echo(msgspec.json.encode(result).decode())
        else:
            show(console(), result)
    return 0 if well else 1


def _newest(views: "EventViews", tried: "Destination", last: int | None, name: str, person: str) -> "list[EventView]":
    wanted_by = None if last is not None else tried
    found = views.newest(tried.source, last or 1, name=name, person=person, wanted_by=wanted_by)
    if found.views:
        if found.unfinished:
            typer.echo(f"{found.unfinished} partitions were not looked through, for lack of time", err=True)
        return found.views
    which = "event" if last is not None else f"event that '{tried.id}' wants"
    which += f" with the name '{name}'" if name else ""
    which += f" of '{person}'" if person else ""
    told = f"no {which} is among the newest messages of the inputs ({found.looked_at} looked at"
    told += f", {found.unfinished} partitions not to the end, for lack of time)" if found.unfinished else ")"
    why = "" if last is not None else "--last 1 shows why the newest one is not wanted, "
    return fail(f"{told}; {why}--event gives one", 1)


def _refuse_two(options: "list[tuple[str, object]]") -> None:
    given = [flag for flag, value in options if value is not None]
    if len(given) > 1:
        fail(f"{' and '.join(given)} name different events; give one of them", 2)


def _refuse_own(options: "Mapping[str, object]") -> None:
    for flag, given in options.items():
        if given:
            fail(f"{flag} goes with this machine, not with --api; the console has its own", 2)

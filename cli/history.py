"""`offramp history`: the versions of one destination's file, what is different between two, and the way back."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from cli.destination import IdArgument, person
from cli.options import DestinationsOption, JsonOption, SecretsDirOption, StateOption, shown
from cli.output import console, fail, moment, text
from flows.settings import from_process

DIFF = typer.Option(
    "--diff", metavar="A B", help="What turns version A into B; 0 is before the first.", show_default=False
)
ROLLBACK = typer.Option(
    "--rollback", metavar="N", min=1, help="Make version N the file's text again.", show_default=False
)
NOTE = typer.Option("--note", metavar="TEXT", help="Why, for the history.", show_default=False)
FORCE = typer.Option("--force", help="Go back also to what does not load.")


def history(
    destination: IdArgument,
    diff: Annotated[tuple[int, int] | None, DIFF] = None,
    rollback: Annotated[int | None, ROLLBACK] = None,
    note: Annotated[str, NOTE] = "",
    force: Annotated[bool, FORCE] = False,
    destinations: DestinationsOption = None,
    secrets_dir: SecretsDirOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who changed a destination's file, when and why. The newest version comes last.

    A change by hand is a version of the author `file`, from the moment on at which it is seen.
    """
    settings = from_process(
        {"destinations": destinations, "secrets_dir": secrets_dir, "state": state},
        only=["destinations", "secrets_dir", "secrets_key", "state"],
    )
    # What compiles destinations takes a while to import; --help should not wait for it.
    import catalog
    from connectors.config_history import ConfigHistory, ConflictError, RefusedError, UnknownVersionError
    from connectors.destination_file import DestinationFileError
    from destinations import Secrets

    known = ConfigHistory(
        Path(shown(settings.destinations)),
        settings.state,
        Secrets(settings.secret, settings.secret.why_missing),
        catalog.builtin(),
    )
    try:
        if diff is not None:
            console().print(text(known.diff(destination, *diff)), end="")
            return
        if rollback is not None:
            made = known.roll_back(destination, rollback, person(), note, force=force)
            typer.echo(f"{destination} is version {made.number} now")
            return
        found = known.versions(destination)
    except RefusedError as error:
        fail(f"{error}; --force goes back all the same" if not force else str(error), 1)
    except (ConflictError, UnknownVersionError, DestinationFileError) as error:
        fail(str(error), 1)
    if not found:
        fail(f"nothing is known of a destination '{destination}'", 1)
    if as_json:
        for one in reversed(found):
            typer.echo(msgspec.json.encode(one).decode())
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("version", "at", "by", "", "note"):
        table.add_column(heading)
    for one in reversed(found):
        what = "deleted" if one.text is None else ""
        table.add_row(str(one.number), moment(one.at), text(one.author), what, text(one.note))
    console().print(table)

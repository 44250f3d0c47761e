"""`offramp secrets`: what people enter for destinations and nobody sees again. Values come by standard input only."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from cli.destination import person
from cli.options import JsonOption, StateOption, shown
from cli.output import console, fail, moment, text
from connectors.secret_store import SecretStore, refuse_name
from flows.settings import from_process

app = typer.Typer(
    help="Secrets of destinations, stored encrypted in the state directory.", no_args_is_help=True, add_completion=False
)

NAME = typer.Argument(metavar="NAME", help="As in {secrets.NAME}.", show_default=False)


@app.command("list")
def list_(state: StateOption = None, as_json: JsonOption = False) -> None:
    """List the names of what is stored, since when and by whom. Files and variables are not listed."""
    with _store(state) as store:
        found = store.listed()
    if as_json:
        for one in found:
            at = datetime.fromtimestamp(one.at, UTC).isoformat()
            typer.echo(msgspec.json.encode({"name": one.name, "at": at, "author": one.author, "key": one.key}).decode())
        return
    if not found:
        typer.echo(f"no secrets are stored in {shown(store.path.parent)}")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "set", "by", "key"):
        table.add_column(heading)
    for one in found:
        table.add_row(text(one.name), text(moment(one.at)), text(one.author), text(one.key))
    console().print(table)


@app.command("set")
def set_(
    name: Annotated[str, NAME],
    argument: Annotated[str | None, typer.Argument(hidden=True, show_default=False)] = None,
    state: StateOption = None,
) -> None:
    """Store a secret, in place of the one of that name. A running job takes it up within 2 s.

    The value is read from standard input, without the line break at its end; at a terminal it is asked for.
    OFFRAMP_SECRETS_KEY has the key.
    """
    if argument is not None:
        # Else the error would repeat it.
        fail("a value is not given as an argument, which everybody on the machine can read, but by standard input", 2)
    refuse_name(name)
    with _store(state) as store:
        store.set(name, _value(name), person())
    typer.echo(f"{name} is stored")


@app.command()
def delete(name: Annotated[str, NAME], state: StateOption = None) -> None:
    """Delete a secret. Destinations that use it keep it until they change or the job starts again.

    Whoever must not have it any longer has to be told by the vendor: revoke it there.
    """
    with _store(state) as store:
        if not store.delete(name):
            fail("no secret of that name is stored; offramp secrets list shows those that are", 1)
    typer.echo(f"{name} is deleted")


@app.command()
def rotate(state: StateOption = None) -> None:
    """Encrypt all with the first key of OFFRAMP_SECRETS_KEY, so that the others are no longer needed."""
    with _store(state) as store:
        count = store.rotate()
    typer.echo(f"{count} {'secret was' if count == 1 else 'secrets were'} encrypted with another key")


def _store(state: str | None) -> SecretStore:
    settings = from_process({"state": state}, only=["state", "secrets_key"])
    return SecretStore(settings.state, settings.secrets_key)


def _value(name: str) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(name, hide_input=True, confirmation_prompt=True))
    try:
        value = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        fail(f"{name}: a secret is text in UTF-8", 2)
    return value.removesuffix("\n").removesuffix("\r")

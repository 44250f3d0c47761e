"""`offramp console`: destinations in a browser."""

import getpass
import sys
from typing import Annotated

import typer

from cli.options import takes_settings
from cli.output import fail
from flows.settings import from_process
from flows.settings_table import TABLE

HELP = """Show and change destinations in a browser.

It reads what the job writes into its state directory, and gives it commands by that way; the job does not notice when
the console ends. Give it the settings of the job: flags, variables or offramp.yaml.
"""


@takes_settings(TABLE)
def console(**flags: object) -> None:
    """Serve until Ctrl-C."""
    settings = from_process(flags, only=[row.name for row in TABLE])
    try:
        from console.server import ConsoleError, serve
    except ModuleNotFoundError as error:
        fail(f"offramp console: {error.name} is not installed; pip install 'offramp[console]' brings it", 2)
    try:
        serve(settings)
    except ConsoleError as error:
        fail(f"offramp console: {error}", 2)


def hash_password(
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the password from standard input.")] = False,
) -> None:
    """Make of a password what stands for it in OFFRAMP_CONSOLE_ACCOUNTS."""
    from console.access import hashed

    password = sys.stdin.readline().rstrip("\n") if stdin else getpass.getpass("Password: ")
    if len(password) < 8:
        fail("offramp console-hash: a password has at least 8 characters", 2)
    typer.echo(hashed(password))

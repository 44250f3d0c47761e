"""The entry point: finds the command and turns every expected error into one line on standard error.

Exit codes: 0 well, 1 the answer is bad (a delivery failed, a file has problems, no job has run, the job refuses a
command), 2 it could not start.
"""

import importlib.metadata
import os
import sys
from typing import Annotated

import typer

from cli import (
    check,
    console,
    dead_letters,
    demo,
    disable,
    enable,
    explain,
    export,
    failed,
    history,
    hog,
    import_,
    logs,
    metrics,
    pause,
    replay,
    run,
    secrets,
    status,
    template,
    test,
)
from connectors.journal import JournalError
from connectors.state_file import StateFileError
from flows.settings import SettingsError

# Frames and colours are for a terminal: a pipe gets the same help as plain text.
app = typer.Typer(
    name="offramp",
    help="Product-analytics events off Kafka, to any number of HTTP destinations.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"max_content_width": 100},
    rich_markup_mode="markdown" if sys.stdout.isatty() else None,
    # A traceback with local variables would show secrets.
    pretty_exceptions_enable=False,
)
app.command("run", help=run.HELP, epilog=run.EPILOG)(run.run)
app.command("check")(check.check)
app.command("explain")(explain.explain)
app.command("test")(test.try_out)
app.add_typer(import_.app, name="import")
app.command("export")(export.export)
app.command("status")(status.status)
app.command("logs")(logs.logs)
app.command("metrics")(metrics.metrics)
app.command("dead-letters")(dead_letters.dead_letters)
app.command("failed")(failed.failed)
app.command("pause")(pause.pause)
app.command("disable")(disable.disable)
app.command("enable")(enable.enable)
app.command("replay")(replay.replay)
app.command("console", help=console.HELP)(console.console)
app.command("console-hash")(console.hash_password)
app.command("history")(history.history)
app.add_typer(secrets.app, name="secrets")
app.command("demo")(demo.demo)
app.add_typer(template.app, name="template")
app.add_typer(hog.app, name="hog")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"offramp {_version()}")
        raise typer.Exit


def _version() -> str:
    try:
        return importlib.metadata.version("offramp")
    except importlib.metadata.PackageNotFoundError:
        return "(run from its source)"


@app.callback()
def offramp(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Takes the options that stand before the command."""


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    try:
        code = app(prog_name="offramp", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read our output has gone; the interpreter must not try to flush the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except KeyboardInterrupt:
        code = 130
    except (SettingsError, JournalError, StateFileError) as error:
        sys.stderr.write(f"offramp: {error}\n")
        code = 2
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "offramp"
        sys.stderr.write(f"{command}: {error.format_message()} ('{command} --help' shows how)\n")
        code = 2
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()

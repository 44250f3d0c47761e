"""Options that several commands share, made from the table of settings; and the journal that they read."""

import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import fail
from connectors.journal import JournalReader
from flows.settings import from_process
from flows.settings_table import TABLE, Setting

if TYPE_CHECKING:
    from cli.api_client import ApiReader

_ROWS = {row.name: row for row in TABLE}


def _option(row: Setting) -> Any:
    """Every value arrives as text: the settings read it, so a mistake gets the same message in all layers."""
    kind = row.kind
    return typer.Option(
        f"{row.flag}/--no-{row.flag.removeprefix('--')}" if kind.switch else row.flag,
        metavar=None if kind.switch else kind.metavar,
        help=_help(row),
        show_default=False,
        rich_help_panel=row.section,
    )


def _type(row: Setting) -> Any:
    return bool | None if row.kind.switch else list[str] | None if row.kind.repeated else str | None


def _help(row: Setting) -> str:
    parts = [row.help]
    if row.default and not row.kind.switch:
        parts.append(f"Default: {row.default}.")
    if not row.kind.switch:
        parts.append(f"Example: {row.example}")
    return " ".join(parts)


StateOption = Annotated[str | None, _option(_ROWS["state"])]
DestinationsOption = Annotated[str | None, _option(_ROWS["destinations"])]
SecretsDirOption = Annotated[str | None, _option(_ROWS["secrets_dir"])]
ProjectOption = Annotated[str | None, _option(_ROWS["project"])]
AllowOption = Annotated[list[str] | None, _option(_ROWS["allow"])]
ApiOption = Annotated[
    str | None,
    typer.Option(
        "--api",
        metavar="URL",
        help="Ask a console there, and not the state directory; OFFRAMP_API_TOKEN says as whom.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def takes_settings(rows: Iterable[Setting]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command one option per row; it is called with all of them by name."""
    options = {row.name: Annotated[_type(row), _option(row)] for row in rows if row.has_flag}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option)
            for name, option in options.items()
        ]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = options
        return command

    return decorate


def open_reader(state: str | None, api: str | None) -> "JournalReader | ApiReader":
    """The journal, or the console that tells of one; a line and an exit code where there is neither."""
    if api is None:
        return open_journal(state)
    if state is not None:
        fail("--state and --api name different jobs; give one of them", 2)
    from cli.api_client import ApiReader

    return ApiReader(api)


def open_journal(state: str | None) -> JournalReader:
    """The journal in the state directory, or a line and exit code 1 when no job has made one."""
    path = from_process({"state": state}, only=["state"]).journal
    if not path.exists():
        fail(f"no job has run with {shown(path.parent)}: there is no journal; --state names another directory", 1)
    return JournalReader(path)


def refuse_unknown(journal: "JournalReader | ApiReader", destination: str, *, traces: bool = False) -> None:
    """End with a line and exit code 1 when the journal tells of no such destination and there are no traces of one."""
    known = [status.id for status in journal.statuses()]
    if destination not in known and not traces:
        there_are = f"; there are: {', '.join(known)}" if known else ""
        fail(f"nothing is known of a destination '{destination}'{there_are}", 1)


def shown(path: Path) -> str:
    """A path as a person would write it: relative where it lies below the working directory."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)

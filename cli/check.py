"""`offramp check`: finds what is wrong in the destination files, without sending anything."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import SecretsDirOption, StateOption, shown
from cli.output import console, text
from flows.settings import from_process

DIRECTORY = typer.Argument(
    metavar="DIR", help="The directory of destination files. Default: destinations.", show_default=False
)


def check(
    directory: Annotated[str | None, DIRECTORY] = None,
    secrets_dir: SecretsDirOption = None,
    state: StateOption = None,
) -> None:
    """Find what is wrong in the destination files. Syntax, names, expressions, missing secrets; nothing is sent.

    The exit code is 1 when there is a problem.
    """
    settings = from_process(
        {"destinations": directory, "secrets_dir": secrets_dir, "state": state},
        only=["destinations", "secrets_dir", "secrets_key", "state"],
    )
    # Only this command compiles destinations; the others start faster without the parser.
    import catalog
    from destinations import Secrets, load

    loaded = load(
        Path(shown(settings.destinations)), Secrets(settings.secret, settings.secret.why_missing), catalog.builtin()
    )
    out = console()
    for problem in loaded.problems:
        out.print(text(f"{problem}\n"))
    out.print(_summary(len(loaded.destinations), [problem.file for problem in loaded.problems]))
    raise typer.Exit(1 if loaded.problems else 0)


def _summary(fine: int, files_of_problems: list[str]) -> str:
    """`3 files: 2 fine, 1 with 2 problems`."""
    bad, problems = len(set(files_of_problems)), len(files_of_problems)
    if not fine + bad:
        return "no destination files here: they end in .yaml or .yml"
    parts = [f"{fine} fine"] if fine else []
    if bad:
        parts.append(f"{bad} with {problems} {'problem' if problems == 1 else 'problems'}")
    return f"{fine + bad} {'file' if fine + bad == 1 else 'files'}: {', '.join(parts)}"

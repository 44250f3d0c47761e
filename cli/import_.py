"""`offramp import posthog`: destination files of what PostHog's API answers about functions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from cli.files import read_file, write_all
from cli.import_project import write_project
from cli.import_report import REFUSED, Line, as_json, line_of, show
from cli.import_surroundings import surroundings
from cli.options import JsonOption, SecretsDirOption
from cli.output import fail
from flows.settings import Settings, from_process

if TYPE_CHECKING:
    # What compiles destinations takes a while to import; --help should not wait for it.
    from destinations.filters import Project
    from destinations.posthog import Imported

app = typer.Typer(help="Take over destinations from elsewhere.", no_args_is_help=True, add_completion=False)

FILES = typer.Argument(
    metavar="FILE…",
    help="JSON as the API answers it: a hog function, a list, a page with `results`; or of `offramp export`.",
    show_default=False,
)
DIRECTORY = typer.Option("--destinations", metavar="DIR", help="Where the files are written. It is made if need be.")
FORCE = typer.Option("--force", help="Replace files that are there.")
CHECK = typer.Option("--check", help="Compile what was written and show what it would send. Nothing is sent.")
EVENTS = typer.Option("--events", metavar="FILE", help="For --check: events as JSON lines. Default: made-up ones.")
ACTIONS = typer.Option("--actions", metavar="FILE", help="What the API answers about actions, for project.yaml.")
COHORTS = typer.Option("--cohorts", metavar="FILE", help="The same about cohorts.")
PROJECT = typer.Option("--project", metavar="FILE", help="The same about the project: its test accounts, …")

ASSUMED = "--check: a request of code is taken to be answered 200 with {}; what other answers lead to is not tried"


@app.callback()
def import_() -> None:
    """Take over destinations from elsewhere."""


@app.command()
def posthog(
    files: Annotated[list[Path], FILES],
    directory: Annotated[Path, DIRECTORY] = Path("destinations"),
    force: Annotated[bool, FORCE] = False,
    check: Annotated[bool, CHECK] = False,
    events: Annotated[Path | None, EVENTS] = None,
    actions: Annotated[Path | None, ACTIONS] = None,
    cohorts: Annotated[Path | None, COHORTS] = None,
    project: Annotated[Path | None, PROJECT] = None,
    secrets_dir: SecretsDirOption = None,
    as_json_: JsonOption = False,
) -> None:
    """Write a destination file for each of PostHog's functions, and say of each what is carried over, what is not as it
    was, and which secrets have to be set. Files that are there stay as they are without --force.

    The exit code is 1 when a function cannot be carried over, a file was there, or --check found a problem.
    """
    import catalog
    from destinations.filters import Project
    from destinations.loading import load_project
    from destinations.posthog import import_functions

    given = _events(events) if check else []
    notes: list[str] = []
    imported = import_functions([item for file in files for item in _items(file, notes)], catalog.builtin())
    answers = [[] if file is None else _items(file, notes) for file in (actions, cohorts, project)]
    notes += write_project(directory, answers, [one.needs for one in imported if not one.because], force)
    wanted = ["secrets_dir", "secrets_key", "state", "project", "site_url", "group_types"]
    settings = from_process({"secrets_dir": secrets_dir}, only=wanted)
    found = load_project(directory) if directory.is_dir() else None
    in_effect = found.project if found is not None and found.project is not None else Project()
    lines = _written(imported, directory, force, in_effect)
    notes += surroundings(imported, in_effect.presentation, settings)
    if check:
        lines = _checked(lines, imported, directory, given, settings)
        notes += [ASSUMED] if any(tried.assumed for line in lines for tried in line.check) else []
    if as_json_:
        typer.echo(as_json(lines, notes))
    else:
        show(lines, notes)
    problems = [tried for line in lines for tried in line.check if tried.problems]
    unwritten = [line for line in lines if line.carried == REFUSED or line.why_not_written]
    raise typer.Exit(1 if problems or unwritten else 0)


def _events(file: Path | None) -> list[bytes]:
    """Those to try; none where they are made up."""
    events = [] if file is None else [line for line in read_file(file).splitlines() if line.strip()]
    if file is not None and not events:
        fail(f"{file}: there is no event in it", 2)
    return events


def _items(file: Path, notes: list[str]) -> list[dict[str, object]]:
    from destinations.posthog import AnswerError, read_answer

    try:
        answer = read_answer(read_file(file))
    except AnswerError as error:
        fail(f"{file}: {error}", 2)
    if answer.more:
        notes.append(f"{file}: one page of a list; {answer.more} or more are behind its `next`, or in other files")
    return answer.items


def _written(imported: "list[Imported]", directory: Path, force: bool, project: "Project") -> list[Line]:
    from destinations.posthog import lacking

    lines: list[Line] = []
    wanted: dict[Path, str] = {}
    for one in imported:
        path = _path(directory, one.id)
        line = line_of(one, str(path), lacking(one.needs, project))
        if not one.because:
            why_not = "" if force else _in_the_way(path, one.text)
            line = msgspec.structs.replace(line, written=not why_not, why_not_written=why_not)
            if not why_not:
                wanted[path] = one.text
        lines.append(line)
    try:
        write_all(wanted)
    except OSError as error:
        fail(f"{directory}: cannot be written: {error.strerror}; no file has changed", 2)
    return lines


def _path(directory: Path, id: str) -> Path:
    """The destination's file, by whichever of its two names it is there already."""
    paths = [directory / f"{id}{suffix}" for suffix in (".yaml", ".yml")]
    return next((path for path in paths if path.exists()), paths[0])


def _in_the_way(path: Path, text: str) -> str:
    """Why the file cannot be written; the same text may be written over itself."""
    if not path.exists() or path.read_bytes() == text.encode():
        return ""
    return f"{path} exists, and is another one; --force replaces it"


def _checked(
    lines: list[Line], imported: "list[Imported]", directory: Path, events: list[bytes], settings: Settings
) -> list[Line]:
    from cli.import_check import Checker

    placeholders = {name: text for one in imported for name, text in one.secrets.items()}
    checker = Checker(directory, settings, placeholders)
    return [
        msgspec.structs.replace(line, check=list(checker.tried(one, events))) if line.written else line
        for line, one in zip(lines, imported, strict=True)
    ]

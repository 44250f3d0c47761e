"""`offramp template`: the catalogue, and what proves its templates. Nothing is sent."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.table import Table

from cli.options import JsonOption
from cli.output import console, fail, text

if TYPE_CHECKING:
    # The parser takes a while to import; the other commands, and --help, should not wait for it.
    from catalog import Template

app = typer.Typer(help="The catalogue of destinations.", no_args_is_help=True, add_completion=False)

SLUG = typer.Argument(metavar="SLUG", help="The template's name in the catalogue.", show_default=False)
SLUGS = typer.Argument(metavar="[SLUG]...", help="The templates' names in the catalogue.", show_default=False)
ALL = typer.Option("--all", help="All templates.")
EVENT = typer.Option("--event", metavar="NAME", help="The name of an event that it takes; once for each.")
CATALOG = typer.Option("--catalog", metavar="DIR", help="Templates of your own in place of those that come with it.")


@app.command("list")
def list_(
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORD]...", help="Only those with these words.")] = None,
    catalog: Annotated[Path | None, CATALOG] = None,
    as_json: JsonOption = False,
) -> None:
    """List the templates by category."""
    templates = [one for one in _catalog(catalog) if all(_has(one, word) for word in words or ())]
    templates.sort(key=lambda one: (one.spec.category, one.slug))
    if as_json:
        for one in templates:
            typer.echo(msgspec.json.encode({"slug": one.slug, **_facts(one)}).decode())
        return
    table = Table(box=None, pad_edge=False)
    for name in ("slug", "category", "status", "what it does"):
        table.add_column(name)
    for one in templates:
        table.add_row(text(one.slug), text(one.spec.category), text(one.spec.status), text(one.spec.description))
    console().print(table)


@app.command()
def show(slug: Annotated[str, SLUG], catalog: Annotated[Path | None, CATALOG] = None) -> None:
    """Show a template: its inputs, and what its README says."""
    (template,) = _chosen([slug], False, catalog)
    out = console()
    out.print(text(f"{template.spec.name}: {template.spec.description}", "bold"))
    out.print(text(f"{template.spec.category}, {template.spec.status}; {template.spec.docs}"))
    table = Table(box=None, pad_edge=False)
    for name in ("input", "type", "", "what it is"):
        table.add_column(name)
    for key, one in template.spec.inputs.items():
        marks = ", ".join(mark for mark, holds in (("required", one.required), ("secret", one.secret)) if holds)
        table.add_row(text(key), text(one.type), text(marks), text(one.description))
    out.print(table)
    if template.readme:
        out.print(text("\n" + template.readme))


@app.command()
def lint(
    slugs: Annotated[list[str] | None, SLUGS] = None,
    every: Annotated[bool, ALL] = False,
    catalog: Annotated[Path | None, CATALOG] = None,
) -> None:
    """Say what templates lack: unused inputs, unmarked secrets, README, cases. The exit code is 1 if anything.

    A destination is made of each that lacks nothing, so that its filters, mappings and delivery are looked at, too.
    """
    from catalog import lint as linting
    from cli.template_case import unmade

    chosen = _chosen(slugs or [], every, catalog)
    problems = (f"{one.slug}: {problem}" for one in chosen for problem in (linting.problems_of(one) or unmade(one)))
    _end(problems, len(chosen), "template")


@app.command("test")
def run(
    slugs: Annotated[list[str] | None, SLUGS] = None,
    every: Annotated[bool, ALL] = False,
    catalog: Annotated[Path | None, CATALOG] = None,
) -> None:
    """Run the cases of templates with scripted answers. The exit code is 1 if one is not as it says."""
    from catalog.cases import CaseError, read_cases
    from cli.template_case import problems_of

    problems: list[str] = []
    count = 0
    for template in _chosen(slugs or [], every, catalog):
        try:
            cases = read_cases(template.folder)
        except CaseError as error:
            problems.append(str(error))
            continue
        count += len(cases)
        problems += [
            f"{template.slug}, {one.name}: {problem}" for one in cases for problem in problems_of(template, one)
        ]
    _end(problems, count, "case")


@app.command()
def new(
    slug: Annotated[str, SLUG],
    directory: Annotated[Path, typer.Option("--in", metavar="DIR", help="The folder of templates.")] = Path("catalog"),
) -> None:
    """Write the files of a new template, to be filled in."""
    from catalog.scaffold import FILES
    from catalog.spec import SLUG as FORM

    if not FORM.fullmatch(slug):
        fail(f"{slug}: a template's name is of a-z, 0-9 and single hyphens", 2)
    folder = directory / slug
    if folder.exists():
        fail(f"{folder} is there already", 1)
    try:
        folder.mkdir(parents=True)
        for name, content in FILES.items():
            (folder / name).write_text(content.replace("SLUG", slug), "utf-8")
    except OSError as error:
        fail(f"{folder} cannot be written: {error.strerror}", 1)
    typer.echo(f"{folder}: fill in {', '.join(FILES)}, then: offramp template test {slug} --catalog {directory}")


@app.command()
def use(
    slug: Annotated[str, SLUG],
    id: Annotated[str | None, typer.Option("--id", metavar="ID", help="The destination's id. Default: SLUG.")] = None,
    directory: Annotated[Path, typer.Option("--destinations", metavar="DIR", help="Where its file is written.")] = Path(
        "destinations"
    ),
    events: Annotated[list[str] | None, EVENT] = None,
    every: Annotated[bool, typer.Option("--every-event", help="It takes every event.")] = False,
    catalog: Annotated[Path | None, CATALOG] = None,
) -> None:
    """Write the file of a new destination: the template's filters and mappings, and the inputs to be filled in."""
    from catalog.spec import TAKES_ALL
    from destinations.file_text import file_text
    from destinations.spec import ID
    from destinations.starter import first_inputs, starter

    (template,) = _chosen([slug], False, catalog)
    id = id or slug
    if not ID.fullmatch(id):
        fail(f"{id}: an id is of a-z, 0-9 and hyphens", 2)
    file = directory / f"{id}.yaml"
    if file.exists():
        fail(f"{file} is there already; --id gives another name", 1)
    spec = template.spec
    if not (events or every or spec.filters or spec.mappings or spec.category in TAKES_ALL):
        fail(f"{slug}: of which events? --event NAME, once for each, or --every-event", 2)
    inputs, secrets = first_inputs(template, id)
    values = starter(template, id, inputs)
    if events:
        values["filters"] = {"events": [{"id": name} for name in events]}
    comment = f"{template.spec.description} offramp template show {slug}: where its credentials are found."
    try:
        directory.mkdir(parents=True, exist_ok=True)
        file.write_text(file_text(values, comment), "utf-8")
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}", 1)
    typer.echo(f"{file}: look through its inputs")
    if secrets:
        typer.echo(f"secrets to set: {', '.join(secrets)}")
    typer.echo("then: offramp check")


def _catalog(directory: Path | None) -> "list[Template]":
    import catalog

    try:
        return list((catalog.builtin() if directory is None else catalog.load(directory)).values())
    except catalog.CatalogError as error:
        fail(str(error), 1)


def _chosen(slugs: list[str], every: bool, directory: Path | None) -> "list[Template]":
    from catalog.problem import suggestion

    templates = {one.slug: one for one in _catalog(directory)}
    for slug in slugs:
        if slug not in templates:
            fail(f"there is no template '{slug}'{suggestion(slug, sorted(templates))}", 1)
    if not slugs and not every:
        fail("name the templates, or give --all", 2)
    return [templates[slug] for slug in (templates if every else slugs)]


def _end(problems: Iterable[str], count: int, what: str) -> None:
    found = list(problems)
    for problem in found:
        typer.echo(problem, err=True)
    typer.echo(f"{count} {what}{'' if count == 1 else 's'}, {len(found)} problem{'' if len(found) == 1 else 's'}")
    raise typer.Exit(1 if found else 0)


def _has(template: "Template", word: str) -> bool:
    spec = template.spec
    return word.lower() in f"{template.slug} {spec.name} {spec.category} {spec.description}".lower()


def _facts(template: "Template") -> dict[str, str]:
    spec = template.spec
    return {
        "name": spec.name,
        "category": spec.category,
        "status": spec.status,
        "description": spec.description,
        "docs": spec.docs,
    }

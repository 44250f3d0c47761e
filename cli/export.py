"""`offramp export`: destinations as JSON, in the shape of PostHog's functions, that `offramp import` takes back."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from cli.options import shown
from cli.output import fail
from flows.settings import from_process

IDS = typer.Argument(metavar="[ID…]", help="Which ones. Default: all.", show_default=False)
DIRECTORY = typer.Option("--destinations", metavar="DIR", help="The destination files. Default: destinations.")


def export(ids: Annotated[list[str] | None, IDS] = None, directory: Annotated[str | None, DIRECTORY] = None) -> None:
    """Print destinations as a JSON list that `offramp import posthog` makes the same files of. Secrets stay names.

    Comments below a file's first key are not kept. The exit code is 1 when a file cannot be read.
    """
    settings = from_process({"destinations": directory}, only=["destinations"])
    from destinations.loading import destination_files

    folder = Path(shown(settings.destinations))
    files = {path.stem: path for path in destination_files(folder)}
    for id in ids or ():
        if id not in files:
            fail(f"there is no destination '{id}' in {folder}; there are: {', '.join(files) or 'none'}", 1)
    objects = [_exported(path) for stem, path in files.items() if not ids or stem in ids]
    typer.echo(msgspec.json.format(msgspec.json.encode(objects), indent=2).decode())


def _exported(path: Path) -> dict[str, Any]:
    import catalog
    from catalog.scalar import YamlError
    from catalog.yaml_file import parse, read
    from destinations.file_text import comment_of
    from destinations.posthog import exported

    try:
        data = read(path)
        values = parse(data).values
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror}", 1)
    except YamlError as error:
        fail(f"{path} ({error.place.line},{error.place.column}): {error.message}", 1)
    if not isinstance(values.get("id"), str):
        fail(f"{path}: key 'id' is missing", 1)
    return exported(values, comment_of(data.decode("utf-8-sig")), catalog.builtin())

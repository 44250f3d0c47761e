"""What imported destinations need in project.yaml, out of what PostHog's API answers about the project."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.files import write_all
from cli.output import fail

if TYPE_CHECKING:
    from destinations.posthog import Needs


def write_project(
    directory: Path, answers: Sequence[list[dict[str, Any]]], needs: "Sequence[Needs]", force: bool
) -> list[str]:
    """Add to project.yaml what is needed and is in the answers (actions, cohorts, project); returns what to say of it.

    What stands in the file stays in it. A file that is there is only written with `force`, without its comments.
    """
    actions, cohorts, settings = answers
    if not any(answers):
        return []
    from destinations.file_text import yaml_text
    from destinations.posthog.project import ProjectAnswers, completed
    from destinations.project import compile_project, project_file

    path = (project_file(directory) if directory.is_dir() else None) or directory / "project.yaml"
    before = _values(path)
    after = completed(before, ProjectAnswers(actions, cohorts, settings[0] if settings else {}), needs)
    if after == before:
        return [f"{path}: there is nothing to add to it"]
    if before and not force:
        return [f"{path} exists, and lacks some of it; --force adds that, and drops the comments in it"]
    text = yaml_text(after)
    problems = compile_project(path, text.encode()).problems
    if problems:
        return [f"{path} is not written: {'; '.join(f'{one.path}: {one.message}' for one in problems)}"]
    try:
        write_all({path: text})
    except OSError as error:
        fail(f"{path}: cannot be written: {error.strerror}", 2)
    added = [key for key in after if after[key] != before.get(key)]
    return [f"{path}: {', '.join(added)} written"]


def _values(path: Path) -> dict[str, Any]:
    """What the file says; ends the command when it cannot be read, for then nothing can be added to it."""
    from catalog.scalar import YamlError
    from catalog.yaml_file import parse, read

    if not path.exists():
        return {}
    try:
        return parse(read(path)).values
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror}", 2)
    except YamlError as error:
        fail(f"{path} ({error.place.line},{error.place.column}): {error.message}", 2)

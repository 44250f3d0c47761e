"""What imported destinations take from where the job runs, as links and names, and nobody has said yet."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from flows.settings import Settings

if TYPE_CHECKING:
    from destinations.posthog import Imported
    from destinations.site import Presentation

    Chain = tuple[str, ...]

MAX_NAMED = 3
"""Destinations that a note names."""
_WITH_LINKS = frozenset({"event", "person", "project", "source"})


def surroundings(imported: "Sequence[Imported]", presentation: "Presentation", settings: Settings) -> Iterator[str]:
    """A note for each of these things that is read and stands neither in project.yaml nor in the settings."""
    from destinations.site import DISPLAY_NAMES

    if presentation.display_names == DISPLAY_NAMES:
        yield from _note(
            imported,
            lambda chain: chain in (("person",), ("person", "name")),
            f"`person.name` is the first that a person has of {', '.join(DISPLAY_NAMES)}, "
            "unless `person_display_name_properties` in project.yaml says otherwise",
        )
    if not presentation.name:
        yield from _note(
            imported,
            lambda chain: chain in (("project",), ("project", "name")),
            "`project.name` is `project` and its number, unless `name` in project.yaml says otherwise",
        )
    if not presentation.url:
        yield from _note(
            imported,
            _is_link,
            f"links begin with {settings.site_url.rstrip('/')}/project/ and its number, "
            "unless `url` in project.yaml or --site-url says otherwise",
        )
    read = {chain[1] for one in imported for chain in one.reads if chain[0] == "groups" and len(chain) > 1}
    for name in sorted(read - settings.group_types.keys()):
        yield from _note(
            imported,
            lambda chain, name=name: chain[:2] == ("groups", name),  # type: ignore[misc]  # mypy knows no such default
            f"`groups.{name}` is there if a type of groups has that name: say `--group-types {name}=INDEX`",
        )


def _is_link(chain: "Chain") -> bool:
    root, *rest = chain
    return (root in _WITH_LINKS and rest in ([], ["url"])) or (root == "groups" and rest[1:] in ([], ["url"]))


def _note(imported: "Sequence[Imported]", reads: "Callable[[Chain], bool]", what: str) -> Iterator[str]:
    ids = [one.id for one in imported if any(map(reads, one.reads))]
    more = f" and {len(ids) - MAX_NAMED} more" if len(ids) > MAX_NAMED else ""
    if ids:
        yield f"{what} ({', '.join(ids[:MAX_NAMED])}{more})"

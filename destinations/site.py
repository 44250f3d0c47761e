"""Where events come from, as links and names shown to people: projects and group types. It reads no settings."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import quote

DISPLAY_NAMES: Final = ("email", "name", "username")


@dataclass(frozen=True)
class Presentation:
    """How `project.yaml` wants a project to be shown; what is empty it does not say."""

    id: int | None = None
    """The only project that the rest is said of; None is any."""
    name: str = ""
    url: str = ""
    """The prefix of every link to something in the project, without a slash at its end."""
    display_names: tuple[str, ...] = DISPLAY_NAMES
    """The properties that may name a person, the first one first."""


_PLAIN: Final = Presentation()


class Project:
    """One project (team): what templates see as `project`."""

    def __init__(self, number: int, name: str, url: str, display_names: tuple[str, ...]) -> None:
        """See Presentation."""
        self.id = number
        self.name = name
        self.url = url
        self.display_names = display_names

    @cached_property
    def globals(self) -> dict[str, object]:
        """As templates see it."""
        return {"id": self.id, "name": self.name, "url": self.url}


class Site:
    """The installation that people open in a browser, how its projects are shown, and the group types' numbers."""

    def __init__(
        self,
        url: str = "http://localhost:8010",
        group_types: dict[str, int] | None = None,
        presentation: Presentation = _PLAIN,
    ) -> None:
        """`group_types` maps a group type's name to its index, 0 to 4."""
        self.url = url.rstrip("/")
        self.group_types = group_types or {}
        self.presentation = presentation
        self._projects: dict[int, Project] = {}

    def presented(self, presentation: Presentation) -> "Site":
        """The same installation with its projects shown in this way."""
        return Site(self.url, self.group_types, presentation)

    def project(self, number: int) -> Project:
        """The project of that number; one that nobody has named is called `project N`."""
        found = self._projects.get(number)
        if found is None:
            shown = self.presentation if self.presentation.id in (None, number) else _PLAIN
            name, url = shown.name or f"project {number}", shown.url or f"{self.url}/project/{number}"
            found = self._projects[number] = Project(number, name, url, shown.display_names)
        return found


def encode_component(text: str) -> str:
    """Percent-encode as JavaScript's encodeURIComponent does, in UTF-8."""
    return quote(text, safe="!~*'()", errors="replace")

"""Where events come from, as links and names shown to people: projects and group types. It reads no settings."""

from functools import cached_property
from urllib.parse import quote


class Project:
    """One project (team): what templates see as `project`."""

    def __init__(self, number: int, name: str, url: str) -> None:
        """`url` is the prefix of every link to something in the project."""
        self.id = number
        self.name = name
        self.url = url

    @cached_property
    def globals(self) -> dict[str, object]:
        """As templates see it."""
        return {"id": self.id, "name": self.name, "url": self.url}


class Site:
    """The installation that people open in a browser, the names of its projects and the numbers of its group types."""

    def __init__(
        self,
        url: str = "http://localhost:8010",
        project_names: dict[int, str] | None = None,
        group_types: dict[str, int] | None = None,
    ) -> None:
        """`group_types` maps a group type's name to its index, 0 to 4."""
        self.url = url.rstrip("/")
        self.group_types = group_types or {}
        self._names = project_names or {}
        self._projects: dict[int, Project] = {}

    def project(self, number: int) -> Project:
        """The project of that number; one that was never named is called `project N`."""
        found = self._projects.get(number)
        if found is None:
            name = self._names.get(number, f"project {number}")
            found = self._projects[number] = Project(number, name, f"{self.url}/project/{number}")
        return found


def encode_component(text: str) -> str:
    """Percent-encode as JavaScript's encodeURIComponent does, in UTF-8."""
    return quote(text, safe="!~*'()", errors="replace")

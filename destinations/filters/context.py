"""What destinations need to know of the project. Data only; `destinations.project` reads it from `project.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from destinations.connections import ConnectionSpec
from destinations.site import Presentation
from hog.nodes import Expr


@dataclass(frozen=True)
class Project:
    """Of a project without a `project.yaml` everything is as here."""

    timezone: str = "UTC"
    """In which dates without an offset are meant."""
    booleans: frozenset[tuple[str, str]] = frozenset()
    """The properties that are Boolean, each with where it is: `event`, `person`, `group_0`."""
    path_cleaning: tuple[tuple[str, str], ...] = ()
    """Regular expressions and what takes the place of what they find, in order."""
    test_accounts: Expr | None = None
    """Holds for events of real users; None where the project says nothing of it."""
    actions: Mapping[str, Expr] = field(default_factory=dict[str, Expr])
    """By id, as text."""
    cohorts: Mapping[str, Expr] = field(default_factory=dict[str, Expr])
    refused_cohorts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Cohorts that nothing here can tell the members of: by id, why."""
    presentation: Presentation = field(default_factory=Presentation)
    connections: Mapping[str, ConnectionSpec] = field(default_factory=dict[str, ConnectionSpec])
    """Where access tokens come from, by name."""
    broken: bool = False
    """There is a `project.yaml` and it has never loaded."""

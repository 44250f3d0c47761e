"""What a destination file says, before anything of it is compiled. Data only."""

import re
from typing import Any

import msgspec

ID = re.compile(r"[a-z0-9-]+")


class FiltersSpec(msgspec.Struct, frozen=True):
    """Which events are wanted."""

    when: str | None = None
    """A Hog expression over the event's row; absent means every event."""


class DestinationSpec(msgspec.Struct, frozen=True):
    """One YAML file. A key that is absent or null has its default."""

    id: str
    """Equal to the file's stem."""
    name: str = ""
    """Shown to people; the id where it is empty."""
    enabled: bool = True
    project: int | None = None
    """Only this project's events; None takes all."""
    template: str = "webhook"
    filters: FiltersSpec = msgspec.field(default_factory=FiltersSpec)
    inputs: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])

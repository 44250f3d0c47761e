"""What a destination file says, before anything of it is compiled. Data only."""

import re
from typing import Annotated, Any

import msgspec

ID = re.compile(r"[a-z0-9-]+")


class FiltersSpec(msgspec.Struct, frozen=True):
    """Which events are wanted."""

    when: str | None = None
    """A Hog expression over the event's row; absent means every event."""


class LimitsSpec(msgspec.Struct, frozen=True):
    """What one run of a destination's code may take."""

    time_ms: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 550
    """Time in which the program itself runs; waiting for responses is not counted."""
    memory_mb: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 64
    fetches: Annotated[int, msgspec.Meta(ge=0, le=100)] = 5


class DestinationSpec(msgspec.Struct, frozen=True):
    """One YAML file. A key that is absent or null has its default."""

    id: str
    """Equal to the file's stem."""
    name: str = ""
    """Shown to people; the id where it is empty."""
    enabled: bool = True
    project: int | None = None
    """Only this project's events; None takes all."""
    template: str = ""
    """Absent: `webhook`, or none at all where there is `code`, whose inputs are then whatever the file gives."""
    filters: FiltersSpec = msgspec.field(default_factory=FiltersSpec)
    inputs: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    code: str | None = None
    """A Hog program that is run for each event, instead of the template's request or code."""
    limits: LimitsSpec = msgspec.field(default_factory=LimitsSpec)

"""Makes a destination's file of what somebody filled in, and writes it where the job finds it."""

from typing import Any

import msgspec

from catalog import Template


class DraftError(Exception):
    """What was filled in cannot be a destination; the text says why."""


class Draft(msgspec.Struct, frozen=True):
    """A destination as it was filled in."""

    id: str
    name: str
    template: Template
    filters: dict[str, Any]
    inputs: dict[str, Any]
    secrets: dict[str, str]
    """By input: what must not stand in the file."""

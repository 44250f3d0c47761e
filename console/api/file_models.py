"""What the API gives and takes of destination files, their versions, and secrets. Times are seconds since the epoch."""

from typing import Any

from pydantic import Field, SecretStr

from console.api.models import In, Out

MOST_TEXT = 1 << 20
"""Characters of a file, which has at most as many bytes."""
MOST_SECRET = 64 * 1024


class FileIn(In):
    """A whole file."""

    text: str = Field(max_length=MOST_TEXT)
    note: str = Field("", max_length=1000)
    """Why, for the history."""


class TextIn(In):
    """A file that is not to be written."""

    text: str = Field(max_length=MOST_TEXT)


class Checked(Out):
    """What would be wrong with a file; nothing where the list is empty."""

    problems: list[str]


class VersionRow(Out):
    """What a destination's file was from one moment on."""

    destination: str
    number: int
    """From 1."""
    at: float
    author: str
    """`file` for a change by hand."""
    note: str
    deleted: bool


class VersionText(VersionRow):
    """The same with its text; `***` stands for a secret that was written into it by hand."""

    text: str


class VersionPage(Out):
    """Versions, the newest first; `next` is what to give as `after` for those before them."""

    items: list[VersionRow]
    next: int | None


class Diff(Out):
    """What turns one version into another one, as unified diff."""

    before: int
    after: int
    diff: str


class RollbackIn(In):
    """Which version is to be the file's text again."""

    version: int = Field(ge=1, le=2**62)
    note: str = Field("", max_length=1000)


class DestinationIn(In):
    """A destination to be made from a template."""

    id: str = Field(pattern="^[a-z0-9-]+$", max_length=200)
    """It stays the same for ever."""
    name: str = Field("", max_length=200)
    """Without it the template's."""
    template: str = Field(max_length=200)
    """Its slug."""
    filters: dict[str, Any] | None = None
    """Without it the template's; empty is every event."""
    inputs: dict[str, Any] = Field(default_factory=dict)
    """What the template has no default for, and what is to differ from it."""
    secrets: dict[str, SecretStr] = Field(default_factory=dict)
    """Inputs that must not stand in the file. They are stored, and nobody sees them again."""


class SecretRow(Out):
    """A secret that is stored, without its value."""

    name: str
    at: float
    author: str


class SecretIn(In):
    """The value of a secret, at most 64 KiB."""

    value: SecretStr = Field(min_length=1, max_length=MOST_SECRET)

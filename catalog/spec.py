"""What a template is: the inputs it asks for and the request it makes of them. Data only."""

import re
from enum import StrEnum
from typing import Any

import msgspec

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class InputType(StrEnum):
    """What an input holds, and how it is rendered."""

    STRING = "string"
    URL = "url"
    """A string in which every substituted value is percent-encoded."""
    DICTIONARY = "dictionary"
    JSON = "json"
    """Anything that JSON can say."""


class InputSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input. Its default is rendered like a value that a user wrote."""

    type: InputType
    label: str
    required: bool = False
    default: Any = None
    description: str = ""


class RequestSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The request that the template sends: Hog templates over `inputs` and the event's globals."""

    url: str
    method: str = "POST"
    headers: Any = msgspec.field(default_factory=dict[str, Any])
    body: Any = None


class TemplateSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`template.yaml`. Inputs keep the order in which they are shown to people."""

    name: str
    description: str
    inputs: dict[str, InputSpec]
    request: RequestSpec | None = None
    """Absent where the folder has a `code.hog`."""


class Template(msgspec.Struct, frozen=True):
    """A template of the catalogue, under its folder's name."""

    slug: str
    spec: TemplateSpec
    code: str | None = None
    """The text of `code.hog`: a Hog program that is run for each event."""

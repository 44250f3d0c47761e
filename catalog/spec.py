"""What a template is: the inputs it asks for and the request it makes of them. Data only."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import msgspec

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Category(StrEnum):
    """What a destination is for; the gallery goes by it."""

    CUSTOM = "Custom"
    CHAT = "Chat"
    MESSAGING = "E-mail, SMS and push"
    ALERTS = "Alerts"
    WORK = "Work tools"
    CRM = "CRM"
    SUPPORT = "Support"
    MARKETING = "Marketing"
    ADS = "Advertising"
    ANALYTICS = "Analytics"
    DATA = "Data and queues"
    OBSERVABILITY = "Observability"
    SEARCH_AI = "Search and AI"


TAKES_ALL = frozenset({Category.CUSTOM, Category.ANALYTICS, Category.DATA, Category.OBSERVABILITY})
"""What a new destination of these may do with every event; of the others somebody would be flooded."""


class InputType(StrEnum):
    """What an input holds, and how it is rendered."""

    STRING = "string"
    URL = "url"
    """A string in which every substituted value is percent-encoded."""
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    """One of the schema's `choices`."""
    DICTIONARY = "dictionary"
    JSON = "json"
    """Anything that JSON can say."""
    EMAIL = "email"
    """A mapping of `from`, `to`, `subject`, and `text` or `html`."""


NO_LIQUID_URL = "a `url` is written in Hog, which percent-encodes what is put in; Liquid does not"
Templating = bool | Literal["hog", "liquid"]
"""The language of the texts; true is Hog, false takes them as they stand."""


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value that an input of type `choice` may have."""

    value: str | int | float | bool
    label: str = ""
    """Shown to people; the value where it is empty."""

    def is_value(self, value: object) -> bool:
        """Whether it is this one: the text `1` is not the number 1, and the number is not true."""
        both = (self.value, value)
        same_kind = any(all(isinstance(each, kind) for each in both) for kind in (bool, str))
        return self.value == value and (same_kind or not any(isinstance(each, bool | str) for each in both))


class InputSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input. Its default is rendered like a value that a user wrote."""

    type: InputType
    label: str = ""
    required: bool = False
    """Null and the empty text are not enough."""
    default: Any = None
    description: str = ""
    example: Any = None
    """What a person might write; it is only shown."""
    choices: list[Choice] = msgspec.field(default_factory=list[Choice])
    secret: bool = False
    """Shown nowhere, and no destination file may hold it as it is."""
    hidden: bool = False
    """Not shown to people who fill in the inputs."""
    templating: Templating = True

    def __post_init__(self) -> None:
        """Raise ValueError where the parts do not go together."""
        if self.type is InputType.CHOICE and not self.choices:
            raise ValueError("an input of type 'choice' needs `choices`: a list of {value, label}")
        if self.type is not InputType.CHOICE and self.choices:
            raise ValueError(f"`choices` go with type 'choice', not with '{self.type}'")
        if self.type is InputType.URL and self.templating == "liquid":
            raise ValueError(NO_LIQUID_URL)

    def choice_of(self, value: object) -> Choice | None:
        """The choice that has this value."""
        return next((choice for choice in self.choices if choice.is_value(value)), None)


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
    """One line: what is done with each event."""
    inputs: dict[str, InputSpec]
    category: Category
    docs: str
    """The address of the vendor's own description of what is called."""
    source: str
    """What the requests were made from, with the date on which it was read."""
    hosts: list[str]
    """Whom it calls: `api.example.com`, `*.example.com`, or `*` where the user names the host."""
    status: Literal["alpha", "beta", "stable"] = "beta"
    request: RequestSpec | None = None
    """Absent where the folder has a `request.hog` or a `code.hog`."""
    filters: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    """What a new destination wants to begin with, as in a destination file."""
    mappings: list[dict[str, Any]] = msgspec.field(default_factory=list[dict[str, Any]])
    """What a new destination makes of events to begin with, as in a destination file."""
    delivery: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    """How it has to be delivered, as in a destination file; what the file says goes before it."""
    posthog: str | list[str] = ""
    """The ids of PostHog's templates that make the same requests of inputs with the same names."""

    @property
    def posthog_ids(self) -> list[str]:
        """The same as a list."""
        if isinstance(self.posthog, list):
            return self.posthog
        return [self.posthog] if self.posthog else []


class Template(msgspec.Struct, frozen=True):
    """A template of the catalogue, under its folder's name."""

    slug: str
    spec: TemplateSpec
    code: str | None = None
    """The text of `code.hog`: a Hog program that is run for each event, and makes requests itself."""
    request_code: str | None = None
    """The text of `request.hog`: a Hog program that returns the request for an event, or null where none is sent."""
    folder: Path = Path()
    """Where its README and its cases are."""

    @property
    def readme(self) -> str:
        """What its README says; empty where it has none that can be read."""
        try:
            return (self.folder / "README.md").read_text("utf-8", "replace")
        except OSError:
            return ""

"""What became of trying a destination out with one event, step by step: values for a terminal and for a browser.

All text in it is free of secrets. It decides and sends nothing.
"""

from enum import StrEnum
from typing import Any

import msgspec

from destinations.explain import Clause, InputValue


class Ending(StrEnum):
    """How a request, a branch or the whole trial has ended."""

    DELIVERED = "delivered"
    WOULD_DELIVER = "would be delivered"
    """Nothing was sent: as far as it can be told without an answer."""
    RETRIED = "would be tried again"
    FAILED = "failed"
    """For good: a retry would not change it."""
    NOTHING = "nothing to send"
    """The template says so of this event; a job counts it as delivered."""
    UNWANTED = "not wanted"


class Sent(msgspec.Struct, frozen=True):
    """A request, as it went out or would go out."""

    method: str
    url: str
    headers: dict[str, str]
    body: str
    """The first 256 KiB, before any compression."""
    body_bytes: int
    """How long it is in all."""


class Answered(msgspec.Struct, frozen=True):
    """An answer."""

    status: int
    headers: dict[str, str]
    body: str
    """The first 256 KiB."""
    truncated: bool = False
    scripted: bool = False
    """Whether nobody has given it: a program had to go on."""


class Step(msgspec.Struct, frozen=True):
    """One request with its answer."""

    request: Sent
    ending: Ending
    reason: str = ""
    """Why it is not delivered, and what to do."""
    answer: Answered | None = None
    """None where there was none, or nothing was sent."""
    duration_ms: float = 0.0
    note: str = ""
    """What is added only when it really leaves: signatures, an access token."""


class Logged(msgspec.Struct, frozen=True):
    """A line of a program."""

    level: str
    message: str


class Trial(msgspec.Struct, frozen=True):
    """What one mapping came to, or the destination itself where it has none."""

    mapping: str
    """Empty where the destination has none."""
    matches: bool
    ending: Ending
    reason: str = ""
    """Why it is neither delivered nor would be."""
    webhook_id: str = ""
    """The one that the event's delivery has."""
    clauses: list[Clause] = []
    """Of the mapping's own filter."""
    inputs: list[InputValue] = []
    """As rendered, in JSON."""
    code: bool = False
    """Whether a program makes the requests."""
    steps: list[Step] = []
    logs: list[Logged] = []
    """What the program printed."""
    captured: list[Any] = []
    """What the program gave to `postHogCapture`. It is captured nowhere."""
    duration_ms: float = 0.0
    """Of the whole attempt, programs and access tokens included; 0 where nothing was sent."""


class TrialResult(msgspec.Struct, frozen=True):
    """What a destination made of one event."""

    destination: str
    event: str
    uuid: str
    distinct_id: str
    person: str
    """The person's id; empty where nobody is known."""
    position: str
    """Where in the inputs it was found; empty where it was given."""
    sent: bool
    """Whether something really went out, or was to."""
    matches: bool
    ending: Ending
    reason: str = ""
    """Why it is neither delivered nor would be."""
    clauses: list[Clause] = []
    """Of the destination's own filter."""
    sample: str = ""
    cap: str = ""
    notes: list[str] = []
    """What a job would do otherwise."""
    trials: list[Trial] = []

    @property
    def well(self) -> bool:
        """Whether all of it was delivered, or would be."""
        return self.ending in (Ending.DELIVERED, Ending.WOULD_DELIVER)

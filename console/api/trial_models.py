"""What the API gives and takes of events, and of trying a destination out with one."""

from typing import Any

from pydantic import Field

from console.api.models import In, Out


class EventRow(Out):
    """An event of the job's inputs."""

    uuid: str
    event: str
    distinct_id: str
    timestamp: str
    """As it was sent, in ISO 8601."""
    position: str
    """Where in the inputs it is."""


class TestIn(In):
    """With what a destination is tried out: `uuid` or `event`, and only one of them."""

    uuid: str = Field("", max_length=100)
    """Of an event among the newest of the inputs."""
    event: dict[str, Any] | None = None
    """An event, as it is sent or in the inputs; for a destination of person-updates, a message of the persons."""
    send: bool = False
    """Really send it, once, with the header `offramp-test: true`."""
    anyway: bool = False
    """Also where it is not wanted."""


class Clause(Out):
    """One operand of a filter's top-level `and`: all must hold."""

    text: str
    holds: bool
    reads: dict[str, Any]
    error: str


class InputValue(Out):
    """An input as rendered, in JSON; or why it could not be."""

    name: str
    value: str
    error: str


class Sent(Out):
    """A request, as it went out or would go out, without secrets."""

    method: str
    url: str
    headers: dict[str, str]
    body: str
    body_bytes: int


class Answered(Out):
    """An answer; `scripted` where nobody has given it."""

    status: int
    headers: dict[str, str]
    body: str
    truncated: bool
    scripted: bool


class Step(Out):
    """One request with its answer, if there was one."""

    request: Sent
    ending: str
    reason: str
    answer: Answered | None
    duration_ms: float
    note: str


class Logged(Out):
    """A line of a program."""

    level: str
    message: str


class Trial(Out):
    """What one mapping came to, or the destination itself where it has none."""

    mapping: str
    matches: bool
    ending: str
    reason: str
    webhook_id: str
    clauses: list[Clause]
    inputs: list[InputValue]
    code: bool
    steps: list[Step]
    logs: list[Logged]
    captured: list[Any]
    duration_ms: float


class TrialResult(Out):
    """What a destination made of one event."""

    destination: str
    event: str
    uuid: str
    distinct_id: str
    person: str
    position: str
    sent: bool
    matches: bool
    ending: str
    """`delivered`, `would be delivered`, `would be tried again`, `failed`, `nothing to send` or `not wanted`."""
    reason: str
    clauses: list[Clause]
    sample: str
    cap: str
    notes: list[str]
    trials: list[Trial]

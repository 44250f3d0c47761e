"""What the API gives and takes, as its description shows it. Times are seconds since the epoch."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Command = Literal["pause", "disable", "enable", "replay", "pause_replays", "resume_replays", "cancel_replays"]


class Out(BaseModel):
    """Something that is told."""

    model_config = ConfigDict(from_attributes=True, frozen=True, use_attribute_docstrings=True)


class In(BaseModel):
    """Something that is asked for; a key that is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Problem(Out):
    """An error, by RFC 9457 (`application/problem+json`)."""

    type: str = "about:blank"
    title: str = ""
    status: int
    detail: str
    problems: list[str] = Field(default_factory=list)
    """What is wrong with a file, where one was refused."""


class Me(Out):
    """Who asks."""

    name: str
    role: str


class ReplayState(Out):
    """How far a replay has come, in positions of the log."""

    id: int
    total: int
    left: int
    matched: int
    paused: bool


class DestinationRow(Out):
    """A destination and what the job last said of it."""

    id: str
    name: str
    template: str
    state: str
    problems: list[str]
    at: float
    matched: int
    delivered: int
    failed: int
    owed: int
    expired: int
    skipped: int
    backlog: int
    in_flight: int
    waiting_retry: int
    error_rate: float
    p50_ms: float | None
    p99_ms: float | None
    lag_s: float
    since: float
    until: float
    reason: str
    response: str
    attention: str
    last_error: str
    problem: str
    replays: list[ReplayState]
    command: int
    """The number of the newest command that was carried out; 0 is none."""


class DestinationPage(Out):
    """Destinations by id; `next` is what to give as `after` for those behind them."""

    items: list[DestinationRow]
    next: str | None
    running: bool
    """Whether a job is at work."""
    dead_letters: int
    """Messages that could not be decoded."""


class DestinationText(DestinationRow):
    """The same with its file; `***` stands for a secret that was written into it by hand."""

    text: str
    version: int
    """The number of the file's version; 0 where there has never been a file."""


class Line(Out):
    """A line of a destination's log. `body` is the response it speaks of."""

    id: int
    at: float
    level: str
    message: str
    webhook_id: str
    body: str


class LinePage(Out):
    """Lines in the order of writing; `next` is what to give as `after` for those behind them."""

    items: list[Line]
    next: int | None


class Failed(Out):
    """A delivery that failed for good and was not sent again since."""

    id: int
    webhook_id: str
    at: float
    stream: str
    partition: int
    offset: int
    event_uuid: str
    event_name: str
    attempts: int
    reason: str
    status: int | None
    body: str
    mapping: str


class FailedPage(Out):
    """Failures in the order of writing; `next` is what to give as `after` for those behind them."""

    items: list[Failed]
    next: int | None


class Count(Out):
    """So many within one minute."""

    minute: int
    kind: str
    name: str
    count: int


class Place(In):
    """A position of the log."""

    stream: str = Field(min_length=1, max_length=1000)
    partition: int = Field(ge=0, le=2**31 - 1)
    offset: int = Field(ge=0, le=2**62)


class CommandIn(In):
    """What a destination is to do. Of a replay either a place, a moment or `failed` is given."""

    kind: Command
    skip_missed: bool = False
    """With `enable`: what was missed is given up."""
    first: Place | None = None
    last: Place | None = None
    since: float | None = Field(None, ge=0, le=2**40)
    until: float | None = Field(None, ge=0, le=2**40)
    failed: bool = False
    """What has failed for good, narrowed down by the next two."""
    status: str = Field("", max_length=10)
    error: str = Field("", max_length=1000)
    dry: bool = False
    """Only say how much it is."""


class CommandsOut(Out):
    """The numbers of the commands that were given to the job."""

    ids: list[int]
    running: bool
    """Without a job they wait for the next one."""


class CommandState(Out):
    """What the job said to a command."""

    id: int
    answered: bool
    error: str
    positions: int
    """Of a replay: how many positions of the log it is."""
    done: bool
    """Carried out."""

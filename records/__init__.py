"""The structs that travel between steps. Data only: no decoding, no deciding, no I/O."""

from records.command import Command, CommandKind, Span
from records.event import DeadLetter, Deleted, EndOfInput, Event, Group, Message, Person, RangeRead, Source
from records.invocation import (
    CONNECTION_HEADERS,
    CUT_MARGIN_BYTES,
    KEPT_BODY_BYTES,
    Attempt,
    Code,
    ErrorKind,
    Invocation,
    Missed,
    Note,
    Outcome,
    Request,
    Response,
    Together,
    Verdict,
)
from records.journal import Failure, FailuresTaken, HealthChange, LogLine, Metric, Replay, Status
from records.masking import Cap, Capped
from records.policy import Batch, Policy, Quarantine

__all__ = [
    "CONNECTION_HEADERS",
    "CUT_MARGIN_BYTES",
    "KEPT_BODY_BYTES",
    "Attempt",
    "Batch",
    "Cap",
    "Capped",
    "Code",
    "Command",
    "CommandKind",
    "DeadLetter",
    "Deleted",
    "EndOfInput",
    "ErrorKind",
    "Event",
    "Failure",
    "FailuresTaken",
    "Group",
    "HealthChange",
    "Invocation",
    "LogLine",
    "Message",
    "Metric",
    "Missed",
    "Note",
    "Outcome",
    "Person",
    "Policy",
    "Quarantine",
    "RangeRead",
    "Replay",
    "Request",
    "Response",
    "Source",
    "Span",
    "Status",
    "Together",
    "Verdict",
]

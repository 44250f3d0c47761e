"""The structs that travel between steps. Data only: no decoding, no deciding, no I/O."""

from records.event import DeadLetter, Deleted, EndOfInput, Event, Group, Message, Person, RangeRead
from records.invocation import (
    CONNECTION_HEADERS,
    CUT_MARGIN_BYTES,
    KEPT_BODY_BYTES,
    Attempt,
    Code,
    ErrorKind,
    Invocation,
    Note,
    Outcome,
    Request,
    Response,
    Verdict,
)
from records.journal import HealthChange, LogLine, Metric, Status
from records.policy import Policy, Quarantine

__all__ = [
    "CONNECTION_HEADERS",
    "CUT_MARGIN_BYTES",
    "KEPT_BODY_BYTES",
    "Attempt",
    "Code",
    "DeadLetter",
    "Deleted",
    "EndOfInput",
    "ErrorKind",
    "Event",
    "Group",
    "HealthChange",
    "Invocation",
    "LogLine",
    "Message",
    "Metric",
    "Note",
    "Outcome",
    "Person",
    "Policy",
    "Quarantine",
    "RangeRead",
    "Request",
    "Response",
    "Status",
    "Verdict",
]

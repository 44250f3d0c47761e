"""Why a destination wants an event or does not, and what it would send: the road of one event, step by step.

It decides nothing by itself: every answer is the destination's own. All text in it is free of secrets.
"""

import re
from typing import Any, NamedTuple

import msgspec

import hog
from destinations.branch import Branch
from destinations.destination import Destination
from destinations.errors import EventDataError, InputError
from destinations.filter import Filter
from destinations.globals import EventView, row_needs
from destinations.secrets import masked_value
from hog import json_text, nodes
from records import Code, Request

_BETWEEN = re.compile(r"[\s(]*\band[\s(]*$", re.IGNORECASE)
"""What stands between two operands, seen from the end of the first."""

_OBJECT = "a part of the filters object"
"""It has no text of its own."""


class Clause(msgspec.Struct, frozen=True):
    """One operand of the filter's top-level `and`: all must hold."""

    text: str
    holds: bool
    reads: dict[str, Any]
    """What it has read of the event's row, by name."""
    error: str = ""


class InputValue(msgspec.Struct, frozen=True):
    """An input as rendered, in JSON; or why it could not be."""

    name: str
    value: str = ""
    error: str = ""


class Sending(msgspec.Struct, frozen=True):
    """What one mapping makes of the event, or the destination itself where it has none."""

    mapping: str
    """Empty where the destination has none."""
    matches: bool
    because: str = ""
    """The first reason why nothing is sent; else empty."""
    clauses: list[Clause] = []
    """Of the mapping's own filter."""
    inputs: list[InputValue] = []
    request: Request | None = None
    """What would be sent; None where it matches not, fails, or is the work of code."""
    code: bool = False
    """Whether the requests are made by the destination's code."""


class Explanation(msgspec.Struct, frozen=True):
    """`matches` is the answer and `because` the first reason why nothing is sent, empty where something is."""

    destination: str
    event: str
    uuid: str
    matches: bool
    because: str = ""
    clauses: list[Clause] = []
    """Of the destination's own filter."""
    sample: str = ""
    """Whether it is in, where only a share of what matches is sent."""
    cap: str = ""
    """What it counts against, where only some of the events with the same key are sent."""
    sendings: list[Sending] = []


class Made(NamedTuple):
    """What one branch makes of the event, as told and as it is."""

    branch: Branch
    sending: Sending
    work: Request | Code | None
    """None where its filter is against it, where it cannot be made, and where there is nothing to send."""
    failed: bool = False
    """Whether it cannot be made."""


class Road(NamedTuple):
    """What is told of the road of one event, and what the branches have made of it, in the same order."""

    explanation: Explanation
    made: list[Made]


def explain(destination: Destination, view: EventView) -> Explanation:
    """The road of one event through one destination, with the person that the event has now. Nothing is sent."""
    return road(destination, view).explanation


def road(destination: Destination, view: EventView, *, test: bool = False, anyway: bool = False) -> Road:
    """As `explain`, with what has been made. Raises nothing, and sends nothing.

    Args:
        destination: Whose filter and inputs.
        view: The event, with its person and groups.
        test: It is tried out: that its file says `enabled: false` is nothing against an event.
        anyway: Make what would be sent although the event is not wanted: by the branches that match it, or else by all.
    """
    clauses = _clauses(destination, destination.filter, view)
    because = destination.redact(_against(destination, view, clauses, test))
    sample = destination.redact(_sample(destination, view))
    found = Explanation(destination.id, view.event.event, view.event.uuid, not because, because, clauses, sample)
    if because and not anyway:
        return Road(found, [])
    made = [_made(destination, branch, view) for branch in destination.branches]
    matches = not because and any(one.sending.matches for one in made)
    if not because and all(one.sending.because for one in made):
        because = made[0].sending.because if len(made) == 1 else "none of its mappings makes a request of it"
    if anyway and not any(one.sending.matches for one in made):
        made = [_made(destination, branch, view, anyway=True) for branch in destination.branches]
    cap = _cap(destination, view) if matches or anyway else ""
    sendings = [one.sending for one in made]
    told = msgspec.structs.replace(found, matches=matches, because=because, sendings=sendings, cap=cap)
    return Road(told, made)


def _made(destination: Destination, branch: Branch, view: EventView, anyway: bool = False) -> Made:
    clauses = _clauses(destination, branch.filter, view)
    against = destination.redact(_failing(clauses))
    if against and not anyway:
        return Made(branch, Sending(branch.name, False, against, clauses), None)
    inputs: list[InputValue] = []

    def tell(name: str, value: Any, error: str) -> None:
        inputs.append(InputValue(name, destination.redact(_json(value)), destination.redact(error)))

    found = Sending(branch.name, not against, against, clauses, inputs)
    try:
        work = destination.render_telling(view, branch, tell)
    except InputError as error:
        because = against or f"the request cannot be made: {error}"
        return Made(branch, msgspec.structs.replace(found, because=because), None, failed=True)
    if work is None:
        because = against or "there is nothing to send: see the template's README"
        return Made(branch, msgspec.structs.replace(found, because=because), None)
    if isinstance(work, Code):
        return Made(branch, msgspec.structs.replace(found, code=True), work)
    return Made(branch, msgspec.structs.replace(found, request=_redacted(destination, work)), work)


def _cap(destination: Destination, view: EventView) -> str:
    """In words: what it is told apart by, and how many of those are sent. Which of them is one of the others is only
    counted, by the running job, and written down nowhere.
    """
    masking = destination.masking
    if masking is None:
        return ""
    try:
        value = destination.cap_key(view)
        key = destination.redact(_json(value))
        if masking.cap(value) is None:
            return f"held back by no cap: its key is {key}"
    except InputError as error:
        return f"held back by no cap: its key cannot be made: {destination.redact(str(error))}"
    often = f", and each behind {masking.threshold} of them" if masking.threshold else ""
    sent = f"of the events with the key {key} the first within {masking.ttl_s} s is sent{often}"
    return f"{sent}; whether this one was is not known: what is held back is only counted"


def _sample(destination: Destination, view: EventView) -> str:
    """In words; who is in is always in."""
    if destination.sample is None:
        return ""
    share = f"the sample of {destination.sample.share * 100:g} %"
    return f"it is in {share}" if not (out := _out_of_sample(destination, view)) else f"{out} ({share})"


def _against(destination: Destination, view: EventView, clauses: list[Clause], test: bool) -> str:
    event, names = view.event, destination.event_names
    if not destination.enabled and not test:
        return "the destination's file says 'enabled: false'"
    if not destination.branches:
        return "all of its mappings say 'enabled: false'"
    if destination.source is not event.source:
        return f"the event is one of {event.source}, the destination takes {destination.source}"
    if destination.project not in (None, event.project):
        return f"the event is of project {event.project}, the destination takes those of {destination.project}"
    if names is not None and event.event not in names:
        listed = ", ".join(map(repr, sorted(names))) or "none at all"
        return f"by its name alone: the filter takes {listed}"
    return _failing(clauses) or _out_of_sample(destination, view)


def _out_of_sample(destination: Destination, view: EventView) -> str:
    try:
        return "" if destination.samples(view) else "it is not in the sample"
    except (hog.HogRuntimeError, EventDataError) as error:
        return f"whether it is in the sample cannot be told: {error}"


def _failing(clauses: list[Clause]) -> str:
    for clause in clauses:
        if not clause.holds:
            return f"the filter: {clause.text}" + (f" fails: {clause.error}" if clause.error else " does not hold")
    return ""


def _clauses(destination: Destination, filter: Filter, view: EventView) -> list[Clause]:
    return [_clause(destination, filter, program, text, view) for program, text in _operands(filter)]


def _operands(filter: Filter) -> list[tuple[hog.Program, str]]:
    whole = filter.whole
    if whole is None:
        return []
    node = whole.node
    if not isinstance(node, nodes.And):
        return [(whole, whole.source.strip() or _OBJECT)]
    starts = [None if operand.start is None else operand.start.offset for operand in node.exprs]
    texts = [
        _OBJECT if start is None else _trimmed(whole.source[start:end])
        for start, end in zip(starts, [*starts[1:], None], strict=True)
    ]
    return list(zip(hog.conjuncts(whole), texts, strict=True))


def _trimmed(text: str) -> str:
    """Without the `and` behind it, and without what closes a bracket that was opened before it."""
    text = _BETWEEN.sub("", text).strip()
    while text.endswith(")") and text.count(")") > text.count("("):
        text = text[:-1].rstrip()
    return text


def _clause(destination: Destination, filter: Filter, program: hog.Program, text: str, view: EventView) -> Clause:
    try:
        row = view.row(row_needs(program.chains))
        seen = {".".join(chain): _read(row, chain) for chain in sorted(program.chains)}
        reads = {name: masked_value(value, destination.redact) for name, value in seen.items()}
        value = program(row)
    except (hog.HogRuntimeError, EventDataError) as error:
        return Clause(text, False, {}, destination.redact(str(error)))
    # An operand of an `and` need only be truthy; a filter that is one expression must be `true` itself.
    holds = value is True if program is filter.whole else bool(value)
    return Clause(text, holds, reads)


def _read(row: dict[str, Any], chain: tuple[str, ...]) -> Any:
    value: Any = row
    for name in chain:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _redacted(destination: Destination, request: Request) -> Request:
    return Request(
        request.method,
        destination.redact(request.url),
        {name: destination.redact(value) for name, value in request.headers.items()},
        destination.redact(request.body),
    )


def _json(value: Any) -> str:
    try:
        json_text.check_size(value)
        return json_text.dumps(value).decode(errors="replace")
    except (json_text.JsonError, hog.HogRuntimeError, ValueError) as error:
        return f"<a value that cannot be shown: {error}>"

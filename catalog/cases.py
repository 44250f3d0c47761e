"""The cases of a template: an event, its person and the inputs, what the vendor answers, and the exact requests."""

from pathlib import Path
from typing import Any

import msgspec

from catalog.scalar import YamlError
from catalog.yaml_file import parse, read

CASES = "cases.yaml"
EVENT: dict[str, Any] = {
    "uuid": "0193e3b4-0000-7000-8000-000000000001",
    "event": "$pageview",
    "distinct_id": "ada-1",
    "timestamp": "2026-11-20T10:00:00.000Z",
    "properties": {},
}
"""What a case does not say of its event."""
PERSON_ID = "0193e3b4-0000-7000-8000-00000000ada1"


class CaseError(ValueError):
    """A `cases.yaml` that is not what it should be."""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the vendor answers to one request."""

    status: int = 200
    headers: dict[str, str] = {}
    body: Any = msgspec.field(default_factory=dict[str, Any])
    """Text is sent as it is, anything else as JSON."""


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request, to the byte but for the spaces between the parts of JSON."""

    url: str
    method: str = "POST"
    headers: dict[str, str] = {}
    body: Any = None
    """Text as it is, anything else as JSON; null for none."""


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event's road through a destination that was made from the template."""

    name: str
    requests: list[Expected]
    """In their order; empty where the event is passed over."""
    event: dict[str, Any] = {}
    """Laid over `EVENT`."""
    person: dict[str, Any] | None = {}
    """The person's properties; null for nobody."""
    groups: dict[str, dict[str, Any]] = {}
    """Of each type by its name: `id` and properties."""
    inputs: dict[str, Any] = {}
    mappings: list[str] | None = None
    """Only these of the template's; absent, all of them."""
    answers: list[Answer] = []
    """In the order of the requests, then each is 200 with an empty object."""
    captures: list[dict[str, Any]] = []
    """What it hands to `postHogCapture`."""
    fails: str = ""
    """A part of the reason why the delivery fails; empty where it is delivered."""


class _Cases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cases: list[Case]
    inputs: dict[str, Any] = {}
    """Of all cases, beneath what each has of its own."""
    event: dict[str, Any] = {}
    """The same of their events."""


def read_cases(folder: Path) -> list[Case]:
    """The cases of a template's folder; raises CaseError."""
    file = folder / CASES
    try:
        found = msgspec.convert(parse(read(file)).values, _Cases)
    except OSError as error:
        raise CaseError(f"{file}: cannot be read: {error.strerror}") from None
    except YamlError as error:
        raise CaseError(f"{file} ({error.place.line},{error.place.column}): {error.message}") from None
    except msgspec.ValidationError as error:
        raise CaseError(f"{file}: {error}") from None
    names = [case.name for case in found.cases]
    if doubles := sorted({name for name in names if names.count(name) > 1}):
        raise CaseError(f"{file}: two cases have the name {doubles[0]!r}")
    return [
        msgspec.structs.replace(case, inputs=found.inputs | case.inputs, event=found.event | case.event)
        for case in found.cases
    ]

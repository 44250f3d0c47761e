"""Runs one case of a template: renders, runs its code with scripted answers, compares. Nothing is sent."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from catalog.cases import EVENT, PERSON_ID, Answer, Case, Expected, read_cases
from catalog.spec import Template
from delivery.retry import decide
from destinations import Destination, EventView, Secrets, Site
from destinations.code import CodeTemplate
from destinations.dry_run import DryRun, dry_run
from destinations.file_text import file_text
from destinations.filters import Project
from destinations.loading import compile_bytes
from destinations.starter import starter, with_secrets
from hog import json_text
from operators.envelope import decode_message
from operators.join_person import Join, Nobody
from records import Attempt, DeadLetter, Event, Invocation, Message, Request, Response, Verdict


class CaseFaultError(Exception):
    """A case that cannot be run: what is wrong with it."""


def problems_of(template: Template, case: Case) -> list[str]:
    """What is not as the case says; empty where all is well."""
    try:
        destination = destination_of(template, case)
        view = view_of(case)
    except CaseFaultError as fault:
        return [str(fault)]
    found = dry_run(destination, view, [answered(answer) for answer in case.answers])
    sent = found.requests if found.matches else []
    # What does not match was tried all the same, and its error means nothing.
    error = (found.error or _refused(destination, found, case)) if found.matches else ""
    captured = found.captured if found.matches else []
    return [*_differences(sent, case.requests), *_captures(captured, case), *_outcome(error, case)]


def unmade(template: Template) -> list[str]:
    """Why no destination can be made of a template that has cases; empty where one can."""
    try:
        destination_of(template, read_cases(template.folder)[0])
    except CaseFaultError as fault:
        return [str(fault)]
    return []


def destination_of(template: Template, case: Case, delivery: Mapping[str, Any] | None = None) -> Destination:
    """The destination that the case is about, made as a person makes a new one; raises CaseFaultError.

    `delivery` is what its file says besides.
    """
    id = template.slug
    inputs, secrets = with_secrets(template, id, case.inputs)
    values = starter(template, id, inputs, case.mappings)
    if unknown := set(case.mappings or ()) - {each.get("name") for each in values.get("mappings", [])}:
        raise CaseFaultError(f"the template has no mapping '{min(unknown)}'")
    if delivery:
        values["delivery"] = dict(delivery)
    data = file_text(values).encode()
    compiled = compile_bytes(Path(f"{id}.yaml"), data, Secrets(secrets.get), {id: template}, Project())
    if compiled.destination is None:
        raise CaseFaultError("; ".join(problem.summary() for problem in compiled.problems))
    return compiled.destination


def event_of(case: Case) -> bytes:
    """The event as a row of ClickHouse, with its person and groups; raises CaseFaultError."""
    event = EVENT | case.event
    if not isinstance(event["properties"], dict):
        raise CaseFaultError("the `properties` of its event are no mapping")
    groups = {name: group.get("id", name) for name, group in case.groups.items()}
    properties = event["properties"] | ({"$groups": groups} if groups else {})
    person = {} if case.person is None else {"person_id": PERSON_ID, "person_properties": json.dumps(case.person)}
    of_groups = {
        f"group{index}_properties": json.dumps({key: value for key, value in group.items() if key != "id"})
        for index, group in enumerate(case.groups.values())
    }
    moment = str(event["timestamp"]).replace("T", " ").removesuffix("Z")
    row = event | {"team_id": 1, "timestamp": moment, "properties": json.dumps(properties)}
    return orjson.dumps(row | person | of_groups)


def site_of(case: Case) -> Site:
    """With the types of the groups that the case has."""
    return Site(group_types={name: index for index, name in enumerate(case.groups)})


def view_of(case: Case) -> EventView:
    """The event as its destination sees it; raises CaseFaultError."""
    event = decode_message(Message("case", 0, 0, event_of(case), 0), 1)
    if not isinstance(event, Event):
        raise CaseFaultError(f"not an event: {event.reason if isinstance(event, DeadLetter) else event}")
    view = EventView(event, site_of(case))
    Join(Nobody()).enrich(view)
    return view


def answered(answer: Answer) -> dict[str, Any]:
    """As a program sees it."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return {"status": answer.status, "headers": headers, "body": answer.body}


def shown(request: Request | Expected) -> dict[str, Any]:
    """A request as people compare it; a body that is JSON as its value."""
    return {"method": request.method, "url": request.url, "headers": request.headers, "body": _value(request.body)}


def _value(body: Any) -> Any:
    if not isinstance(body, bytes):
        return body
    try:
        return json_text.loads(body) if body else None
    except json_text.JsonError:
        return body.decode("utf-8", "replace")


def _refused(destination: Destination, found: DryRun, case: Case) -> str:
    """Why the answer to a request of the template itself is no success; of code its own errors tell."""
    if any(isinstance(branch.work, CodeTemplate) for branch in destination.branches):
        return ""
    for request, answer in zip(found.requests, case.answers, strict=False):
        invocation = Invocation("", destination.id, "", 0, 0, 0, "", "", "", request)
        body = answer.body.encode() if isinstance(answer.body, str) else json_text.dumps(answer.body)
        attempt = Attempt(invocation, 0, 0, Response(answer.status, answer.headers, body))
        decision = decide(attempt, 0, destination.policy, 0, 0)
        if decision.verdict is not Verdict.DELIVERED:
            return decision.reason
    return ""


def _differences(sent: list[Request], expected: list[Expected]) -> list[str]:
    problems = []
    if len(sent) != len(expected):
        problems.append(f"{len(sent)} requests, not {len(expected)}")
    for number, (one, other) in enumerate(zip(sent, expected, strict=False), 1):
        is_, wanted = shown(one), shown(other)
        problems += [
            f"request {number}: its {key} is {json.dumps(is_[key])}, not {json.dumps(wanted[key])}"
            for key in wanted
            if is_[key] != wanted[key]
        ]
    problems += [f"request {number}: {json.dumps(shown(one))}" for number, one in enumerate(sent[len(expected) :], 1)]
    return problems


def _captures(captured: list[Any], case: Case) -> list[str]:
    if captured == case.captures:
        return []
    return [f"it captures {json.dumps(captured)}, not {json.dumps(case.captures)}"]


def _outcome(error: str, case: Case) -> list[str]:
    if case.fails:
        return [] if case.fails in error else [f"it fails because {error!r}" if error else "it does not fail"]
    return [f"it fails: {error}"] if error else []

"""Every template of the catalogue: its form, its cases as a person runs them, and its cases on the whole road."""

from collections.abc import Iterator
from functools import reduce
from operator import getitem
from typing import Any

import msgspec
import pytest

import catalog
from catalog import Template, lint
from catalog.cases import Case, read_cases
from cli.template_case import answered, destination_of, problems_of, view_of
from destinations.dry_run import dry_run
from hog import json_text
from records import Verdict
from tests.catalog.road import Road, differs, host_of, road
from tests.connectors.certificates import needs_openssl

TEMPLATES = catalog.builtin()
CASES = [(slug, case) for slug, template in TEMPLATES.items() for case in read_cases(template.folder)]
each_case = pytest.mark.parametrize(
    ("slug", "case"), CASES, ids=[f"{slug}-{case.name}".replace(" ", "-") for slug, case in CASES]
)


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    hosts = {host_of(request) for _, case in CASES for request in case.requests}
    with road(tmp_path_factory.mktemp("road"), hosts) as made:
        yield made


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=lambda template: template.slug)
def test_the_template_has_what_it_has_to(template: Template) -> None:
    assert lint.problems_of(template) == []


@each_case
def test_the_case_makes_the_requests_that_it_says(slug: str, case: Case) -> None:
    assert problems_of(TEMPLATES[slug], case) == []


@needs_openssl
@each_case
def test_the_case_travels_the_whole_road(slug: str, case: Case, way: Road) -> None:
    received, outcomes = way.travel(TEMPLATES[slug], case)
    policy = destination_of(TEMPLATES[slug], case).policy
    assert len(received) == len(case.requests), outcomes
    assert [differs(one, other, policy) for one, other in zip(received, case.requests, strict=True)] == [
        [] for _ in received
    ]
    assert [one["event"] for one in way.captured.events] == [one["event"] for one in case.captures]
    if case.fails:
        assert {one.verdict for one in outcomes} == {Verdict.FAILED}
        assert any(case.fails in one.reason for one in outcomes)
    else:
        assert {one.verdict for one in outcomes} <= {Verdict.DELIVERED}


ODD: dict[str, Any] = {
    "nothing": None,
    "ünïcödé": "日本 \u2028 🎉 </script>",
    "long": "x" * 1_000_000,
    "nested": {"a": [{"b": [1, None, True, {"c": {}}]}]},
    "": "a name without a letter",
    "large": 2**60,
    "small": 1e-300,
}
DELIVERING = {
    slug: next(case for case in read_cases(template.folder) if case.requests and not case.fails)
    for slug, template in TEMPLATES.items()
}


@pytest.mark.parametrize("slug", DELIVERING)
def test_properties_that_nobody_has_thought_of_survive(slug: str) -> None:
    case = DELIVERING[slug]
    event = case.event | {"properties": ODD | case.event.get("properties", {})}
    odd = msgspec.structs.replace(case, event=event, person=None if case.person is None else ODD | case.person)
    found = dry_run(destination_of(TEMPLATES[slug], odd), view_of(odd), [answered(answer) for answer in odd.answers])
    assert (found.matches, found.error, len(found.requests)) == (True, "", len(case.requests))
    for request in found.requests:
        assert len(request.body) < 8_000_000
        # Several lines of JSON are an envelope of Sentry, or what a bulk address takes.
        for line in (line for line in request.body.split(b"\n") if line[:1] in (b"{", b"[")):
            for name, value in walked(json_text.loads(line)):
                if name == "ünïcödé":
                    assert value == ODD[name]


@pytest.mark.parametrize("body", ["timeout: too late", {"unheard of": "timeout: too late"}], ids=["text", "object"])
@pytest.mark.parametrize("slug", [slug for slug in DELIVERING if TEMPLATES[slug].code is not None])
def test_an_answer_that_nobody_has_described_is_told(slug: str, body: Any) -> None:
    """A program is told so also of no answer: that a name has no address, that there is no access token."""
    case = DELIVERING[slug]
    destination, view = destination_of(TEMPLATES[slug], case), view_of(case)
    answers = [answered(answer) for answer in case.answers] + [{"status": 200, "body": {}}] * len(case.requests)
    for good in range(len(case.requests)):
        found = dry_run(destination, view, [*answers[:good], *[{"status": 500, "body": body}] * 5])
        assert "timeout: too late" in found.error


KINDS: dict[str, Any] = {
    "empty": "",
    "list": ["a", "b"],
    "object": {"a": 1},
    "number": 12345,
    "truth": False,
    "odd": "a/?&#% b\"'\n{c}",
    "long": "x" * 20_000,
}


@pytest.mark.parametrize("value", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("slug", DELIVERING)
def test_properties_of_another_kind_are_sent_or_refused_by_name(slug: str, value: Any) -> None:
    case = DELIVERING[slug]
    event = case.event | {"properties": replaced(case.event.get("properties", {}), value)}
    person = None if case.person is None else replaced(case.person, value)
    odd = msgspec.structs.replace(case, event=event, person=person)
    found = dry_run(destination_of(TEMPLATES[slug], odd), view_of(odd), [answered(answer) for answer in odd.answers])
    # An error is one that the code throws itself, in words of its own.
    assert not found.matches or not found.error or found.error.startswith("the code: Error(")
    assert not any(set(request.url) & set(' "<>\n{}#') for request in found.requests)


def replaced(found: Any, value: Any) -> Any:
    """The same with this value in the place of every single one."""
    if isinstance(found, dict):
        return {name: replaced(each, value) for name, each in found.items()}
    return [replaced(each, value) for each in found] if isinstance(found, list) else value


def walked(value: Any) -> Iterator[tuple[str, Any]]:
    """All names with their values, however deep."""
    for name, each in value.items() if isinstance(value, dict) else ():
        yield name, each
        yield from walked(each)
    for each in value if isinstance(value, list) else ():
        yield from walked(each)


BATCHED = [slug for slug, case in DELIVERING.items() if destination_of(TEMPLATES[slug], case).policy.batch is not None]


@needs_openssl
@pytest.mark.parametrize("slug", BATCHED)
def test_events_that_come_together_share_a_request(slug: str, way: Road) -> None:
    received, outcomes = way.travel(TEMPLATES[slug], DELIVERING[slug], 3)
    assert [one.verdict for one in outcomes] == [Verdict.DELIVERED] * 3
    (request,) = received
    batch = destination_of(TEMPLATES[slug], DELIVERING[slug]).policy.batch
    assert batch is not None
    body = request.body if batch.form == "ndjson" else json_text.loads(request.body)
    held = {
        "ndjson": lambda: body.splitlines(),
        "json_array": lambda: body,
        "join": lambda: reduce(getitem, batch.key.split("."), body),
    }
    assert len(held[batch.form]()) == 3

"""Every template of the catalogue: its form, its cases as a person runs them, and its cases on the whole road."""

from collections.abc import Iterator

import pytest

import catalog
from catalog import Template, lint
from catalog.cases import Case, read_cases
from cli.template_case import destination_of, problems_of
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
    if case.fails:
        assert {one.verdict for one in outcomes} == {Verdict.FAILED}
        assert any(case.fails in one.reason for one in outcomes)
    else:
        assert {one.verdict for one in outcomes} <= {Verdict.DELIVERED}

"""Filters objects, compiled as those of a destination file."""

from collections.abc import Callable
from typing import Any

import pytest

from catalog.yaml_file import parse
from destinations import Filter
from destinations.fields import fitted
from destinations.filters import Project, compile_filters
from destinations.filters.spec import FiltersSpec
from destinations.report import Report
from hog import json_text


def compiled(filters: dict[str, Any], project: Project | None = None) -> Filter:
    """The filter; there must be nothing wrong with it."""
    chosen, found = _compiled(filters, project)
    assert found == []
    return chosen


def problems_of(filters: dict[str, Any], project: Project | None = None) -> list[str]:
    """What is wrong with the filters; each in one line."""
    return _compiled(filters, project)[1]


def _compiled(filters: dict[str, Any], project: Project | None) -> tuple[Filter, list[str]]:
    report = Report("crm.yaml", "crm", parse(json_text.dumps({"filters": filters})))
    chosen = compile_filters(fitted(filters, FiltersSpec, ("filters",), report), project or Project(), report)
    return chosen, [problem.summary() for problem in report.problems]


@pytest.fixture
def problems(load_files: Callable[..., Any]) -> Callable[..., list[str]]:
    """What is wrong with a file whose `filters:` is the text; each in one line."""

    def find(filters: str, **others: str) -> list[str]:
        loaded = load_files(crm=f"id: crm\nfilters: {filters}\ninputs: {{url: 'https://a.b'}}", **others)
        return [problem.summary() for problem in loaded.problems]

    return find

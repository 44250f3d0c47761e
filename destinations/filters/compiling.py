"""The filters object as one tree, in the form that push-down and the index of event names can read."""

import hog
from catalog.yaml_file import Steps
from destinations.expressions import compile_row_expression
from destinations.filter import Filter
from destinations.filters.build import TRUE, all_of, is_true, strict
from destinations.filters.context import Project
from destinations.filters.entries import any_entry
from destinations.filters.properties import PropertyCompiler
from destinations.filters.spec import FiltersSpec
from destinations.names import IN_FILTER
from destinations.report import Report
from hog.nodes import Expr
from records import Source


def compile_filters(filters: FiltersSpec, project: Project, report: Report, path: Steps = ("filters",)) -> Filter:
    """The filters object at `path` of a file; what is wrong goes to the report."""
    when = None if filters.when is None else compile_row_expression(filters.when, (*path, "when"), report)
    if filters.source not in (None, *Source):
        report.at((*path, "source"), f"only `events` and `person-updates` can be filtered, not '{filters.source}'")
    if project.broken and (filters.actions or filters.properties or filters.events or filters.filter_test_accounts):
        report.at(path, "these filters need project.yaml, which does not load: correct it first")
    parts = [_test_accounts(filters, project, report, path)]
    parts.append(PropertyCompiler(project, report).all(filters.properties, (*path, "properties")))
    if filters.events or filters.actions:
        parts.append(any_entry(filters.events, filters.actions, path, project, report))
    node = all_of(parts)
    if is_true(node):
        return Filter(when)
    whole = node if when is None else all_of([strict(when.expression), node])
    try:
        return Filter(hog.compile_node(whole, names=IN_FILTER, source=when.source if when is not None else ""))
    except hog.HogError as error:
        report.at(path, error.message)
        return Filter(None)


def _test_accounts(filters: FiltersSpec, project: Project, report: Report, path: Steps) -> Expr:
    if not filters.filter_test_accounts or project.broken:
        return TRUE
    if project.test_accounts is None:
        report.at(
            (*path, "filter_test_accounts"),
            "project.yaml has no `test_account_filters`: say there who is a test account, or remove this",
        )
        return TRUE
    return project.test_accounts

"""What the filters of imported functions need in project.yaml, and what of it is not there."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from destinations.filters import Project
from destinations.filters.build import TRUE
from destinations.posthog.findings import Needs

# For PostHog's screens, or made for its own use.
_OF_STEPS: Final = frozenset({"id", "name", "selector_regex", "bytecode"})
_OF_FILTERS: Final = frozenset({"label", "cohort_name", "group_key_names", "bytecode", "conditionHash"})
_PLAIN: Final = ("name", "person_display_name_properties", "timezone", "path_cleaning_filters")


def lacking(needs: Needs, project: Project) -> list[str]:
    """What project.yaml does not have, each in a few words; cohorts that it has and cannot use are told, too."""
    lacks = [_named("action", id, name) for id, name in needs.actions.items() if id not in project.actions]
    lacks += [
        _named("cohort", id, name)
        for id, name in needs.cohorts.items()
        if id not in project.cohorts and id not in project.refused_cohorts
    ]
    lacks += [project.refused_cohorts[id] for id in needs.cohorts if id in project.refused_cohorts]
    if needs.test_accounts and project.test_accounts is None:
        lacks.append("test_account_filters")
    return lacks


def standing_in(needs: Needs) -> Project:
    """A project in which all that is needed is there and always holds, to find out what else is wrong."""
    return Project(
        actions=dict.fromkeys(needs.actions, TRUE),
        cohorts=dict.fromkeys(needs.cohorts, TRUE),
        test_accounts=TRUE,
    )


def _named(what: str, id: str, name: str) -> str:
    return f"{what} {id} ({name})" if name else f"{what} {id}"


@dataclass(frozen=True)
class ProjectAnswers:
    """What the API answered about a project; empty where it was not asked."""

    actions: Sequence[Mapping[str, Any]] = ()
    cohorts: Sequence[Mapping[str, Any]] = ()
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


def completed(values: Mapping[str, Any], answers: ProjectAnswers, needs: Sequence[Needs]) -> dict[str, Any]:
    """The values of project.yaml with what is needed and was not there. What is there stays as it is."""
    actions = {id for need in needs for id in need.actions}
    cohorts = {id for need in needs for id in need.cohorts}
    found = {key: answers.settings.get(key) for key in _PLAIN}
    if any(need.test_accounts for need in needs):
        filters = [_tidy(each, _OF_FILTERS) for each in answers.settings.get("test_account_filters") or []]
        found["test_account_filters"] = filters
        cohorts |= {str(each.get("value")) for each in filters if each.get("type") == "cohort"}
    completed = {**{key: value for key, value in found.items() if value}, **values}
    for key, wanted, items in (("actions", actions, answers.actions), ("cohorts", cohorts, answers.cohorts)):
        there = _by_id(values.get(key))
        new = {str(item.get("id")): _entry(key, item) for item in items if str(item.get("id")) in wanted}
        if new.keys() - there.keys():
            completed[key] = {**new, **there}
    return completed


def _by_id(written: Any) -> dict[str, Any]:
    if isinstance(written, Mapping):
        return {str(id): item for id, item in written.items()}
    return {str(item.get("id")): item for item in written or [] if isinstance(item, Mapping)}


def _entry(key: str, item: Mapping[str, Any]) -> dict[str, Any]:
    if key == "actions":
        return {"name": item.get("name") or "", "steps": [_tidy(step, _OF_STEPS) for step in item.get("steps") or []]}
    entry = {"name": item.get("name") or "", "is_static": item.get("is_static") or None, "filters": item.get("filters")}
    return {name: value for name, value in entry.items() if value is not None}


def _tidy(item: Mapping[str, Any], noise: Container[str]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key not in noise and value not in (None, "", [])}

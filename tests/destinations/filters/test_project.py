"""`project.yaml`: test accounts, actions, cohorts, and what is said of their mistakes."""

from collections.abc import Callable
from pathlib import Path

import pytest

import catalog
from destinations import Changes, Destination, Filter, Loaded, Secrets, Watched
from destinations.watched import PROJECT_GONE_S
from tests.destinations.events import view

LoadFiles = Callable[..., Loaded]
Problems = Callable[..., list[str]]
LATER = 4e9
URL = "inputs: {url: 'https://a.b'}"
PROJECT = """
timezone: Europe/Oslo
test_account_filters:
  - {key: email, type: person, operator: not_icontains, value: '@ours.com'}
  - {key: id, type: cohort, operator: not_in, value: 7}
property_types: {event: {paid: Boolean}, person: {age: Numeric}}
path_cleaning_filters: [{regex: '/[0-9]+', alias: /:id, order: 0}]
actions:
  - id: 12
    name: bought
    steps:
      - {event: order placed}
      - {event: $autocapture, selector: 'a.buy', url: /shop, text: Buy, text_matching: contains}
  - {id: looked, steps: [{event: $pageview, url: '^https://shop', url_matching: regex,
      properties: [{key: $pathname, value: /a}]}]}
cohorts:
  7:
    name: colleagues
    filters: {properties: {type: OR, values: [{type: AND, values: [
      {key: role, type: person, operator: exact, value: staff},
      {key: left, type: person, operator: is_set, negation: true}]}]}}
  8: {name: active, filters: {properties: {type: OR, values: [{type: AND, values: [
    {key: $pageview, type: behavioral, value: performed_event}]}]}}}
  9: {name: invited, is_static: true}
"""


@pytest.fixture
def chosen(load_files: LoadFiles) -> Callable[[str], Filter]:
    """The filter of a destination beside that project.yaml."""

    def load(filters: str) -> Filter:
        loaded = load_files(project=PROJECT, crm=f"id: crm\nfilters: {filters}\n{URL}")
        assert [str(problem) for problem in loaded.problems] == []
        assert list(loaded.destinations) == ["crm"]
        return loaded.destinations["crm"].filter

    return load


@pytest.mark.parametrize(
    ("person", "wanted"),
    [
        ({"email": "ada@example.com"}, True),
        ({"email": "bob@ours.com"}, False),
        ({"role": "staff"}, False),
        ({"role": "staff", "left": "2020-01-01"}, True),
        (None, True),
    ],
)
def test_test_accounts(chosen: Callable[[str], Filter], person: dict[str, str] | None, wanted: bool) -> None:
    assert chosen("{filter_test_accounts: true}").matches(view(person=person)) is wanted
    assert chosen("{filter_test_accounts: false}").matches(view(person=person))


@pytest.mark.parametrize(
    ("id", "name", "properties", "chain", "fits"),
    [
        ("12", "order placed", {}, "", True),
        ("12", "$pageview", {}, "", False),
        ("12", "$autocapture", {"$current_url": "https://x/shop"}, 'a.buy:text="buy now"', True),
        ("12", "$autocapture", {"$current_url": "https://x/Shop"}, 'a.buy:text="buy now"', False),
        ("12", "$autocapture", {}, 'a.buy:text="buy now"', False),
        ("12", "$autocapture", {"$current_url": "https://x/shop"}, 'a.sell:text="buy now"', False),
        ("looked", "$pageview", {"$current_url": "https://shop.x", "$pathname": "/a"}, "", True),
        ("looked", "$pageview", {"$current_url": "https://shop.x", "$pathname": "/b"}, "", False),
        ("looked", "$pageview", {"$current_url": "http://shop.x", "$pathname": "/a"}, "", False),
    ],
)
def test_actions(
    chosen: Callable[[str], Filter], id: str, name: str, properties: dict[str, str], chain: str, fits: bool
) -> None:
    filter = chosen(f"{{actions: [{{id: {id}, name: x, type: actions, order: 0}}]}}")
    assert filter.matches(view(properties, name=name, elements_chain=chain)) is fits


def test_actions_name_their_events(chosen: Callable[[str], Filter]) -> None:
    filter = chosen("{actions: [{id: 12}, {id: looked}], events: [{id: signed up}]}")
    assert filter.event_names == {"order placed", "$autocapture", "$pageview", "signed up"}


def test_an_action_may_have_properties_of_its_own(chosen: Callable[[str], Filter]) -> None:
    filter = chosen("{actions: [{id: 12, properties: [{key: total, operator: gt, value: 10}]}]}")
    assert filter.matches(view({"total": 11}, name="order placed"))
    assert not filter.matches(view({"total": 9}, name="order placed"))


@pytest.mark.parametrize(
    ("filter", "members"),
    [
        ("{key: id, type: cohort, value: 7}", True),
        ("{key: id, type: cohort, value: '7', operator: in}", True),
        ("{key: id, type: cohort, value: 7, operator: not_in}", False),
        ("{key: id, type: cohort, value: 7, negation: true}", False),
    ],
)
def test_cohorts(chosen: Callable[[str], Filter], filter: str, members: bool) -> None:
    made = chosen(f"{{properties: [{filter}]}}")
    assert made.matches(view(person={"role": "staff"})) is members
    assert made.matches(view(person={"role": "guest"})) is not members
    assert made.matches(view()) is not members


def test_types_paths_and_the_time_zone_are_those_of_the_project(chosen: Callable[[str], Filter]) -> None:
    assert chosen("{properties: [{key: paid, value: ['true', 'x']}]}").matches(view({"paid": True}))
    cleaned = chosen("{properties: [{key: $pathname, operator: is_cleaned_path_exact, value: /users/:id}]}")
    assert cleaned.matches(view({"$pathname": "/users/7"}))
    noon = chosen("{properties: [{key: at, operator: is_date_exact, value: '2026-07-01 12:00:00'}]}")
    assert noon.matches(view({"at": "2026-07-01T10:00:00Z"}))


@pytest.mark.parametrize(
    ("filters", "problem"),
    [
        ("{actions: [{id: 13}]}", "filters.actions[0].id (2,26): project.yaml has no action '13'"),
        (
            "{properties: [{key: id, type: cohort, value: 6}]}",
            "filters.properties[0].value (2,55): project.yaml has no cohort '6'",
        ),
        (
            "{properties: [{key: id, type: cohort, value: 8}]}",
            "filters.properties[0].value (2,55): cohort 8 (active) is made of what persons did: "
            "only cohorts of person properties can be used",
        ),
        (
            "{properties: [{key: id, type: cohort, value: 9}]}",
            "filters.properties[0].value (2,55): cohort 9 (invited) is a list of persons: "
            "only cohorts of person properties can be used",
        ),
        (
            "{properties: [{key: id, type: cohort, value: 7, operator: gt}]}",
            "filters.properties[0].operator (2,68): a cohort takes `in` or `not_in`, not `gt`",
        ),
        (
            "{properties: [{key: id, type: cohort, value: [7]}]}",
            "filters.properties[0].value (2,55): expected the id of a cohort, got a list",
        ),
    ],
)
def test_what_the_project_does_not_have(problems: Problems, filters: str, problem: str) -> None:
    [found] = problems(filters, project=PROJECT)
    assert found.startswith(f"destinations/crm.yaml: {problem}")


def test_test_accounts_that_nobody_has_named(problems: Problems) -> None:
    assert problems("{filter_test_accounts: true}") == [
        "destinations/crm.yaml: filters.filter_test_accounts (2,33): project.yaml has no `test_account_filters`: "
        "say there who is a test account, or remove this"
    ]
    assert problems("{filter_test_accounts: true}", project="test_account_filters: []") == []


@pytest.mark.parametrize(
    ("project", "problem"),
    [
        ("timezon: UTC", "timezon (1,1): unknown key 'timezon'; did you mean 'timezone'?"),
        ("id: shop", "id (1,5): expected a whole number, got text"),
        ("url: shop", "url (1,6): expected a URL such as https://offramp.example.com/project/1, got 'shop'"),
        ("timezone: Oslo", "timezone (1,11): unknown time zone 'Oslo'; write it as 'Europe/Oslo'"),
        ("actions: 5", "actions (1,10): expected a list, or a mapping by id, got a number"),
        ("actions: [x]", "actions[0] (1,11): expected a mapping, got text"),
        ("actions: [{steps: [{event: a}]}]", "actions[0] (1,11): key 'id' is missing"),
        ("actions: [{id: 1}]", "actions[0].steps (1,11): an action needs at least one step"),
        (
            "actions: [{id: 1, steps: [{event: a}]}, {id: 1, steps: [{event: a}]}]",
            "actions[1].id (1,46): duplicate id '1'",
        ),
        (
            "actions: [{id: 1, steps: [{url: '(', url_matching: regex}]}]",
            "actions[0].steps[0].url (1,33): bad regular expression '(': missing ): (",
        ),
        (
            "actions: [{id: 1, steps: [{url: x, url_matching: regexp}]}]",
            "actions[0].steps[0].url_matching (1,50): unknown way of matching 'regexp'; did you mean 'regex'?",
        ),
        (
            "test_account_filters: [{key: x, operator: nope, value: 1}]",
            "test_account_filters[0].operator (1,43): unknown operator 'nope'",
        ),
        (
            "property_types: {evnt: {x: Boolean}}",
            "property_types.evnt (1,18): unknown kind of properties 'evnt'; did you mean 'event'?",
        ),
        (
            "property_types: {event: {x: Bool}}",
            "property_types.event.x (1,29): unknown type 'Bool'; did you mean 'Boolean'?",
        ),
        (
            "path_cleaning_filters: [{regex: '('}]",
            "path_cleaning_filters[0].regex (1,33): bad regular expression '(': missing ): (",
        ),
        (
            "path_cleaning_filters: [{regex: '/([0-9]+)', alias: '/\\2'}]",
            "path_cleaning_filters[0].alias (1,53): bad replacement '/\\2': the pattern has 1 groups",
        ),
        ("cohorts: {1: {filters: {type: XOR, values: []}}}", "cohorts['1'].filters.type (1,31): expected AND or OR"),
        ("- x", " (1,1): the file holds a list; a mapping of keys is expected"),
    ],
)
def test_a_mistake_in_the_project(load_files: LoadFiles, project: str, problem: str) -> None:
    loaded = load_files(project=project, crm=f"id: crm\n{URL}")
    place, _, message = problem.partition(" (")
    first = loaded.problems[0]
    assert first.summary().startswith(f"destinations/project.yaml{': ' if place else ''}{place} ({message}")
    assert first.destination == ""
    assert list(loaded.destinations) == ["crm"]


def test_filters_wait_for_a_project_that_does_not_load(problems: Problems) -> None:
    assert problems("{actions: [{id: 1}]}", project="nope: 1") == [
        "destinations/project.yaml: nope (1,1): unknown key 'nope'; known: id, name, url, "
        "person_display_name_properties, timezone, test_account_filters, actions, cohorts, property_types, "
        "path_cleaning_filters, connections",
        "destinations/crm.yaml: filters (2,10): these filters need project.yaml, which does not load: correct it first",
    ]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path, Secrets(lambda name: None), catalog.builtin())


def _write(directory: Path, event: str) -> None:
    (directory / "project.yaml").write_text(f"actions: [{{id: 1, steps: [{{event: {event}}}]}}]")


def _names(destination: Destination) -> frozenset[str] | None:
    return destination.filter.event_names


def test_a_changed_project_compiles_the_destinations_again(tmp_path: Path, watched: Watched) -> None:
    _write(tmp_path, "a")
    (tmp_path / "crm.yaml").write_text(f"id: crm\nfilters: {{actions: [{{id: 1}}]}}\n{URL}")
    assert watched.poll(LATER) == Changes(added=("crm",))
    assert not watched.poll(LATER)
    _write(tmp_path, "b")
    assert watched.poll(LATER) == Changes(changed=("crm",))
    assert _names(watched.destinations["crm"]) == {"b"}


def test_an_invalid_project_keeps_its_last_good_version(tmp_path: Path, watched: Watched) -> None:
    _write(tmp_path, "a")
    (tmp_path / "crm.yaml").write_text(f"id: crm\nfilters: {{actions: [{{id: 1}}]}}\n{URL}")
    watched.poll(LATER)
    (tmp_path / "project.yaml").write_text("actions: 5")
    assert watched.poll(LATER) == Changes(invalid=("",))
    assert [problem.path for problem in watched.problems] == ["actions"]
    assert not watched.poll(LATER)
    (tmp_path / "new.yaml").write_text(f"id: new\nfilters: {{actions: [{{id: 1}}]}}\n{URL}")
    assert watched.poll(LATER).added == ("new",)
    (tmp_path / "project.yaml").unlink()
    watched.poll(LATER)
    assert watched.poll(LATER + PROJECT_GONE_S).invalid == ("crm", "new")
    assert _names(watched.destinations["crm"]) == {"a"}
    _write(tmp_path, "c")
    assert watched.poll(LATER) == Changes(changed=("crm", "new"))
    assert watched.problems == []


def test_a_project_that_is_deleted_and_written_anew_changes_nothing(tmp_path: Path, watched: Watched) -> None:
    (tmp_path / "project.yaml").write_text("timezone: Europe/Oslo")
    (tmp_path / "crm.yaml").write_text(f"id: crm\n{URL}")
    watched.poll(LATER)
    for gone_at in (LATER, LATER + 1000):
        (tmp_path / "project.yaml").unlink()
        assert not watched.poll(gone_at)
        assert not watched.poll(gone_at + PROJECT_GONE_S - 0.1)
        assert watched.project.timezone == "Europe/Oslo"
        (tmp_path / "project.yaml").write_text("timezone: Europe/Oslo")
        assert not watched.poll(gone_at + PROJECT_GONE_S + 0.1)
    (tmp_path / "project.yaml").unlink()
    assert not watched.poll(LATER + 2000)
    assert watched.poll(LATER + 2000 + PROJECT_GONE_S).changed == ("crm",)
    assert watched.project.timezone == "UTC"

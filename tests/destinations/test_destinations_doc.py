"""docs/destinations.md names every key of a destination file, with the default that it has."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ruamel.yaml import YAML

from catalog import InputSpec, InputType
from destinations import EventView, Loaded, Site
from destinations.connections import ConnectionSpec
from destinations.filters.operators import OPERATORS
from destinations.filters.spec import FiltersSpec
from destinations.globals import FILTER_ROOTS, TEMPLATE_ROOTS, invocation_needs
from destinations.project import ProjectSpec
from destinations.spec import (
    DeliverySpec,
    DestinationSpec,
    LimitsSpec,
    MappingSpec,
    MaskingSpec,
    NotifySpec,
    QuarantineSpec,
    SampleSpec,
)
from records import Policy, Quarantine, Source
from tests.destinations.events import event

PAGE = (Path(__file__).parents[2] / "docs/destinations.md").read_text("utf-8")
ROW = re.compile(r"^\| `(\w+)` \| (?:`(.*?)`)?", re.MULTILINE)


def rows(section: str) -> dict[str, str]:
    """Keys and defaults of a section's table; the first one is before any heading."""
    parts = re.split(r"^## `([\w.]+)`$", PAGE, flags=re.MULTILINE)
    sections = {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}
    # Tables of types and operators, which are no keys, come behind the one of keys.
    return dict(ROW.findall(re.split(r"\n\| (?:type|operator) \|", sections[section])[0]))


@pytest.mark.parametrize(
    ("section", "spec"),
    [
        ("", DestinationSpec),
        ("sample", SampleSpec),
        ("mappings", MappingSpec),
        ("masking", MaskingSpec),
        ("inputs_schema", InputSpec),
        ("filters", FiltersSpec),
        ("project.yaml", ProjectSpec),
        ("connections", ConnectionSpec),
        ("limits", LimitsSpec),
        ("delivery", DeliverySpec),
        ("quarantine", QuarantineSpec),
        ("notify", NotifySpec),
    ],
)
def test_every_key_is_there(section: str, spec: type[msgspec.Struct]) -> None:
    assert list(rows(section)) == [field.encode_name for field in msgspec.structs.fields(spec)]


@pytest.mark.parametrize(
    ("section", "defaults"),
    [
        ("inputs_schema", InputSpec(InputType.STRING)),
        ("limits", LimitsSpec()),
        ("delivery", Policy()),
        ("quarantine", Quarantine()),
    ],
)
def test_every_default_is_the_one_in_effect(section: str, defaults: msgspec.Struct) -> None:
    def shown(value: Any) -> Any:
        if value == frozenset(range(200, 300)):
            return ["2xx"]
        return sorted(value) if isinstance(value, frozenset) else list(value) if isinstance(value, tuple) else value

    written = {key: YAML(typ="safe").load(text) for key, text in rows(section).items() if text}
    assert written == {key: shown(getattr(defaults, key)) for key in written}
    assert len(written) >= 3


def test_everything_that_programs_see_is_there() -> None:
    section = PAGE.split("## What programs see")[1].split("\n## ")[0]
    of_row, of_templates = section.split("Inputs and `code` see")
    of_templates = of_templates.split("PostHog's")[0]
    roots = set(re.findall(r"`([$\w]+)`", of_row))
    between = {f"{prefix}{index}" for prefix in ("$group_", "group_") for index in (1, 2, 3)}
    assert FILTER_ROOTS - between <= roots
    assert roots - FILTER_ROOTS == {"sample", "hogql", "id", "person_id"}
    view = EventView(event({"$groups": {"company": "a"}}, person={}), Site())
    seen = view.invocation(invocation_needs([("event",), ("person",), ("groups",)]))
    keys = {key for root in ("event", "person", "project") for key in seen[root]} | set(seen["groups"]["company"])
    assert set(re.findall(r"`([$\w]+)`", of_templates)) == keys | TEMPLATE_ROOTS


def test_every_type_of_input_is_there() -> None:
    table = PAGE.split("| type | |")[1].split("\n\n")[0]
    named = [name for row in table.splitlines() if row for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert named == [kind.value for kind in InputType]


def test_the_example_of_a_schema_loads(load_files: Callable[..., Loaded]) -> None:
    example = PAGE.split("## `inputs_schema`")[1].split("```yaml\n")[1].split("```")[0]
    loaded = load_files(tickets=example.replace("TICKETS_TOKEN", "TOKEN"))
    assert [str(problem) for problem in loaded.problems] == []


def test_the_example_of_changes_of_persons_loads(load_files: Callable[..., Loaded]) -> None:
    example = PAGE.split("### Changes of persons")[1].split("```yaml\n")[1].split("```")[0]
    loaded = load_files(crm=example)
    assert loaded.problems == []
    assert loaded.destinations["crm"].source is Source.PERSON_UPDATES


def test_every_operator_is_there() -> None:
    section = PAGE.split("## `filters`")[1].split("\n## ")[0]
    table = section.split("| operator |")[1].split("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == set(OPERATORS)

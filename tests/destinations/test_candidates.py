"""Which filters are tried on an event, told by the property that each one needs."""

from collections.abc import Sequence

import pytest

import hog
from destinations import Branch, Candidates, Destination, EventView, Filter, Site
from destinations.code import CodeTemplate
from destinations.inputs import Inputs
from destinations.names import IN_FILTER
from destinations.requirements import Requirement
from destinations.spec import DestinationSpec
from records import Policy
from tests.destinations.events import event, view


def _filter(when: str) -> Filter:
    return Filter(hog.expression(when, names=IN_FILTER))


def _candidates(whens: Sequence[str]) -> Candidates:
    code = CodeTemplate(hog.program("return 1"), DestinationSpec("d").limits)
    return Candidates(
        Destination(DestinationSpec(when), _filter(when), [Branch("", Filter(None), Inputs({}), code)], Policy(), {})
        for when in whens
    )


def _mapped(own: Filter, whens: Sequence[str]) -> Destination:
    code = CodeTemplate(hog.program("return 1"), DestinationSpec("d").limits)
    branches = [Branch(when, _filter(when), Inputs({}), code) for when in whens]
    return Destination(DestinationSpec("d"), own, branches, Policy(), {})


def _needs(property: str, texts: set[str] | None = None, parts: set[str] | None = None) -> Requirement:
    return Requirement(property, texts and frozenset(texts), parts and frozenset(parts))


@pytest.mark.parametrize(
    ("when", "requirement"),
    [
        ("properties.x = 'a'", _needs("x", {"a"})),
        ("'a' = properties.x", _needs("x", {"a"})),
        ("properties.x in ('a', 'b')", _needs("x", {"a", "b"})),
        ("properties.x in ('a', null)", None),
        ("properties.x = 'a' or properties.x = 'b'", _needs("x", {"a", "b"})),
        ("properties.x = 'a' or properties.y = 'b'", None),
        ("properties.x > 1 and properties.y = 'b'", _needs("y", {"b"})),
        ("properties.x in ('a', 'b') and properties.y = 'b'", _needs("y", {"b"})),
        ("properties.x > 1 or properties.x < 0", _needs("x")),
        ("properties.x = 5", _needs("x")),
        ("properties.x != null", _needs("x")),
        ("properties.x != 'a'", None),
        ("properties.x = null", None),
        ("properties.x ilike '%Shop%'", _needs("x", parts={"shop"})),
        ("toString(properties.x) like 'Shop%'", _needs("x", parts={"shop"})),
        ("properties.x ilike '%a_c%'", None),
        ("properties.x != null and properties.x ilike '%a_c%'", _needs("x")),
        ("properties.x ilike '%ul%'", None),
        ("properties.x != null and properties.x ilike '%ul%'", _needs("x", parts={"ul"})),
        ("properties.x ilike '%ö%'", None),
        ("properties.x ilike '%abc%' and properties.x ilike '%d%'", _needs("x", parts={"abc"})),
        ("not properties.x = 'a'", None),
        ("properties.x", None),
        ("properties.x.y = 'a'", None),
        ("person.properties.x = 'a'", None),
        ("true", None),
    ],
)
def test_what_a_filter_needs(when: str, requirement: Requirement | None) -> None:
    assert _filter(when).requirement == requirement


def test_of_filters_that_need_the_same_property_those_are_found_that_may_hold() -> None:
    whens = ["properties.x = 'a'", "properties.x in ('a', '5')", "properties.x ilike '%A%'", "properties.x != null"]
    candidates = _candidates(whens)
    found = {value: [each.id for each in candidates.wanting(view({"x": value}))] for value in ("a", "5", "bar", 5)}
    assert found == {"a": whens, "5": [whens[1], whens[3]], "bar": whens[2:], 5: [whens[3]]}
    assert candidates.wanting(view({"y": "a"})) == []


@pytest.mark.parametrize(
    ("whens", "requirement"),
    [
        (["properties.x = 'a'", "properties.x in ('b', 'c')"], _needs("x", {"a", "b", "c"})),
        (["properties.x ilike '%a%'", "properties.x ilike '%b%'"], _needs("x", parts={"a", "b"})),
        (["properties.x = 'a'", "properties.x ilike '%b%'"], _needs("x")),
        (["properties.x = 'a'", "properties.y = 'a'"], None),
        (["properties.x = 'a'", "event = 'e'"], None),
        ([], None),
    ],
)
def test_what_mappings_need_together(whens: list[str], requirement: Requirement | None) -> None:
    assert _mapped(Filter(None), whens).requirement == requirement


def test_the_need_of_the_own_filter_comes_before_that_of_the_mappings() -> None:
    mapped = _mapped(_filter("properties.y = 'b'"), ["properties.x = 'a'"])
    assert mapped.requirement == _needs("y", {"b"})


def test_mappings_are_tried_where_one_of_them_has_what_it_needs() -> None:
    candidates = Candidates([_mapped(Filter(None), ["properties.x = 'a'", "properties.x = 'b'"])])
    found = {value: len(candidates.wanting(view({"x": value}))) for value in ("a", "b", "c", None)}
    assert found == {"a": 1, "b": 1, "c": 0, None: 0}


def test_it_does_not_matter_how_properties_are_read() -> None:
    few = [f"properties.p{number} = 'a'" for number in range(64)]
    raw = b'{"p3": "a", "p3": "b", "other": 1}'
    for whens in (few, [*few, "properties.p64 = 'a'"], [*few[:4], "properties.`a\"b` = 'a'"]):
        candidates = _candidates(whens)
        assert candidates.wanting(view({"p3": "b", "other": "a"})) == []
        assert [each.id for each in candidates.wanting(view({"p3": "a"}))] == [few[3]]
        # The last one counts, however it is read.
        assert candidates.wanting(EventView(event(raw), Site())) == []


def test_a_letter_beyond_ascii_may_be_one_within_it_in_another_case() -> None:
    candidates = _candidates(["properties.x ilike '%st%'"])
    assert len(candidates.wanting(view({"x": "la\u017ft"}))) == 1
    assert candidates.wanting(view({"x": "lat"})) == []

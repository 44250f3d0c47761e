"""Sampling: who is in stays in, and always the same."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hog
from destinations import Destination, Loaded
from destinations.names import IN_FILTER
from destinations.sample import Sample
from tests.destinations.events import view

LoadOne = Callable[[str], Destination]
URL = "inputs: {url: 'https://a.example'}"
PEOPLE = [f"person-{n}" for n in range(2000)]


def kept(destination: Destination, **others: object) -> set[str]:
    return {id for id in PEOPLE if destination.samples(view(distinct_id=id, **others))}


def test_about_the_share_of_people_is_in_and_stays_in_when_it_grows(load_files: Callable[..., Loaded]) -> None:
    loaded = load_files(tenth=f"id: tenth\nsample: 0.1\n{URL}", third=f"id: third\nsample: {{share: 0.3}}\n{URL}")
    tenth, third = (kept(loaded.destinations[id]) for id in ("tenth", "third"))
    assert 140 < len(tenth) < 260
    assert 500 < len(third) < 700
    assert tenth < third


def test_all_of_a_person_s_events_are_in_or_none(load_one: LoadOne) -> None:
    destination = load_one(f"sample: 0.5\n{URL}")
    assert kept(destination, name="a") == kept(destination, name="b", properties={"x": 1})


def test_who_is_in_is_the_same_on_every_machine_and_in_every_version(load_one: LoadOne) -> None:
    destination = load_one(f"sample: 0.5\n{URL}")
    assert [destination.samples(view(distinct_id=id)) for id in ("anna", "bert", "cleo", "dora", "")] == [
        False, False, False, True, False,
    ]  # fmt: skip


def test_by_an_expression_what_has_the_same_value_is_in_together(load_one: LoadOne) -> None:
    destination = load_one(f"sample: {{share: 0.5, by: properties.order}}\n{URL}")
    for order in range(50):
        assert kept(destination, properties={"order": order}) in (set(PEOPLE), set())
    without = load_one(f"sample: 0.5\n{URL}")
    assert kept(destination, properties={}) == kept(without), "where it is null the distinct id counts"


def test_by_the_person_is_not_judged_before_the_person_is_known(load_one: LoadOne) -> None:
    destination = load_one(f"sample: {{share: 0.000001, by: person.id}}\n{URL}")
    assert destination.sample is not None
    assert destination.sample.wants_event(view())
    assert not destination.samples(view(person={}))


@given(st.text(), st.floats(0, 1, exclude_min=True), st.sampled_from([None, "properties.a", "person.id"]))
def test_what_the_event_alone_rules_out_the_whole_rules_out_too(distinct_id: str, share: float, by: str | None) -> None:
    sample = Sample(share, None if by is None else hog.expression(by, names=IN_FILTER))
    one = view({"a": distinct_id}, distinct_id=distinct_id, person={})
    assert sample.wants_event(one) or not sample.keeps(one)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample: 0", "expected a number above 0"),
        ("sample: 1.5", "expected a number of at most 1"),
        ("sample: {share: 2}", "expected a number of at most 1"),
        ("sample: {by: distinct_id}", "key 'share' is missing"),
        ("sample: {share: 0.5, by: event.uuid}", "filters see the event's row"),
        ("sample: {share: 0.5, by: 'a +'}", "sample.by"),
    ],
)
def test_what_is_wrong_is_said(load_files: Callable[..., Loaded], text: str, message: str) -> None:
    (problem,) = load_files(crm=f"id: crm\n{text}\n{URL}").problems
    assert message in f"{problem.path}: {problem.message}"

"""Who may want an event, judged before anybody looks up a person."""

from typing import Any

import pytest

from destinations import EventView
from operators.screen import screen, wanted
from records import EndOfInput, Event, RangeRead, Source
from tests.destinations.events import event
from tests.operators.stand import URL, Configuration, run_through

BY_NAME = f"filters: {{when: \"event = '$pageview'\"}}\n{URL}"
BY_PROPERTY = f"filters: {{when: \"properties.plan = 'pro'\"}}\n{URL}"
BY_PERSON = f"filters: {{when: \"person.properties.plan = 'pro'\"}}\n{URL}"
BY_BOTH = f"filters: {{when: \"event = '$pageview' and person.properties.plan = 'pro'\"}}\n{URL}"


@pytest.fixture
def configured() -> Configuration:
    return Configuration(
        name=BY_NAME,
        property=BY_PROPERTY,
        person=BY_PERSON,
        both=BY_BOTH,
        off=f"enabled: false\n{URL}",
        elsewhere=f"project: 2\n{URL}",
    )


@pytest.mark.parametrize(
    ("an_event", "ids"),
    [
        (event(name="$pageview"), ("both", "name", "person")),
        (event(name="other"), ("person",)),
        (event({"plan": "pro"}, name="other"), ("person", "property")),
        (event({"plan": "free"}, name="other"), ("person",)),
        (event(b"{", name="other"), ("person", "property")),
        (event(name="other", project=2), ("elsewhere", "person")),
    ],
    ids=["by name", "unknown to the event alone", "by a property", "not by its value", "unreadable", "other project"],
)
def test_wanted_by(configured: Configuration, an_event: Any, ids: tuple[str, ...]) -> None:
    view = wanted(an_event, configured)
    assert view is not None
    assert view.event.wanted_by == ids


def test_what_nobody_can_want_is_dropped() -> None:
    configured = Configuration(name=BY_NAME, property=BY_PROPERTY)
    assert wanted(event({"plan": "free"}, name="other"), configured) is None
    assert wanted(event(), Configuration()) is None


def test_a_reread_event_passes_for_the_one_that_asked_and_nobody_else(configured: Configuration) -> None:
    view = wanted(event(name="other", only_for="name"), configured)
    assert view is not None
    assert view.event.wanted_by == ("name",), "route decides, also when the filter has changed"


def test_in_a_flow_marks_keep_their_places() -> None:
    items = [event(), RangeRead("name", "kafka:events", 0, 8), event(name="other"), EndOfInput("kafka:events/0")]
    out = run_through(lambda up: screen("screen", up, Configuration(name=BY_NAME)), items, batch_size=3)
    assert [item.event if isinstance(item, EventView) else item for item in out] == [items[0], items[1], items[3]]


def test_each_destination_gets_the_events_of_its_source() -> None:
    updates = f"filters: {{source: person-updates}}\n{URL}"
    paying = f"filters: {{source: person-updates, properties: [{{key: plan, type: person, value: pro}}]}}\n{URL}"
    configured = Configuration(any=URL, updates=updates, paying=paying)
    change = event(name="$person_updated", source=Source.PERSON_UPDATES)
    assert wanted_by(change, configured) == ("paying", "updates")
    assert wanted_by(event(name="$person_updated"), configured) == ("any",)
    assert wanted(change, Configuration(any=URL)) is None


def wanted_by(an_event: Event, configured: Configuration) -> tuple[str, ...]:
    view = wanted(an_event, configured)
    assert view is not None
    return view.event.wanted_by

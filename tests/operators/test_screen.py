"""Who may want an event, judged before anybody looks up a person."""

from collections import Counter
from typing import Any

import pytest
from bytewax import operators as op
from bytewax.dataflow import Stream

from destinations import EventView
from operators.screen import screen, wanted
from records import EndOfInput, Event, Metric, RangeRead, Source
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
    assert wanted_by(an_event, configured) == ids


def test_what_nobody_can_want_is_dropped() -> None:
    configured = Configuration(name=BY_NAME, property=BY_PROPERTY)
    assert wanted(event({"plan": "free"}, name="other"), configured, Counter()) is None
    assert wanted(event(), Configuration(), Counter()) is None


def test_a_reread_event_passes_for_the_one_that_asked_and_nobody_else(configured: Configuration) -> None:
    again = event(name="other", only_for="name")
    assert wanted_by(again, configured) == ("name",), "route decides, also when the filter has changed"


def test_in_a_flow_marks_keep_their_places() -> None:
    items = [event(), RangeRead("name", "kafka:events", 0, 8), event(name="other"), EndOfInput("kafka:events/0")]
    out = run_through(lambda up: screen("screen", up, Configuration(name=BY_NAME)).events, items, batch_size=3)
    assert [item.event if isinstance(item, EventView) else item for item in out] == [items[0], items[1], items[3]]


def test_each_destination_gets_the_events_of_its_source() -> None:
    updates = f"filters: {{source: person-updates}}\n{URL}"
    paying = f"filters: {{source: person-updates, properties: [{{key: plan, type: person, value: pro}}]}}\n{URL}"
    configured = Configuration(any=URL, updates=updates, paying=paying)
    change = event(name="$person_updated", source=Source.PERSON_UPDATES)
    assert wanted_by(change, configured) == ("paying", "updates")
    assert wanted_by(event(name="$person_updated"), configured) == ("any",)
    assert wanted(change, Configuration(any=URL), Counter()) is None


SAMPLED = """\
sample: {share: 0.5, by: properties.order}
filters: {properties: [{key: plan, value: pro}]}
inputs: {url: 'https://a.example/'}
mappings: [{name: paid, filters: {events: [{id: paid}]}}, {name: refunded, filters: {events: [{id: refunded}]}}]
"""


def test_what_only_the_sample_is_against_is_counted() -> None:
    configured = Configuration(crm=SAMPLED, all=URL)
    orders = range(20)
    paid = [event({"plan": "pro", "order": order}, name="paid") for order in orders]
    others = [event({"plan": "free"}, name="paid"), event({"plan": "pro"}, name="seen")]
    left_out = Counter[str]()
    views = [wanted(one, configured, left_out) for one in (*paid, *others)]
    taken = sum(view is not None and "crm" in view.event.wanted_by for view in views)
    assert 0 < taken < len(orders)
    assert left_out == {"crm": len(orders) - taken}, "what the filters are against is none of it"
    again = [event({"plan": "pro", "order": order}, name="paid", only_for="crm") for order in orders]
    assert all(wanted(one, configured, left_out) for one in again)
    assert left_out["crm"] == len(orders) - taken, "what is read again was counted when it came first"


def test_in_a_flow_what_samples_leave_out_is_a_count_of_its_minute() -> None:
    configured = Configuration(none=f"sample: 0.000001\n{URL}", all=URL)
    items = [event(), event(), event()]

    def screened(up: Stream[Any]) -> Stream[Any]:
        out = screen("screen", up, configured, lambda: 1_000_050.0)
        return op.merge("both", op.map("ids", out.events, lambda item: item.event.wanted_by), out.reports)

    out = run_through(screened, items, batch_size=2)
    assert [one for one in out if not isinstance(one, Metric)] == [("all",)] * 3
    counts = [one for one in out if isinstance(one, Metric)]
    assert counts == [Metric("none", 1_000_020, "other", "sampled_out", count) for count in (2, 1)]


def wanted_by(an_event: Event, configured: Configuration) -> tuple[str, ...]:
    view = wanted(an_event, configured, Counter())
    assert view is not None
    return view.event.wanted_by

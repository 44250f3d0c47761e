"""What the tests with real receivers send: three events, over the whole road."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import catalog
from catalog.cases import Case
from cli.template_case import destination_of
from connectors.http import HttpTransport
from records import Outcome, Verdict
from tests.catalog.road import carried

TEMPLATES = catalog.builtin()
ODD = {"plan": 'pro "x" \\ &=+%', "city": "Łódź 日本 🎉", "lines": "a\nb\u2028c", "items": [1, 2.5, None, {"a": True}]}
EVENTS: list[dict[str, Any]] = [
    {"uuid": f"0193e3b4-0000-7000-8000-00000000000{n}", "event": name, "distinct_id": f"ada-{n}", "properties": what}
    for n, (name, what) in enumerate([("signed up", {"plan": "pro"}), ("$pageview", {}), ("bestellt", ODD)])
]
"""What three people did."""
WRITTEN = {"uuid": "{event.uuid}", "name": "{event.event}", "what": "{event.properties}", "who": "{person.name}"}
"""What is sent of it."""
ARRIVED = [
    {"uuid": one["uuid"], "name": one["event"], "what": one["properties"], "who": f"{one['distinct_id']}@example.com"}
    for one in EVENTS
]
"""What has to arrive."""


def cases_of(inputs: Mapping[str, Any], events: Iterable[dict[str, Any]]) -> list[Case]:
    """Each event has a person with an e-mail address."""
    return [
        Case("", [], event, {"email": f"{event['distinct_id']}@example.com"}, inputs=dict(inputs)) for event in events
    ]


def send(
    transport: HttpTransport,
    slug: str,
    inputs: Mapping[str, Any],
    events: Sequence[dict[str, Any]] = tuple(EVENTS),
    **delivery: Any,
) -> list[Outcome]:
    """What becomes of the events in a new destination from the template; nothing is tried again."""
    cases = cases_of(inputs, events)
    return carried(transport, destination_of(TEMPLATES[slug], cases[0], {"retries": 0, **delivery}), cases)


def assert_delivered(outcomes: Sequence[Outcome], count: int = len(EVENTS)) -> None:
    became = [(one.verdict, one.reason) for one in outcomes]
    assert became == [(Verdict.DELIVERED, "")] * count, became + [one.body for one in outcomes if one.body]


def in_order(texts: Sequence[str | bytes]) -> list[Any]:
    """Values that came as JSON, in the order of the events."""
    return sorted((json.loads(text) for text in texts), key=lambda value: str(value["uuid"]))

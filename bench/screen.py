"""How many events a second does `screen` take, and does its cost grow with what matches or with the destinations?

Of N destinations 5 %, but at least one, take any event name; each wants something of a property: one of two texts, one
text and something of the person, a property that few events have, or a part of the URL. The others take one of 200
event names each and a price above 49; half of those ask for something of the person too, a quarter are written as an
expression. Events carry 30 properties; 2 % have one of the 200 names, so that 1 % can be wanted.

"screen" is that step alone, "with decode" from a message's bytes on, both as the flow calls them, on one core. "each
filter" tries all filters on every event. All are CPU time, the fastest of several rounds in turns.

    python -m bench.screen --events 20000
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import catalog
from destinations import Candidates, Destination, EventView, Index, Secrets, Site, load
from hog import json_text
from operators.envelope import decode_message
from operators.screen import wanted
from records import DeadLetter, Event, Message, Source

SIZES = (10, 100, 1000)
ROUNDS = 7


class Configuration:
    """What `screen` asks for the destinations."""

    def __init__(self, destinations: Sequence[Destination]) -> None:
        """They stay as they are."""
        self.site = Site()
        self._index = Index(destinations)

    def candidates(self, project: int, event_name: str, source: Source = Source.EVENTS) -> Candidates:
        """See `Index`."""
        return self._index.candidates(project, event_name)

    def find(self, destination: str) -> Destination | None:
        """See `Index`."""
        return self._index.get(destination)

    def ids(self) -> Sequence[str]:
        """Nobody asks here."""
        return ()


def main() -> None:
    """Measure each size and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    count = parser.parse_args().events
    messages = [Message("kafka:events", 0, number, _message(number), 0) for number in range(count)]
    events = list(map(_decoded, messages))
    configurations = {size: _destinations(size) for size in SIZES}
    alone, both = dict.fromkeys(SIZES, 1e9), dict.fromkeys(SIZES, 1e9)
    passed = dict.fromkeys(SIZES, 0)
    for _ in range(ROUNDS):
        for size, destinations in configurations.items():
            configuration = Configuration(destinations)
            # The first event of each name prepares what is looked at.
            passed[size] = sum(wanted(event, configuration, Counter()) is not None for event in events)
            alone[size] = min(alone[size], _screen(events, configuration) / count)
            both[size] = min(both[size], _decode_and_screen(messages, configuration) / count)
    print(f"{'':>12} {'screen':>18} {'with decode':>18} {'':>8} {'each filter':>14}")
    print(f"{'destinations':>12} {'µs':>6} {'events/s':>11} {'µs':>6} {'events/s':>11} {'passed':>8} {'µs':>14}")
    for size, destinations in configurations.items():
        sample = list(islice(events, max(count // size, 100)))
        each = _each_filter(sample, destinations) / len(sample)
        print(
            f"{size:>12,} {alone[size] * 1e6:>6.2f} {1 / alone[size]:>11,.0f} {both[size] * 1e6:>6.2f}"
            f" {1 / both[size]:>11,.0f} {passed[size] / count:>8.2%} {each * 1e6:>14.2f}"
        )
    for name, costs in (("screen", alone), ("with decode", both)):
        print(f"{name}, {SIZES[-1]:,} destinations : {SIZES[0]} = {costs[SIZES[-1]] / costs[SIZES[0]]:.2f}")


def _screen(events: Sequence[Event], configuration: Configuration) -> float:
    start = time.process_time()
    left_out = Counter[str]()
    for event in events:
        wanted(event, configuration, left_out)
    return time.process_time() - start


def _decode_and_screen(messages: Sequence[Message], configuration: Configuration) -> float:
    start = time.process_time()
    left_out = Counter[str]()
    for message in messages:
        event = decode_message(message, 1)
        if isinstance(event, Event):
            wanted(event, configuration, left_out)
    return time.process_time() - start


def _each_filter(events: Sequence[Event], destinations: Sequence[Destination]) -> float:
    site = Site()
    start = time.process_time()
    for event in events:
        view = EventView(event, site)
        for destination in destinations:
            destination.wants_event(view)
    return time.process_time() - start


def _destinations(count: int) -> tuple[Destination, ...]:
    with tempfile.TemporaryDirectory() as directory:
        for number in range(count):
            file = {"id": f"d{number}", "filters": _filters(number), "inputs": {"url": "https://a.b"}}
            (Path(directory) / f"d{number}.yaml").write_bytes(json_text.dumps(file))
        loaded = load(Path(directory), Secrets(lambda name: None), catalog.builtin())
    assert not loaded.problems
    return tuple(loaded.destinations.values())


def _filters(number: int) -> dict[str, Any]:
    if number % 20 == 0:
        return _of_any_event(number // 20)
    name, person = f"event {number % 200}", {"key": "plan", "type": "person", "value": "pro"}
    if number % 4 == 1:
        return {"when": f"event == '{name}' and properties.price > 49 and person.properties.plan == 'pro'"}
    own = [{"key": "price", "operator": "gt", "value": 49}, *([person] if number % 4 == 2 else [])]
    return {"events": [{"id": name, "properties": own}]}


def _of_any_event(number: int) -> dict[str, Any]:
    match number % 5:
        case 0:
            return {"properties": [{"key": f"property {number % 10}", "value": [f"x{number}", f"y{number}"]}]}
        case 1:
            return {"when": f"properties.$host == 'shop{number}.example.com' and person.properties.plan == 'pro'"}
        case 2:
            return {"properties": [{"key": "$current_url", "operator": "icontains", "value": f"/pricing-{number}"}]}
        case 3:
            return {"properties": [{"key": f"rare {number}", "operator": "is_set"}]}
        case _:
            found = {"key": "utm_source", "value": f"mail {number}"}
            return {
                "events": [{"id": None, "properties": [found]}],
                "properties": [{"key": "price", "operator": "is_set"}],
            }


def _message(number: int) -> bytes:
    properties: dict[str, object] = {f"property {index}": f"value {index}" for index in range(25)}
    properties |= {
        "price": number // 50 % 100,
        "$browser": "Chrome",
        "$host": "shop.example.com",
        "$current_url": f"https://shop.example.com/catalogue/page/{number}?utm_source=mail",
        "utm_source": "mail",
    }
    message = {
        "uuid": f"0193a1b2-0000-7000-8000-{number:012d}",
        "event": f"event {number // 50 % 200}" if number % 50 == 0 else f"other {number % 100}",
        "distinct_id": f"person {number % 1000}",
        "timestamp": "2026-11-16T18:10:20.813Z",
        "properties": properties,
    }
    return json_text.dumps(message)


def _decoded(message: Message) -> Event:
    event = decode_message(message, 1)
    assert not isinstance(event, DeadLetter)
    return event


if __name__ == "__main__":
    main()

"""How many events a second does `screen` take, and does its cost grow with matches or with destinations?

Of N destinations 5 % take any event name and have a filter on a property; the others take one of 200 event names each,
and a price above 49. Events carry about 30 properties; 2 % have one of the 200 names, so 1 % can be wanted.
"every filter" runs all filters on every event instead of asking the index.

    python -m bench.screen --events 100000
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import catalog
from destinations import Destination, EventView, Index, Secrets, Site, load
from hog import json_text
from records import Event

SIZES = (10, 100, 1000)
PERSON_CLAUSE = "and person.properties.plan == 'pro'"


def main() -> None:
    """Measure each size and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    count = parser.parse_args().events
    events = [_event(number) for number in range(count)]
    costs = {}
    print(f"{'destinations':>12} {'events/s':>12} {'µs/event':>9} {'wanted':>8} {'all filters, µs':>22} {'ratio':>7}")
    for size in SIZES:
        destinations = _destinations(size)
        index = Index(destinations)
        wanted, seconds = _timed(events, _by_index(index))
        sample = list(islice(events, max(count // size, 100)))
        _, slow_seconds = _timed(sample, _by_trying(destinations))
        costs[size] = seconds / count
        slow = slow_seconds / len(sample)
        print(
            f"{size:>12,} {count / seconds:>12,.0f} {costs[size] * 1e6:>9.2f} {wanted / count:>8.2%}"
            f" {slow * 1e6:>22.2f} {slow / costs[size]:>6.1f}x"
        )
    print(f"cost of an event, {SIZES[-1]:,} destinations : {SIZES[0]} = {costs[SIZES[-1]] / costs[SIZES[0]]:.2f}")


Candidates = Callable[[Event], tuple[Destination, ...]]


def _by_index(index: Index) -> Candidates:
    return lambda event: index.candidates(event.project, event.event)


def _by_trying(destinations: tuple[Destination, ...]) -> Candidates:
    return lambda event: destinations


def _timed(events: list[Event], candidates: Candidates) -> tuple[int, float]:
    """How many matches the events have by themselves, and how long that took to find out."""
    site = Site()
    wanted = 0
    start = time.perf_counter()
    for event in events:
        found = candidates(event)
        if found:
            view = EventView(event, site)
            for destination in found:
                wanted += destination.wants_event(view)
    return wanted, time.perf_counter() - start


def _destinations(count: int) -> tuple[Destination, ...]:
    with tempfile.TemporaryDirectory() as directory:
        for number in range(count):
            any_name = number % 20 == 10
            clause = "uuid == 'nobody'" if any_name else f"event == 'event {number % 200}' and properties.price > 49"
            text = f"id: d{number}\nfilters: {{when: \"{clause} {PERSON_CLAUSE}\"}}\ninputs: {{url: 'https://a.b'}}\n"
            (Path(directory) / f"d{number}.yaml").write_text(text)
        loaded = load(Path(directory), Secrets(lambda name: None), catalog.builtin())
    assert not loaded.problems
    return tuple(loaded.destinations.values())


def _event(number: int) -> Event:
    properties: dict[str, object] = {f"property {index}": f"value {index}" for index in range(28)}
    properties |= {"price": number // 50 % 100, "$browser": "Chrome"}
    return Event(
        stream="kafka:events",
        partition=0,
        offset=number,
        read_ms=0,
        uuid=f"uuid-{number}",
        event=f"event {number // 50 % 200}" if number % 50 == 0 else f"other {number % 100}",
        distinct_id=f"person {number % 1000}",
        project=1,
        timestamp="2026-11-16T18:10:20Z",
        properties=json_text.dumps(properties),
    )


if __name__ == "__main__":
    main()

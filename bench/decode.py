"""How many messages a second become events, in both shapes, and what the checks cost beside bare JSON parsing.

Messages of about 1 KB with 30 properties. "orjson" parses the same bytes to plain values, the properties' text
included, and checks nothing.

    python -m bench.decode --messages 50000
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import orjson

from operators.envelope import decode_message
from records import Event, Message

ROUNDS = 5


def main() -> None:
    """Measure both shapes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=50_000)
    count = parser.parse_args().messages
    print(f"{'shape':>8} {'bytes':>6} {'events/s':>10} {'µs/event':>9} {'orjson µs':>10} {'ratio':>6}")
    for shape, value_of in (("capture", _capture), ("row", _row)):
        messages = [Message("kafka:bench", 0, number, value_of(number), 0) for number in range(count)]
        assert all(isinstance(decode_message(message, 1), Event) for message in messages[:100])
        size = sum(len(message.value or b"") for message in messages) // count
        ours = _best(messages, lambda message: decode_message(message, 1)) / count
        bare = _best(messages, lambda message: _parse(message.value or b"")) / count
        print(f"{shape:>8} {size:>6} {1 / ours:>10,.0f} {ours * 1e6:>9.2f} {bare * 1e6:>10.2f} {ours / bare:>6.2f}")


def _best(messages: list[Message], read: Callable[[Message], object]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for message in messages:
            read(message)
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def _parse(value: bytes) -> Any:
    message = orjson.loads(value)
    if isinstance(message["properties"], str):
        message["properties"] = orjson.loads(message["properties"])
    return message


def _properties(number: int) -> dict[str, Any]:
    page = number % 2000
    named = {
        "$browser": "Chrome",
        "$os": "Windows",
        "$current_url": f"https://shop.example.com/catalogue/page/{page}?utm_source=mail",
        "$pathname": f"/catalogue/page/{page}",
        "$screen_width": 1920,
        "$screen_height": 1080,
        "$lib": "web",
        "price": number % 100 + 0.5,
    }
    return named | {f"property_{k}": f"value-{(number + k) % 997:03d}-of-{k}" for k in range(22)}


def _capture(number: int) -> bytes:
    return orjson.dumps(
        {
            "uuid": f"0193a1b2-0000-7000-8000-{number:012d}",
            "event": "$pageview",
            "distinct_id": f"user-{number % 5000}",
            "timestamp": "2026-11-16T18:10:20.813Z",
            "properties": _properties(number),
        }
    )


def _row(number: int) -> bytes:
    return orjson.dumps(
        {
            "uuid": f"0193a1b2-0000-7000-8000-{number:012d}",
            "event": "$pageview",
            "properties": orjson.dumps(_properties(number)).decode(),
            "timestamp": "2026-11-16 18:10:20.813000",
            "team_id": 1,
            "project_id": 1,
            "distinct_id": f"user-{number % 5000}",
            "elements_chain": "",
            "created_at": "2026-11-16 18:10:21.233000",
            "person_id": "dee89ed8-2684-5479-894a-8115d854addc",
            "person_properties": '{"plan":"pro"}',
            "person_mode": "full",
        }
    )


if __name__ == "__main__":
    main()

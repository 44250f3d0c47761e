import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from catalog.loading import builtin
from connectors.person_inputs import Role
from connectors.person_messages import parse
from destinations import Secrets, load
from flows.demo import DESTINATIONS
from flows.demo_receiver import Receiver
from flows.demo_shop import DISTINCT_IDS, EVENTS, PERSONS, Message, Shop
from operators.envelope import decode_message
from records import Event
from records import Message as LogMessage

ROOT = Path(__file__).parents[2]
MINUTE_MS = 60_000


def of_a_minute(seed: int = 1) -> list[Message]:
    shop = Shop(seed, 0)
    return [*shop.opening(), *shop.until(MINUTE_MS)]


def values(topic: str) -> list[dict[str, Any]]:
    return [json.loads(message.value) for message in of_a_minute() if message.topic == topic]


def decoded_events() -> list[Event]:
    answers = [
        decode_message(LogMessage("kafka:events", 0, offset, message.value, 0), 1)
        for offset, message in enumerate(of_a_minute())
        if message.topic == EVENTS
    ]
    events = [answer for answer in answers if isinstance(answer, Event)]
    assert len(events) == len(answers)
    return events


def test_the_same_seed_gives_the_same_messages_and_another_one_others() -> None:
    assert of_a_minute() == of_a_minute()
    assert of_a_minute(2) != of_a_minute()


def test_asking_in_small_steps_gives_the_same_as_asking_once() -> None:
    shop = Shop(1, 0)
    opening = list(shop.opening())
    steps = [message for now_ms in range(0, MINUTE_MS + 1, 50) for message in shop.until(now_ms)]
    assert opening + steps == of_a_minute()


def test_the_events_are_of_both_shapes_and_at_the_stated_rate() -> None:
    events = values(EVENTS)
    rows = sum("team_id" in event for event in events)
    assert 50 * 60 < len(events) < 100 * 60
    assert 0.4 < rows / len(events) < 0.6


def test_every_event_decodes_with_its_own_uuid_and_its_own_time() -> None:
    events = decoded_events()
    assert len({event.uuid for event in events}) == len(events)
    times = [event.timestamp for event in events]
    assert times == sorted(times)
    assert all(re.fullmatch(r"1970-01-01T00:0[01]:\d\d\.\d{3}Z", time) for time in times)


def test_people_look_around_sign_up_order_and_change() -> None:
    names = {event.event for event in decoded_events()}
    assert names == {
        "$pageview",
        "$pageleave",
        "product viewed",
        "product added",
        "signed up",
        "$identify",
        "order completed",
        "plan changed",
        "email changed",
    }


def test_every_person_message_is_one_that_the_person_table_takes() -> None:
    roles = {PERSONS: Role.PERSONS, DISTINCT_IDS: Role.DISTINCT_IDS}
    for message in of_a_minute():
        if message.topic in roles:
            parse(roles[message.topic], message.value)


def test_who_acts_under_an_account_is_known_before_the_first_event_of_it() -> None:
    known: set[str] = set()
    for message in of_a_minute():
        value = json.loads(message.value)
        if message.topic == DISTINCT_IDS:
            known.add(value["distinct_id"])
        elif message.topic == EVENTS and value["distinct_id"].startswith("user_"):
            assert value["distinct_id"] in known


def test_a_persons_versions_rise_and_later_ones_differ() -> None:
    versions: dict[str, list[int]] = {}
    plans: dict[str, set[str]] = {}
    for person in values(PERSONS):
        versions.setdefault(person["id"], []).append(person["version"])
        plans.setdefault(person["id"], set()).add(json.loads(person["properties"])["plan"])
    assert all(found == list(range(len(found))) for found in versions.values())
    assert any(len(found) > 1 for found in plans.values())


def test_the_shop_stops_growing_at_its_limit() -> None:
    shop = Shop(1, 0)
    list(shop.until(15 * MINUTE_MS))
    assert not [message for message in shop.until(16 * MINUTE_MS) if message.topic == DISTINCT_IDS]


def test_the_destination_files_are_without_a_problem() -> None:
    loaded = load(DESTINATIONS, Secrets({}.get), builtin())
    assert loaded.problems == []
    assert sorted(loaded.destinations) == ["ads", "crm", "orders"]


def test_the_receiver_keeps_what_arrived_and_measures_since_the_event() -> None:
    with Receiver() as receiver:
        request = urllib.request.Request(
            f"{receiver.url}/orders/7?x=1", b'{"a": 1}', {"X-Event-Time": "1970-01-01T00:00:00.000Z"}, method="PUT"
        )
        before_ms = time.time() * 1000
        with urllib.request.urlopen(request) as answer:
            assert (answer.status, answer.read()) == (200, b"ok\n")
        [arrival] = receiver.arrivals()
        assert arrival[1:] == ("PUT", "/orders/7?x=1", '{"a": 1}', 200)
        assert receiver.accepted("orders") == 1
        latency_ms = receiver.latency_ms("orders")
        assert latency_ms is not None
        assert latency_ms >= before_ms - 1
        assert receiver.latency_ms("crm") is None


def test_the_receiver_has_trouble_at_one_endpoint_only() -> None:
    with Receiver() as receiver:
        statuses = {_status(f"{receiver.url}/ads") for _ in range(60)}
        assert {_status(f"{receiver.url}/crm") for _ in range(60)} == {200}
        assert statuses == {200, 503}


def test_the_demo_delivers_to_every_destination_and_says_so() -> None:
    done = subprocess.run([*DEMO, "--seconds", "6"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    delivered = re.findall(r"^(\w+): matched \d+, delivered (\d+), failed \d+, ", done.stdout, re.MULTILINE)
    assert [id for id, _ in delivered] == ["ads", "crm", "orders"]
    assert all(int(count) > 0 for _, count in delivered)
    folder = re.search(r"(\S+)/destinations and save", done.stdout)
    assert folder is not None
    assert not Path(folder[1]).exists()


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_ends_the_demo_without_a_traceback(times: int) -> None:
    demo = subprocess.Popen(DEMO, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    for line in demo.stdout:
        if "delivered" in line:
            break
    for _ in range(times):
        demo.send_signal(signal.SIGINT)
    out, err = demo.communicate(timeout=60)
    assert (demo.returncode, err) == (0, "")
    assert "events in" in out


DEMO = [sys.executable, "-m", "cli.main", "demo"]


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, b"") as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_story_of_an_outage_goes_as_told() -> None:
    command = [sys.executable, "-P", "-m", "cli.main", "demo", "--outage"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout
    told = [line[8:].strip() for line in done.stdout.splitlines()]
    for beginning in ("Now 'orders' dies", "It is quarantined: nothing is sent for 6 s", "Nothing is lost"):
        assert any(line.startswith(beginning) for line in told), done.stdout

"""From a topic with both shapes of events to three destinations: exactly the expected requests, no consumer group."""

from typing import Any

from confluent_kafka.admin import AdminClient

from tests.integration import topics
from tests.integration.events import capture, distinct_id, group, person, row, uuid_of
from tests.integration.stand import Stand, dumps
from tests.kafka_broker import KafkaBroker
from tests.receiver import Received, Receiver

PARTITIONS = 4
CUSTOMERS = 12
EACH = 40
AT = "2026-11-20T10:00:00.000Z"

Expected = tuple[str, str, str | None, str | None, bytes]


def write_destinations(stand: Stand, url: str) -> None:
    stand.destination(
        "contacts",
        "event == '$identify' and person.properties.plan == 'pro'",
        url=url + "/contacts/{person.id}?source={event.properties.utm_source ?? 'none'}",
        method="PUT",
        headers={"Content-Type": "application/json", "X-Plan": "{person.properties.plan}"},
        body={"email": "{person.properties.email}", "name": "{person.name}", "n": "{event.properties.n}"},
    )
    stand.destination(
        "chat",
        "event == 'order completed' and properties.n % 2 == 0",
        url=url + "/chat",
        headers={"X-Plan": "text"},
        body="{person.name} ordered {event.properties.items.1.name ?? 'something'} for {event.properties.total} €",
    )
    stand.destination(
        "companies",
        "$group_0 != null",
        url=url + "/companies/{groups.company.id}",
        method="PATCH",
        headers={"X-Plan": "{groups.company.properties.tier}"},
        body={"uuid": "{event.uuid}", "at": "{event.timestamp}", "all": "{event.properties}"},
    )


def events() -> tuple[list[dict[str, Any]], list[Expected]]:
    """Events in both shapes, and the requests that they become: method, target, X-Plan, content type, body."""
    written: list[dict[str, Any]] = []
    expected: list[Expected] = []
    for number in range(CUSTOMERS * EACH):
        shape = capture if number % 3 else row
        customer = number % CUSTOMERS
        who = f"anonymous {customer}" if number % 2 else f"user-{customer}"
        name = email(customer)
        properties: dict[str, Any] = {"n": number}
        match number % 5:
            case 0:
                properties |= {"utm_source": "a b/ü&c"} if number % 10 else {}
                written.append(shape(number, "$identify", who, **properties))
                source = "a%20b%2F%C3%BC%26c" if number % 10 else "none"
                target = f"/contacts/person-{customer}?source={source}"
                body = dumps_tight({"email": name, "name": name, "n": number})
                expected += [("PUT", target, "pro", "application/json", body)] if customer % 4 == 0 else []
            case 1:
                properties |= {"total": 12.5, "items": [{"name": "tent"}] if number % 4 else []}
                written.append(shape(number, "order completed", who, **properties))
                text = f"{name} ordered {'tent' if number % 4 else 'something'} for 12.5 €".encode()
                expected += [("POST", "/chat", "text", "text/plain; charset=utf-8", text)] if number % 2 == 0 else []
            case 2:
                properties |= {"$groups": {"company": "Bridges & Co"}, "big": 2**70, "": None, "a.b": [True, "x\u2028"]}
                written.append(shape(number, "seat added", who, **properties))
                body = dumps_tight({"uuid": uuid_of(number), "at": AT, "all": properties})
                expected.append(("PATCH", "/companies/Bridges%20%26%20Co", "gold", "application/json", body))
            case _:
                written.append(shape(number, "$pageview", who, **properties))
    return written, expected


def email(customer: int) -> str:
    return f"c{customer}@shop.example"


def dumps_tight(value: dict[str, Any]) -> bytes:
    return dumps(value).replace(b'": ', b'":').replace(b', "', b',"')


def seen(request: Received) -> Expected:
    plan, content_type = request.header("x-plan"), request.header("content-type")
    return request.method, request.target, plan, content_type, request.body


def test_both_shapes_become_exactly_the_expected_requests(kafka: KafkaBroker, stand: Stand, receiver: Receiver) -> None:
    written, expected = events()
    topic = topics.events(kafka, written, PARTITIONS)
    customers = range(CUSTOMERS)
    first = [person(f"person-{c}", 0, email="old@shop.example", plan="pro" if c % 4 else "free") for c in customers]
    latest = [person(f"person-{c}", 1, email=email(c), plan="free" if c % 4 else "pro") for c in customers]
    links = [distinct_id(name, f"person-{c}") for c in customers for name in (f"user-{c}", f"anonymous {c}")]
    groups = [group(0, "Bridges & Co", 2, tier="gold"), group(0, "Bridges & Co", 1, tier="silver")]
    tables = [topics.table(kafka, rows) for rows in (first + latest, links, groups)]
    write_destinations(stand, receiver.url)

    code, out, log = stand.run(
        *("--events", topics.url(kafka, topic), "--until-end", "--persons", topics.url(kafka, *tables[:2])),
        *("--groups", topics.url(kafka, tables[2]), "--group-types", "company=0"),
    )
    assert code == 0, log
    assert sorted(map(seen, receiver.requests), key=repr) == sorted(expected, key=repr)
    ids = [request.header("webhook-id") for request in receiver.requests]
    assert None not in ids
    assert len(set(ids)) == len(expected)
    counts = {id: sum(f"/{id}" in target for _, target, *_ in expected) for id in ("chat", "companies", "contacts")}
    assert out.splitlines()[:3] == [f"{id}: matched {n}, delivered {n}, failed 0, owed 0" for id, n in counts.items()]

    groups_of_the_broker = AdminClient({"bootstrap.servers": kafka.servers}).list_consumer_groups().result(30)
    assert groups_of_the_broker.valid == []


def test_a_topic_that_is_not_there_is_one_line_and_exit_code_2(kafka: KafkaBroker, stand: Stand) -> None:
    topic = kafka.create_topic()
    code, out, log = stand.run("--events", topics.url(kafka, topic + "x"))
    assert (code, out) == (2, "")
    missing = f"offramp run: kafka:{topic}x: there is no topic '{topic}x' at {kafka.servers}; did you mean '{topic}'"
    assert log.startswith(missing)
    assert log.count("\n") == 1

"""The demo's shop: visitors who look around, sign up, order, change their plan and their e-mail address.

Pure and deterministic: the same seed and the same times give the same messages. It sends nothing. Half of the events
have the shape that SDKs send, half are rows of `clickhouse_events_json`, in one stream.
"""

import heapq
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from flows.demo_people import (
    CAMPAIGNS,
    PRODUCTS,
    Customer,
    Visitor,
    clickhouse_time,
    iso_time,
    new_visitor,
    random_uuid,
)

EVENTS, PERSONS, DISTINCT_IDS = "events", "persons", "distinct_ids"
PROJECT = 1
VISITORS = 60
"""At once; with `PAUSE_S` this makes about 75 events a second."""
PAUSE_S = 0.8
KNOWN_CUSTOMERS = 30
"""Signed up before the demo began."""
MAX_CUSTOMERS = 400
"""Past this nobody signs up any more, so that a demo left running does not grow."""


class Message(NamedTuple):
    """One message for the broker."""

    topic: str
    key: str
    value: bytes


Properties = Mapping[str, Any]


class Shop:
    """`opening` first, then `until` with ever later times; times are milliseconds since the epoch."""

    def __init__(self, seed: int, start_ms: int) -> None:
        """Nothing has happened yet."""
        self._random = random.Random(seed)
        self._start_ms = start_ms
        self._customers: list[Customer] = []
        self._number = 0
        self._due: list[tuple[int, int, Visitor]] = []
        for _ in range(VISITORS):
            self._enter(start_ms)

    def opening(self) -> Iterator[Message]:
        """The customers of yesterday: what a person topic holds before the first event."""
        for _ in range(KNOWN_CUSTOMERS):
            yield from self._sign_up(new_visitor(self._random), self._start_ms)

    def until(self, now_ms: int) -> Iterator[Message]:
        """Everything that happens up to this time, in order."""
        while self._due[0][0] <= now_ms:
            at_ms, _, visitor = heapq.heappop(self._due)
            yield from self._act(visitor, at_ms)
            if visitor.leaving:
                self._enter(at_ms)
            else:
                self._come_back(visitor, at_ms)

    def _enter(self, at_ms: int) -> None:
        visitor = new_visitor(self._random)
        if self._customers and self._random.random() < 0.4:
            visitor.customer = self._random.choice(self._customers)
        self._come_back(visitor, at_ms)

    def _come_back(self, visitor: Visitor, at_ms: int) -> None:
        self._number += 1
        pause_ms = 1 + int(self._random.expovariate(1 / PAUSE_S) * 1000)
        heapq.heappush(self._due, (at_ms + pause_ms, self._number, visitor))

    def _act(self, visitor: Visitor, at_ms: int) -> Iterator[Message]:
        """One action. Who has just signed up is identified first: that is what the SDK does on the next page."""
        if visitor.to_identify and visitor.customer is not None:
            visitor.to_identify = False
            user = visitor.customer
            details = {"$anon_distinct_id": visitor.anonymous_id, "$set": {"email": user.email, "name": user.name}}
            yield self._event("$identify", visitor, at_ms, details)
            return
        yield from self._random.choices(*self._choices(visitor))[0](visitor, at_ms)

    def _choices(self, visitor: Visitor) -> tuple[list["Action"], list[int]]:
        actions: list[tuple[Action, int]] = [(self._look_at_page, 40), (self._look_at_product, 30), (self._leave, 12)]
        if visitor.product is not None:
            actions += [(self._put_into_cart, 12)]
        if visitor.customer is None and len(self._customers) < MAX_CUSTOMERS:
            actions += [(self._join, 10)]
        if visitor.customer is not None:
            actions += [(self._order, 10), (self._change_plan, 3), (self._change_email, 2)]
        return [action for action, _ in actions], [weight for _, weight in actions]

    def _look_at_page(self, visitor: Visitor, at_ms: int) -> Iterator[Message]:
        path = self._random.choice(("/", "/tents", "/shoes", "/kitchen", "/sale", "/about"))
        yield self._event("$pageview", visitor, at_ms, {"$current_url": f"https://shop.example{path}"})

    def _look_at_product(self, visitor: Visitor, at_ms: int) -> Iterator[Message]:
        visitor.product = self._random.choice(PRODUCTS)
        yield self._event("product viewed", visitor, at_ms, visitor.product.properties)

    def _put_into_cart(self, visitor: Visitor, at_ms: int) -> Iterator[Message]:
        if visitor.product is not None:
            yield self._event("product added", visitor, at_ms, visitor.product.properties)

    def _leave(self, visitor: Visitor, at_ms: int) -> Iterator[Message]:
        visitor.leaving = True
        yield self._event("$pageleave", visitor, at_ms, {})

    def _join(self, visitor: Visitor, at_ms: int) -> Iterator[Message]:
        yield from self._sign_up(visitor, at_ms)
        visitor.to_identify = True
        yield self._event("signed up", visitor, at_ms, {"method": self._random.choice(("password", "google"))})

    def _order(self, visitor: Visitor, at_ms: int) -> Iterator[Message]:
        product = visitor.product or self._random.choice(PRODUCTS)
        quantity = self._random.randint(1, 3)
        details = {
            "order_id": f"A-{self._random.randrange(10**6):06}",
            "quantity": quantity,
            "total": round(product.price * quantity, 2),
        }
        yield self._event("order completed", visitor, at_ms, {**product.properties, **details})

    def _change_plan(self, visitor: Visitor, at_ms: int) -> Iterator[Message]:
        if (user := visitor.customer) is not None:
            before, user.plan = user.plan, self._random.choice([p for p in ("free", "pro", "team") if p != user.plan])
            yield self._person(user)
            yield self._event("plan changed", visitor, at_ms, {"from": before, "to": user.plan})

    def _change_email(self, visitor: Visitor, at_ms: int) -> Iterator[Message]:
        if (user := visitor.customer) is not None:
            user.change_email()
            yield self._person(user)
            yield self._event("email changed", visitor, at_ms, {})

    def _sign_up(self, visitor: Visitor, at_ms: int) -> Iterator[Message]:
        """The person first, then what leads to it: the anonymous id of the browser and the id of the account."""
        user = visitor.customer = Customer.number(len(self._customers) + 1, self._random, clickhouse_time(at_ms)[:19])
        self._customers.append(user)
        yield self._person(user)
        for distinct_id in (visitor.anonymous_id, user.distinct_id):
            yield self._to(
                DISTINCT_IDS,
                distinct_id,
                {"distinct_id": distinct_id, "person_id": user.id, "team_id": PROJECT, "version": 0, "is_deleted": 0},
            )

    def _person(self, user: Customer) -> Message:
        user.version += 1
        message = {
            "id": user.id,
            "created_at": user.created_at,
            "team_id": PROJECT,
            "properties": _json(user.properties).decode(),
            "is_identified": 1,
            "is_deleted": 0,
            "version": user.version,
        }
        return self._to(PERSONS, user.id, message)

    def _event(self, name: str, visitor: Visitor, at_ms: int, details: Properties) -> Message:
        properties = {**visitor.browser, **CAMPAIGNS[visitor.campaign], **details}
        if visitor.campaign:
            properties["click_id"] = visitor.click_id
        shape = self._row if self._random.random() < 0.5 else self._captured
        uuid = random_uuid(self._random)
        return self._to(EVENTS, visitor.distinct_id, shape(name, uuid, visitor, at_ms, properties))

    def _captured(self, name: str, uuid: str, visitor: Visitor, at_ms: int, properties: Properties) -> Properties:
        return {
            "uuid": uuid,
            "event": name,
            "distinct_id": visitor.distinct_id,
            "timestamp": iso_time(at_ms),
            "properties": properties,
        }

    def _row(self, name: str, uuid: str, visitor: Visitor, at_ms: int, properties: Properties) -> Properties:
        row = {
            "uuid": uuid,
            "event": name,
            "team_id": PROJECT,
            "distinct_id": visitor.distinct_id,
            "timestamp": clickhouse_time(at_ms),
            "created_at": clickhouse_time(at_ms),
            "properties": _json(properties).decode(),
            "elements_chain": "",
            "person_mode": "propertyless",
        }
        if (user := visitor.customer) is not None:
            row |= {"person_id": user.id, "person_properties": _json(user.properties).decode(), "person_mode": "full"}
        return row

    def _to(self, topic: str, key: str, value: Properties) -> Message:
        return Message(topic, key, _json(value))


Action = Callable[[Visitor, int], Iterator[Message]]


def _json(value: Properties) -> bytes:
    return msgspec.json.encode(value)

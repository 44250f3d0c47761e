"""What the tests of this folder have in common: a load, a job that is killed and started again, and the verdict."""

import json
import os
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from connectors.journal import JournalError, JournalReader
from tests.chaos.endpoint import Endpoints
from tests.chaos.verdict import Case, Event, Kill, Verdict, back_after, judge, lags, read_record
from tests.integration.events import capture, uuid_of
from tests.integration.stand import Job, Stand, dumps, until
from tests.integration.topics import url
from tests.kafka_broker import KafkaBroker

PARTITIONS = 4
PEOPLE = 40
SNAPSHOT_S = 0.5
WINDOW_S = 2 * SNAPSHOT_S + 1.0
"""An answer that came so long before a kill stands in a snapshot. It comes into the one that the epoch of the moment
ends with, up to one interval later; that one counts when the epoch has passed every step, which is when the next one
ends at the latest; and the machine may be busy."""
LEDGER = 1_000_000
FILLER = "some text " * 150
"""Bodies of less than 1,024 bytes are never compressed."""
_DRAIN_S = 90.0
_STEP_S = 0.02


def setting(name: str, default: int) -> int:
    """Of the environment."""
    return int(os.environ.get(name) or default)


@dataclass
class Destination:
    """One of the destinations, and what is known of it from outside."""

    name: str
    modulus: int
    rest: int
    delivery: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    healthy: bool = False
    replayed: tuple[int, int, int] | None = None
    """Partition, first and last position of what a person has asked for again."""

    @property
    def when(self) -> str:
        return f"properties.n % {self.modulus} == {self.rest}"

    def wants(self, event: Event) -> bool:
        return event.number % self.modulus == self.rest

    @property
    def body(self) -> dict[str, str]:
        """Large enough to be compressed, where that is asked for."""
        return {"uuid": "{event.uuid}"} | ({"filler": FILLER} if "compress" in self.delivery else {})

    @property
    def at_once(self) -> int:
        """Events that can be on the wire at one moment."""
        batch = self.delivery.get("batch")
        return int(self.delivery.get("concurrency", 50)) * (batch["max"] if batch else 1)


class Load(threading.Thread):
    """Events at a steady pace until `stop`; they come back as `events` once the broker has confirmed them."""

    def __init__(self, kafka: KafkaBroker, topic: str, per_s: int) -> None:
        super().__init__(name="load", daemon=True)
        self.events: list[Event] = []
        self._offsets: dict[int, int | None] = {}
        self._topic = topic
        self._per_s = per_s
        self._ended = threading.Event()
        self._refused: list[KafkaError] = []
        # Once and in order, also when the broker is killed between a write and its confirmation.
        self._producer = Producer(
            {
                "bootstrap.servers": kafka.servers,
                "linger.ms": 5,
                "enable.idempotence": True,
                "log_level": 0,
                "reconnect.backoff.max.ms": 500,
            }
        )

    def run(self) -> None:
        began, number = time.time(), 0
        while not self._ended.wait(_STEP_S):
            due = int((time.time() - began) * self._per_s)
            while number < due:
                self._produce(number)
                number += 1
            self._producer.poll(0)

    def between(self, partition: int, first: int, last: int) -> set[int]:
        """The numbers of the events at these positions."""
        found = [number for number, offset in self._offsets.items() if offset is not None and first <= offset <= last]
        return {number for number in found if number % PARTITIONS == partition}

    def stop(self) -> list[Event]:
        """All events, in the order in which they were produced."""
        self._ended.set()
        self.join()
        assert self._producer.flush(60) == 0
        assert self._refused == []
        events = sorted(self.events, key=lambda event: event.number)
        # One person's events are in the log in the order of their numbers.
        for partition in range(PARTITIONS):
            of = [self._offsets[event.number] or 0 for event in events if event.number % PARTITIONS == partition]
            assert of == sorted(of)
        return events

    def _produce(self, number: int) -> None:
        person = number % PEOPLE
        event = Event(uuid_of(number), number, f"d{person}", time.time())

        def confirmed(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self.events.append(event)
                self._offsets[number] = message.offset()
            else:
                self._refused.append(error)

        value = dumps(capture(number, distinct_id=event.person, n=number))
        self._producer.produce(self._topic, value, partition=person % PARTITIONS, on_delivery=confirmed)


class Arena:
    """A job on a real broker in front of endpoints, under load from the start until `finish`."""

    def __init__(
        self,
        kafka: KafkaBroker,
        stand: Stand,
        endpoints: Endpoints,
        destinations: Sequence[Destination],
        per_s: int,
        more: Mapping[str, Any],
    ) -> None:
        """`more` is what all destination files have in common."""
        self.kills: list[Kill] = []
        self.starts: list[float] = []
        self._stand = stand
        self._endpoints = endpoints
        self._destinations = destinations
        self._more = more
        for one in destinations:
            self.write(one)
        self._topic = kafka.create_topic(PARTITIONS)
        self._command = ("--events", url(kafka, self._topic), "--snapshot-interval-s", SNAPSHOT_S)
        self._load = Load(kafka, self._topic, per_s)
        self._load.start()
        self.job = self.start()

    def write(self, one: Destination, **inputs: Any) -> None:
        """Write a destination's file, or write it anew."""
        own = {**self._more, **one.more, "delivery": {**self._more.get("delivery", {}), **one.delivery}}
        self._stand.destination(
            one.name, one.when, more=own, url=self._endpoints.url(one.name), body=one.body, **inputs
        )

    def tell(self, command: str, *destinations: Destination, options: Sequence[object] = ()) -> None:
        """What people ask of destinations at the same time."""
        with ThreadPoolExecutor() as people:
            for code, out, error in people.map(
                lambda one: self._stand.offramp(command, one.name, *options), destinations
            ):
                assert code == 0, out + error

    def replay(self, one: Destination, partition: int, last: int) -> None:
        """Ask for the beginning of a partition again."""
        assert one.replayed is None
        one.replayed = partition, 0, last
        at = f"{self._topic}/{partition}"
        self.tell("replay", one, options=["--detach", "--from", f"{at}:0", "--to", f"{at}:{last}"])

    def start(self) -> Job:
        """Start the job, or start it again."""
        self.starts.append(time.time())
        self.job = self._stand.start(*self._command)
        return self.job

    def wait_until_it_sends(self, within_s: float = 60.0) -> None:
        """However long the machine takes to start it."""
        before, give_up_at = self._recorded(), time.monotonic() + within_s
        while self._recorded() == before:
            assert time.monotonic() < give_up_at, f"nothing was sent within {within_s} s:\n{self.job.log}"
            time.sleep(0.05)

    def _recorded(self) -> int:
        return self._endpoints.record.stat().st_size

    def kill(self) -> None:
        """`kill -9`, and start it again."""
        assert self.job.running(), f"the job has ended by itself:\n{self.job.log}"
        before = time.time()
        self.job.kill()
        self.kills.append(Kill(before, time.time()))
        self.start()

    def end(self) -> dict[str, dict[str, Any]]:
        """SIGTERM, and what the job says of itself when it has ended."""
        assert self.job.terminate() == 0, self.job.log
        return self._stand.status()

    def finish(self) -> Verdict:
        """End the load, lift every fault, wait until nothing is owed, and judge."""
        events = self._load.stop()
        for one in self._destinations:
            self._endpoints.become(one.name)
        wanted = {one.name: [event for event in events if one.wants(event)] for one in self._destinations}
        replayed = {one.name: self._replayed(one, wanted[one.name]) for one in self._destinations}

        def drained() -> bool:
            assert self.job.running(), f"the job has ended by itself:\n{self.job.log}"
            try:
                with JournalReader(self._stand.state / "journal.sqlite") as journal:
                    found = {status.id: status for status in journal.statuses()}
            except JournalError:
                return False
            return all(
                name in found
                and found[name].owed == 0
                and not found[name].replays
                and found[name].matched >= len(wanted[name]) + len(replayed[name])
                for name in wanted
            )

        late = ""
        try:
            until("nothing is owed", drained, _DRAIN_S)
        except AssertionError as error:
            late = str(error)
        code = self.job.terminate()
        self._endpoints.close()
        record = read_record(self._endpoints.record)
        status = self._stand.status()
        cases = [
            Case(
                one.name,
                wanted[one.name],
                status[one.name],
                self._ledger(one.name),
                one.at_once,
                batch="batch" in one.delivery,
                ordered="order" in one.delivery,
                gzip="compress" in one.delivery,
                replayed=replayed[one.name],
            )
            for one in self._destinations
        ]
        verdict = judge(cases, record, self.kills, WINDOW_S)
        if late:
            verdict.problems.append(f"{late}; { ({id: one['owed'] for id, one in status.items()}) }")
        if code:
            verdict.problems.append(f"the job ended with {code}:\n{self.job.log[-3000:]}")
        healthy = [one for one in self._destinations if one.healthy]
        quick = [lag for one in healthy for lag in lags(wanted[one.name], record[one.name])]
        ill = [lag for one in self._destinations if not one.healthy for lag in lags(wanted[one.name], record[one.name])]
        for one in healthy:
            entries = self._ledger(one.name)
            if entries:
                verdict.problems.append(f"{one.name} is healthy, and {len(entries)} deliveries failed: {entries[0]}")
        if quick and ill and _share(quick, 0.5) > max(_share(ill, 0.95), 1.0):
            verdict.problems.append(f"the healthy are as late as the sick: {_share(quick, 0.5):.2f} s")
        back = [back_after(record[healthy[0].name], kill) for kill in self.kills] if healthy else []
        sizes = f"{len(events)} events, {sum(map(len, wanted.values()))} matches, {len(self.kills)} kills"
        print(  # noqa: T201 - pytest shows it where a test fails, or with -s
            f"\n{sizes}: {verdict.good} answered well, {verdict.failed} in the ledger, {verdict.both} in both;"
            f" {verdict.duplicates} duplicates of at most {verdict.bound}, the oldest from {verdict.oldest_s:.2f} s"
            f" before its kill; lag of the healthy p50 {_share(quick, 0.5):.3f} p99 {_share(quick, 0.99):.2f} s, of the"
            f" sick p50 {_share(ill, 0.5):.2f} p95 {_share(ill, 0.95):.2f} s; back at full rate after"
            f" {', '.join('never' if s is None else f'{s:.1f}' for s in back) or '-'} s"
        )
        return verdict

    def _replayed(self, one: Destination, wanted: Sequence[Event]) -> list[Event]:
        numbers = set() if one.replayed is None else self._load.between(*one.replayed)
        return [event for event in wanted if event.number in numbers]

    def _ledger(self, name: str) -> list[dict[str, Any]]:
        code, out, error = self._stand.offramp("failed", name, "--json", "-n", LEDGER)
        assert code == 0, error
        entries: list[dict[str, Any]] = json.loads(out)
        return entries


def play(timeline: Sequence[tuple[float, Callable[[], object]]]) -> None:
    """Do each at its moment, seconds from now."""
    began, never = time.monotonic(), threading.Event()
    for at, act in sorted(timeline, key=lambda one: one[0]):
        never.wait(max(0.0, began + at - time.monotonic()))
        act()


def moments(chance: random.Random, count: int, first: float, last: float) -> list[float]:
    """So many in this span, in order."""
    return sorted(chance.uniform(first, last) for _ in range(count))


def _share(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

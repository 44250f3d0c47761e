"""`offramp demo --outage`: the story of an outage, told while it happens, in about a minute.

An endpoint dies; the others do not notice; it is left alone; it comes back and gets all that it missed; the accounts
are equal, by what the endpoints themselves received.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from flows.demo import SEED, TICK_S, now_ms, write_destinations
from flows.demo_broker import Broker
from flows.demo_job import ChildJob, Stop
from flows.demo_receiver import Receiver
from flows.demo_shop import DISTINCT_IDS, EVENTS, PERSONS, Shop
from records import Status

SICK = "orders"
QUARANTINE = "quarantine: {periods_s: [6, 6, 6], errors_in_a_row: 10, min_samples: 10, disable_after: 100}\n"
"""Seconds where the default has minutes: nobody wants to watch those."""
STEP_S = 45.0
CALM_S = 8.0
OUTAGE_S = 15.0


class _GaveUpError(Exception):
    """Something that belongs to the story did not happen; the text says what."""


def demo_outage() -> int:
    """Tell the story.

    Returns:
        0, or 1 when it went otherwise than told.
    """
    console = Console(highlight=False, soft_wrap=True)
    with (
        tempfile.TemporaryDirectory(prefix="offramp-demo-") as name,
        Stop() as stop,
        Receiver(moody=False) as receiver,
        Broker((EVENTS, PERSONS, DISTINCT_IDS)) as broker,
    ):
        job = ChildJob(Path(name), broker.servers, stop)
        write_destinations(job.destinations, receiver.url)
        with (job.destinations / f"{SICK}.yaml").open("a", encoding="utf-8") as file:
            file.write(QUARANTINE)
        story = _Story(console, stop, job, receiver, broker)
        try:
            with job:
                story.tell()
        except _GaveUpError as error:
            console.print(f"the story went otherwise: {error}", markup=False)
            if not stop.asked:
                for line in job.end_of_log():
                    console.print(f"    {line}", markup=False)
            return 1
    return 0


class _Story:
    def __init__(self, console: Console, stop: Stop, job: ChildJob, receiver: Receiver, broker: Broker) -> None:
        self._console = console
        self._stop = stop
        self._job = job
        self._receiver = receiver
        self._broker = broker
        self._shop: Shop | None = Shop(SEED, now_ms())
        self._began = time.monotonic()
        broker.send(self._shop.opening())
        broker.flush()

    def tell(self) -> None:
        """All of it; raises _GaveUpError."""
        self._say("A shop sends events through Kafka; Offramp delivers them to three endpoints.")
        self._until("deliveries at all three", lambda: len(self._statuses()) == 3 and self._all("delivered"))
        self._pass(CALM_S)
        calm = self._others_ms()
        self._say(f"All three receive: {self._counts()}. An event takes {calm:.0f} ms to the others.")

        self._receiver.broken.add(SICK)
        self._say(f"Now '{SICK}' dies: it answers 500 to everything.")
        self._until("a quarantine", lambda: self._sick().state == "quarantined")
        self._say(f"It is quarantined: {self._sick().reason}.")
        self._pass(OUTAGE_S)
        owed, ill = self._sick().owed, self._others_ms()
        self._say(f"{owed} events are owed to it: positions in Kafka, no copies. The others still take {ill:.0f} ms.")

        self._receiver.broken.clear()
        self._say(f"'{SICK}' is back. At the next probe Offramp will see it.")
        self._until("its recovery", lambda: self._sick().state in ("live", "behind"))
        self._say("Three probes went well: it is sent to again, from where it was.")
        self._until("all that was owed", lambda: self._sick().state == "live" and self._sick().owed < 20)
        self._say(f"What it missed has been delivered, while new events went on: {self._counts()}.")

        self._shop = None
        self._until("equal accounts", self._settled)
        self._conclude()

    def _settled(self) -> bool:
        """Whether what each destination says of itself is complete, and what its endpoint counted."""
        statuses = self._statuses().values()
        return all(
            not one.owed
            and one.matched == one.delivered + one.failed + one.expired + one.skipped
            and self._receiver.accepted(one.id) == one.delivered
            for one in statuses
        )

    def _conclude(self) -> None:
        for one in self._statuses().values():
            self._console.print(
                f"         {one.id:<8} matched {one.matched} = delivered {one.delivered} + failed {one.failed}"
                f" + owed {one.owed}; the endpoint itself counted {self._receiver.accepted(one.id)}",
                markup=False,
            )
        failed = self._sick().failed
        ledger = f" {failed} failed before anybody knew: they stand in the ledger, for a replay." if failed else ""
        self._say(f"Nothing is lost, and the accounts are equal.{ledger}")

    def _statuses(self) -> dict[str, Status]:
        return {one.id: one for one in self._job.statuses()}

    def _sick(self) -> Status:
        return self._statuses()[SICK]

    def _all(self, count: str) -> bool:
        return all(getattr(one, count) for one in self._statuses().values())

    def _counts(self) -> str:
        return ", ".join(f"{one.id} {one.delivered}" for one in self._statuses().values())

    def _others_ms(self) -> float:
        found = [self._receiver.latency_ms(id) for id in self._statuses() if id != SICK]
        return max((one for one in found if one is not None), default=0.0)

    def _say(self, text: str) -> None:
        self._console.print(f"{time.monotonic() - self._began:5.1f} s  {text}", markup=False)

    def _pass(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self._until("the time", lambda: time.monotonic() >= until)

    def _until(self, what: str, look: Callable[[], object]) -> None:
        """Let the shop go on until something is so."""
        give_up_at = time.monotonic() + STEP_S
        looked_at = 0.0
        while self._job.running and not self._stop.wait(TICK_S):
            if self._shop is not None:
                self._broker.send(self._shop.until(now_ms()))
            if time.monotonic() - looked_at < 0.2:
                continue
            looked_at = time.monotonic()
            if look():
                return
            if looked_at > give_up_at:
                raise _GaveUpError(f"{what} did not come within {STEP_S:g} s")
        raise _GaveUpError("you asked for its end" if self._stop.asked else "the job broke")

"""`offramp demo`: a broker, a shop, three destinations and their endpoints on this machine, and the job between them.

Everything but the job runs in this process. Needs no network beyond loopback and leaves nothing behind.
"""

import math
import sys
import tempfile
import time
from collections import deque
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console

from flows.demo_broker import Broker
from flows.demo_job import ChildConsole, ChildJob, Stop, has_console
from flows.demo_receiver import Receiver
from flows.demo_screen import LineScreen, LiveScreen, Row, Screen, View, hints, summary
from flows.demo_shop import DISTINCT_IDS, EVENTS, PERSONS, Shop
from records import Status

SEED = 2026
DESTINATIONS = Path(__file__).parent / "demo_destinations"
PLACEHOLDER = "http://receiver.demo"
"""Stands in the destination files for the receiver's address, which is known when it listens."""
TICK_S = 0.01
SHOW_EVERY_S = 0.25
RATE_WINDOW_S = 5.0
START_TIMEOUT_S = 60.0


def demo(seconds: float | None) -> int:
    """Run until Ctrl-C, or for so many seconds from the first delivery on.

    Returns:
        0, or 1 when nothing was delivered or the job broke.
    """
    console = Console(highlight=False, soft_wrap=True)
    with (
        tempfile.TemporaryDirectory(prefix="offramp-demo-") as name,
        Stop() as stop,
        Receiver() as receiver,
        Broker((EVENTS, PERSONS, DISTINCT_IDS)) as broker,
    ):
        job = ChildJob(Path(name), broker.servers, stop)
        write_destinations(job.destinations, receiver.url)
        run = _Run(job, receiver, broker)
        pages = ChildConsole(Path(name), broker.servers, stop) if has_console() else None
        with job, pages or nullcontext(), _screen(console, job, pages) as screen:
            run.watch(screen, seconds, stop)
        return _conclude(console, run, stop)


class _Run:
    """What has happened so far."""

    def __init__(self, job: ChildJob, receiver: Receiver, broker: Broker) -> None:
        self.job = job
        self.events = 0
        self.seconds = 0.0
        self._receiver = receiver
        self._broker = broker
        self._shop = Shop(SEED, now_ms())
        self._delivered: dict[str, deque[tuple[float, int]]] = {}
        broker.send(self._shop.opening())
        broker.flush()

    def watch(self, screen: Screen, seconds: float | None, stop: Stop) -> None:
        """Make events and show what becomes of them, until it is time to end."""
        began = shown = time.monotonic()
        end_at = math.inf if seconds is None else began + START_TIMEOUT_S + seconds
        delivering = False
        while self.job.running and not stop.wait(TICK_S) and (now := time.monotonic()) < end_at:
            self.events += self._broker.send(self._shop.until(now_ms()))
            if now - shown < SHOW_EVERY_S:
                continue
            shown = now
            self.seconds = now - began
            statuses = self.job.statuses()
            rows = [Row(one, self._rate(one, now), self._receiver.latency_ms(one.id)) for one in statuses]
            screen.show(View(self.seconds, self.events, rows, self._receiver.arrivals()))
            if seconds is not None and not delivering and any(status.delivered for status in statuses):
                delivering = True
                end_at = now + seconds

    def _rate(self, status: Status, now: float) -> float:
        """Deliveries per second over the last few seconds."""
        counts = self._delivered.setdefault(status.id, deque())
        counts.append((now, status.delivered))
        while now - counts[0][0] > RATE_WINDOW_S:
            counts.popleft()
        since, before = counts[0]
        return (status.delivered - before) / (now - since) if now > since else 0.0


def write_destinations(folder: Path, url: str) -> None:
    """The demo's destinations, with the receiver at this address."""
    folder.mkdir()
    for file in DESTINATIONS.glob("*.yaml"):
        (folder / file.name).write_text(file.read_text("utf-8").replace(PLACEHOLDER, url), "utf-8")


def _screen(console: Console, job: ChildJob, pages: ChildConsole | None) -> Screen:
    kind = LiveScreen if console.is_terminal else LineScreen
    started_as = sys.argv[0]
    program = started_as if Path(started_as).name == "offramp" else "offramp"
    return kind(console, hints(program, job.destinations, job.state, "" if pages is None else pages.url))


def _conclude(console: Console, run: _Run, stop: Stop) -> int:
    """Say how it went."""
    statuses = run.job.statuses()
    for line in summary(statuses, run.events, run.seconds):
        console.print(line, markup=False)
    if not run.job.broke:
        if any(status.delivered for status in statuses):
            return 0
        if stop.asked:
            console.print("ended before anything was delivered")
            return 0
    console.print("the job broke" if run.job.broke else "nothing was delivered", "; the end of its log:", sep="")
    for line in run.job.end_of_log():
        console.print(f"    {line}", markup=False)
    return 1


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000

"""What does a `kill -9`, and what does a rolling restart cost under load? Two lines of a table, on a real Kafka.

    python -m bench.restart                          30 kills and 5 restarts, about 7 minutes
    python -m bench.restart --short                  4 kills, 1 restart
    python -m bench.restart --kills 100 --seed 7

One job with two healthy destinations, as a user gets them by default: one wants every event and answers at once; the
other wants every tenth and answers after 0.3 s, so that something is always on the wire. Every other kill comes
0.05 to 3 s after the job was started, also while it still starts; the others come after a long enough quiet to see it
back at full rate, and only what follows a quiet is timed. Then the same with SIGTERM: a new job starts when the old one
has ended.

* lost: events without a good answer. Both are judged by what the endpoints recorded, whatever the job says of itself.
* duplicates: good answers to an event that had one. At most: what may have been in flight, which is what was on the
  wire and what was answered after the last snapshot that counts. The oldest repeated: seconds from that answer to the
  kill, where snapshots are made every second.
* ids per event: the most different `webhook-id` that one event came with.
* back after: from the signal to the moment from which all events come young, under a second old; that is later than
  the moment when the usual number of requests comes again, since what has piled up in Kafka is through by then.

Aims: nothing lost; one id; after `kill -9` no more duplicates than were in flight, and back within 15 s; after SIGTERM
no duplicates.

`tests/chaos` kills a job too: there with destinations that fail in every way, which is what can go wrong, and so often
that it is hardly ever well in between, so that it cannot tell how long the way back is. Load, endpoints and verdict are
those of that folder; here the destinations are well, and the figures are what somebody wants to know before an upgrade.
"""

import argparse
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from bench.ages import back_at
from tests.chaos.arena import PARTITIONS, Destination, Load
from tests.chaos.endpoint import LATE, Endpoints
from tests.chaos.verdict import Case, Event, Kill, Receipt, Verdict, judge, read_record
from tests.integration.stand import Job, Stand
from tests.integration.topics import url
from tests.kafka_broker import KafkaBroker, MissingComponentError
from tests.receiver import Receiver

DESTINATIONS: Final = (Destination("quick", 1, 0), Destination("late", 10, 0))
QUIET_S: Final = 15.0
"""The aim: who is not back within it is not back."""
SHORT_QUIET_S: Final = 5.0
LONGEST_S: Final = 3.0
"""A run begins to send after about a second."""
WINDOW_S: Final = 3.0
"""An answer that came so long before a kill stands in a snapshot: that of the epoch of the moment, up to a second
later, which counts when the next one ends; and the machine may be busy."""


@dataclass(frozen=True)
class Line:
    """Of the table."""

    ends: int
    events: int
    lost: int
    ids: int
    back_s: list[float | None]
    verdict: Verdict


def main() -> None:
    """Measure, and print the table; the exit code is 1 when something is wrong with an event."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=30)
    options.add_argument("--restarts", type=int, default=5)
    options.add_argument("--per-s", type=int, default=500, help="events a second")
    options.add_argument("--seed", type=int, default=1, help="chooses the moments")
    options.add_argument("--short", action="store_true", help="4 kills and 1 restart, with less quiet between")
    asked = options.parse_args()
    kills, restarts = (4, 1) if asked.short else (asked.kills, asked.restarts)
    quiet_s = SHORT_QUIET_S if asked.short else QUIET_S
    chance = random.Random(asked.seed)

    def after_quiet() -> float:
        return quiet_s + chance.uniform(0, LONGEST_S)

    waits = [chance.uniform(0.05, LONGEST_S) if number % 2 else after_quiet() for number in range(kills)]
    print(
        f"{'':<9} {'times':>6} {'events':>8} {'lost':>5} {'duplicates':>11} {'at most':>8} {'oldest s':>9}"
        f" {'ids per event':>14} {'back after s: median':>21} {'max':>5}"
    )
    problems: list[str] = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            kafka = KafkaBroker(Path(folder))
            kafka.start()
            try:
                problems += _row("kill -9", measure(kafka, Job.kill, waits, quiet_s, asked.per_s))
                waits = [after_quiet() for _ in range(restarts)]
                problems += _row("SIGTERM", measure(kafka, terminate, waits, quiet_s, asked.per_s))
            finally:
                kafka.kill()
    except MissingComponentError as error:
        sys.exit(str(error))
    if problems:
        sys.exit("\n".join(problems))


def measure(
    kafka: KafkaBroker, end: Callable[[Job], object], waits: Sequence[float], quiet_s: float, per_s: int
) -> Line:
    """Run a job under load, end it after each wait and start it again, and judge what has arrived."""
    names = [one.name for one in DESTINATIONS]
    with tempfile.TemporaryDirectory() as name, Receiver() as unused, Endpoints(Path(name), names) as endpoints:
        endpoints.become("late", LATE)
        stand = Stand(Path(name), unused)
        for one in DESTINATIONS:
            stand.destination(one.name, one.when, more={}, url=endpoints.url(one.name))
        topic = kafka.create_topic(PARTITIONS)
        load = Load(kafka, topic, per_s)
        load.start()
        try:
            ends, events = _play(stand, ("--events", url(kafka, topic)), load, end, waits, quiet_s)
            status = stand.status()
        finally:
            stand.close()
        endpoints.close()
        record = read_record(endpoints.record)
    wanted = {one.name: [event for event in events if one.wants(event)] for one in DESTINATIONS}
    # An empty ledger: those who are well have no use for it, and an entry does not agree with their account.
    cases = [
        Case(name, wanted[name], status[name], [], one.at_once) for name, one in zip(names, DESTINATIONS, strict=True)
    ]
    verdict = judge(cases, record, ends if end is Job.kill else (), WINDOW_S)
    good = {(name, receipt.uuid) for name in names for receipt in record[name] if receipt.good}
    return Line(
        len(ends),
        len(events),
        sum((name, event.uuid) not in good for name in names for event in wanted[name]),
        max(_ids_per_event(record[name]) for name in names),
        _back_s(events, record["quick"], ends, quiet_s),
        verdict,
    )


def _play(
    stand: Stand,
    command: Sequence[object],
    load: Load,
    end: Callable[[Job], object],
    waits: Sequence[float],
    quiet_s: float,
) -> tuple[list[Kill], list[Event]]:
    """When it was ended, and what there was to deliver. All of it has been delivered then."""
    ends: list[Kill] = []
    job = stand.start(*command)
    for wait in (*waits, None):
        time.sleep(quiet_s if wait is None else wait)
        if not job.running():
            sys.exit(f"the job has ended by itself:\n{job.log}")
        if wait is not None:
            before = time.time()
            end(job)
            ends.append(Kill(before, time.time()))
            job = stand.start(*command)
    events = load.stop()
    terminate(job)
    code, out, log = stand.run(*command, "--until-end")
    if code:
        sys.exit(f"the last run has ended with {code}:\n{out}{log}")
    return ends, events


def terminate(job: Job) -> None:
    """SIGTERM, and wait for the end; the program ends when that is not a good one."""
    # A job that has only just been started knows no better end than that of every process, and has nothing to finish.
    if (code := job.terminate()) not in (0, -signal.SIGTERM):
        sys.exit(f"after SIGTERM the job has ended with {code}:\n{job.log}")


def _ids_per_event(receipts: Sequence[Receipt]) -> int:
    ids: dict[str, set[str]] = defaultdict(set)
    for receipt in receipts:
        ids[receipt.uuid].add(receipt.webhook_id)
    return max(map(len, ids.values()), default=0)


def _back_s(
    events: Sequence[Event], receipts: Sequence[Receipt], ends: Sequence[Kill], quiet_s: float
) -> list[float | None]:
    """How long each took that was followed by a quiet; None where it was not back by then."""
    sent_at = {event.uuid: event.at for event in events}
    arrivals = [(one.at, one.at - sent_at[one.uuid]) for one in receipts]
    found: list[float | None] = []
    last = Kill(ends[-1].after + quiet_s, 0.0) if ends else Kill(0.0, 0.0)
    for one, following in pairwise((*ends, last)):
        if following.before - one.after >= quiet_s:
            back = back_at(arrivals, one.after, following.before)
            found.append(None if back is None else back - one.before)
    return found


def _row(name: str, line: Line) -> list[str]:
    """Print it; returns what is wrong."""
    verdict = line.verdict
    back = [seconds for seconds in line.back_s if seconds is not None]
    never = len(line.back_s) - len(back)
    times = f"{statistics.median(back):>21.1f} {max(back):>5.1f}" if back else f"{'-':>21} {'-':>5}"
    print(
        f"{name:<9} {line.ends:>6} {line.events:>8,} {line.lost:>5} {verdict.duplicates:>11,} {verdict.bound:>8,}"
        f" {verdict.oldest_s:>9.2f} {line.ids:>14} {times}" + (f"  {never} times not at all" if never else ""),
        flush=True,
    )
    return [f"{name}: {problem}" for problem in verdict.problems]


if __name__ == "__main__":
    main()

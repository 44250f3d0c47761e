"""What became of every event, by the endpoints' record against the input: nothing else is believed.

Pure: it reads no file but the record.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

AFTER_DEATH_S = 0.5
"""What a dead job had sent is still read off the wire for a moment; no job is started and sends within it."""
_BIN_S = 0.5


class Event(NamedTuple):
    """One event of the input, as the broker has confirmed it."""

    uuid: str
    number: int
    person: str
    at: float
    """When it was handed to the producer."""


class Kill(NamedTuple):
    """`kill -9`: just before the signal, and when the process was gone."""

    before: float
    after: float


@dataclass
class Receipt:
    """One event in one request."""

    uuid: str
    webhook_id: str
    at: float
    """When it had come."""
    answered_at: float | None = None
    status: int | None = None
    """None: it was not answered, or not well-formed."""
    together: tuple[str, ...] = ()
    """All that were in the request."""
    gzip: bool = False
    """Whether its body was compressed."""
    version: int = 0
    """Of the destination's file, as the request says."""

    @property
    def good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def read_record(path: Path) -> dict[str, list[Receipt]]:
    """Receipts by endpoint, in the order of their coming."""
    receipts: dict[str, list[Receipt]] = defaultdict(list)
    open_: dict[int, list[Receipt]] = {}
    for line in path.read_text("utf-8").splitlines():
        entry = json.loads(line)
        if entry["path"] != f"/{entry['name']}":
            # Somebody followed a redirect.
            receipts[entry["path"]].append(Receipt(entry["uuids"][0], entry["webhook_id"], entry["at"]))
        elif entry["kind"] == "received":
            uuids = tuple(entry["uuids"])
            more = {"together": uuids, "gzip": entry["gzip"], "version": entry["version"]}
            came = [Receipt(uuid, entry["webhook_id"], entry["at"], **more) for uuid in uuids]
            open_[entry["request"]] = came
            receipts[entry["name"]] += came
        else:
            for receipt in open_.pop(entry["request"]):
                receipt.answered_at, receipt.status = entry["at"], entry["status"]
    return receipts


@dataclass
class Verdict:
    """`problems` is empty when all is well; the rest are figures for people."""

    problems: list[str] = field(default_factory=list)
    good: int = 0
    failed: int = 0
    duplicates: int = 0
    bound: int = 0
    oldest_s: float = 0.0
    """How long before a kill the oldest answer was whose event came again."""
    both: int = 0
    """Answered well and in the ledger: what a job was told after its last snapshot is forgotten when it is killed."""


@dataclass
class Case:
    """One destination's side of the input and of the job."""

    name: str
    wanted: Sequence[Event]
    """In the order of the log, within a person."""
    status: Mapping[str, Any]
    ledger: Sequence[Mapping[str, Any]]
    concurrency: int = 50
    """Events at once: a batch counts as all that are in it."""
    batch: bool = False
    ordered: bool = False
    gzip: bool = False
    """Whether each of its requests has to be compressed."""
    replayed: Sequence[Event] = ()
    """Those of `wanted` that a person has asked for again, once."""


def judge(
    cases: Iterable[Case], record: Mapping[str, Sequence[Receipt]], kills: Sequence[Kill], window_s: float
) -> Verdict:
    """Compare.

    An event may be answered well a second time only because of a kill: when its answer came `window_s` before the kill
    or later (so long a snapshot may be under way), or was on the wire. `bound` adds up, over kills and destinations,
    the concurrency and what was answered well in that time.
    """
    verdict = Verdict()
    ids: dict[str, tuple[str, tuple[str, ...]]] = {}
    cases = list(cases)
    for name in set(record) - {case.name for case in cases}:
        verdict.problems.append(f"{name}: {len(record[name])} requests that nobody asked for")
    for case in cases:
        _judge_one(case, record.get(case.name, []), kills, window_s, verdict, ids)
    if verdict.duplicates > verdict.bound:
        verdict.problems.append(f"{verdict.duplicates} duplicates, more than {verdict.bound}")
    return verdict


def _judge_one(
    case: Case,
    receipts: Sequence[Receipt],
    kills: Sequence[Kill],
    window_s: float,
    verdict: Verdict,
    ids: dict[str, tuple[str, tuple[str, ...]]],
) -> None:
    def problem(text: str, uuids: Iterable[str] = ()) -> None:
        some = sorted(uuids)
        shown = ", ".join(f"{numbers.get(uuid, '?')} ({uuid})" for uuid in some[:5])
        verdict.problems.append(f"{case.name}: {text}" + (f": {shown}" if some else ""))

    numbers = {event.uuid: event.number for event in case.wanted}
    by_event: dict[str, list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        by_event[receipt.uuid].append(receipt)
    good = {uuid: [one for one in came if one.good] for uuid, came in by_event.items()}
    good = {uuid: came for uuid, came in good.items() if came}
    listed = Counter(str(entry["event_uuid"]) for entry in case.ledger)

    if stray := set(by_event) - set(numbers):
        problem(f"{len(stray)} events came that its filter does not want", stray)
    if twice := [uuid for uuid, count in listed.items() if count > 1]:
        problem(f"{len(twice)} events are in the ledger twice", twice)
    if stray := set(listed) - set(numbers):
        problem(f"{len(stray)} events are in the ledger that its filter does not want", stray)

    # Every event has an answer, an entry, or is owed.
    lost = set(numbers) - set(good) - set(listed)
    owed, status = case.status["owed"], case.status
    if len(lost) > owed:
        problem(f"{len(lost)} events have no good answer and no entry in the ledger, and {owed} are owed", lost)
    both = set(good) & set(listed)
    verdict.both += len(both)
    if by_itself := [uuid for uuid in both if not _near(by_event[uuid], kills, window_s)]:
        problem(f"{len(by_itself)} events were answered well and are in the ledger, and no kill is to blame", by_itself)

    # The account of the job says the same.
    again = len(case.replayed)
    if status["matched"] != len(numbers) + again:
        problem(f"{status['matched']} matched, of {len(numbers)} that are wanted and {again} that were replayed")
    if not len(good) - len(both) <= status["delivered"] - again <= len(good):
        problem(f"{status['delivered']} delivered, {len(good)} answered well, {len(both)} of them in the ledger too")
    if not len(listed) - len(both) <= status["failed"] <= len(listed):
        problem(f"{status['failed']} failed, {len(listed)} are in the ledger, {len(both)} of them were answered well")
    if status["expired"] or status["skipped"]:
        problem(f"{status['expired']} expired and {status['skipped']} skipped")

    # One id for one event, and one for those that share a request; never that of others.
    for uuid, came in by_event.items():
        if not case.batch and len(seen := {one.webhook_id for one in came}) > 1:
            problem(f"{len(seen)} webhook-ids", [uuid])
    id_of: dict[tuple[str, ...], str] = {}
    for one in receipts:
        together = one.together or (one.uuid,)
        if not one.webhook_id or id_of.setdefault(together, one.webhook_id) != one.webhook_id:
            problem(f"webhook-id {one.webhook_id!r}, and {id_of.get(together, '')!r} for the same", together)
        if ids.setdefault(one.webhook_id, (case.name, together)) != (case.name, together):
            problem(f"webhook-id {one.webhook_id} is that of {ids[one.webhook_id]} too", together)
    if case.gzip and (plain := {one.uuid for one in receipts if not one.gzip}):
        problem(f"{len(plain)} events came in requests that were not compressed", plain)

    # Nothing comes again but what a kill has made the job forget.
    unexplained = []
    replayed = {event.uuid for event in case.replayed}
    if once := {uuid for uuid in replayed - set(listed) if len(good.get(uuid, ())) < 2}:
        problem(f"{len(once)} events were replayed and not answered well again", once)
    for uuid, answers in good.items():
        answers.sort(key=lambda one: one.answered_at or 0.0)
        pairs = list(pairwise(answers))
        if uuid in replayed and pairs:
            # One of them was asked for: the one that no kill explains.
            asked = next((pair for pair in pairs if _blame(*pair, kills, window_s) is None), None)
            pairs.remove(asked or pairs[-1])
        for first, second in pairs:
            verdict.duplicates += 1
            kill = _blame(first, second, kills, window_s)
            if kill is None:
                unexplained.append(uuid)
            elif first.answered_at is not None:
                verdict.oldest_s = max(verdict.oldest_s, kill.before - first.answered_at)
    if unexplained:
        problem(f"{len(unexplained)} times an event was answered well again, and no kill is to blame", unexplained)
    for kill in kills:
        settled = {
            one.uuid
            for came in good.values()
            for one in came
            if one.answered_at is not None and kill.before - window_s <= one.answered_at <= kill.after + AFTER_DEATH_S
        }
        verdict.bound += len(settled) + case.concurrency

    if case.ordered:
        _judge_order(case, good, kills, window_s, problem)
    verdict.good += len(good)
    verdict.failed += len(listed)


def _blame(first: Receipt, again: Receipt, kills: Sequence[Kill], window_s: float) -> Kill | None:
    for kill in kills:
        answered_at = first.answered_at or 0.0
        if kill.before - window_s <= answered_at <= kill.after + AFTER_DEATH_S and again.at > kill.before:
            return kill
    return None


def _near(receipts: Iterable[Receipt], kills: Sequence[Kill], window_s: float) -> bool:
    return any(
        kill.before - window_s <= (one.answered_at or one.at) and one.at <= kill.after + AFTER_DEATH_S
        for one in receipts
        for kill in kills
    )


def _judge_order(
    case: Case, good: Mapping[str, Sequence[Receipt]], kills: Sequence[Kill], window_s: float, problem: Any
) -> None:
    """Of one person's events none is answered well for the first time before an earlier one of the same person."""
    latest: dict[str, tuple[float, Event]] = {}
    wrong = []
    for event in case.wanted:
        if event.uuid not in good:
            continue
        first = good[event.uuid][0]
        before = latest.get(event.person)
        if before is not None and first.at < before[0] and not _near(good[event.uuid], kills, window_s):
            wrong.append(event.uuid)
        latest[event.person] = max(before or (0.0, event), (first.at, event))
    if wrong:
        problem(f"{len(wrong)} events were answered before an earlier one of the same person", wrong)


def lags(events: Sequence[Event], receipts: Sequence[Receipt]) -> list[float]:
    """Seconds from the producer to the first good answer, rising."""
    came = {event.uuid: event.at for event in events}
    first: dict[str, float] = {}
    for receipt in receipts:
        if receipt.good and receipt.uuid in came:
            first.setdefault(receipt.uuid, receipt.at)
    return sorted(at - came[uuid] for uuid, at in first.items())


def back_after(receipts: Sequence[Receipt], kill: Kill) -> float | None:
    """Seconds from a kill until the first half second in which an endpoint got 80 % of its usual number of requests."""
    bins = Counter(int((one.at - kill.before) // _BIN_S) for one in receipts)
    usual = median(bins.values()) if bins else 0
    return next((number * _BIN_S for number in sorted(bins) if number >= 1 and bins[number] >= 0.8 * usual), None)

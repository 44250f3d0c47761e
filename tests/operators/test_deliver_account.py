"""The real operator under random faults, crashes, commands and changes, in virtual time: the account holds after every
step, and at the end whatever matched was received, or is in the ledger, or was given up by somebody.
"""

import random
from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery import Reread
from records import (
    Attempt,
    Batch,
    Command,
    CommandKind,
    ErrorKind,
    FailuresTaken,
    Invocation,
    Outcome,
    Policy,
    Quarantine,
    RangeRead,
    Response,
    Span,
    Verdict,
)
from tests.operators.deliver_bench import CRM, OFF, Bench
from tests.operators.stand import STREAM, invocation

QUARANTINE = Quarantine(errors_in_a_row=3, min_samples=4, periods_s=(5, 10), probes=2, disable_after=4)
POLICY = Policy(outbox=6, retries=1, concurrency=4, quarantine=QUARANTINE)
POLICIES = [
    POLICY,
    msgspec.structs.replace(POLICY, batch=Batch(max=3, wait_ms=1000)),
    msgspec.structs.replace(POLICY, order="person"),
    msgspec.structs.replace(POLICY, rate=2.0),
]
OFTEN = ("read", "answer", "lane")
SELDOM = (
    *("wait", "break_", "heal", "save", "crash", "off", "on"),
    *("pause", "disable", "enable", "skip", "replay", "retry_failed", "retention"),
)


@dataclass
class Saved:
    """What a snapshot of the whole flow holds: the operator's state and the source's position."""

    state: bytes | None = None
    next_offset: int = 0
    ledger: set[int] = field(default_factory=set)
    commands: int = 0


@dataclass
class World:
    """A log of matches, the lane that reads it again, an endpoint, and one destination between them."""

    chance: random.Random
    bench: Bench
    next_offset: int = 0
    log_start: int = 0
    broken: bool = False
    commands: int = 0
    saved: Saved = field(default_factory=Saved)
    wishes: list[Reread] = field(default_factory=list)
    received: set[int] = field(default_factory=set)
    ledger: set[int] = field(default_factory=set)
    given_up: bool = False
    """Whether a person gave up what was missed, or the log forgot it: then not everything is received."""
    unwanted: set[int] = field(default_factory=set)
    """Positions that came while the destination was switched off in its file: nobody matched them."""
    failed_again: bool = False
    """Whether what is in the ledger was replayed by position and failed again: two failures, one entry."""

    def step(self, action: str) -> None:
        """Let one thing happen."""
        getattr(self, action)()
        self.look()

    def look(self) -> None:
        """A turn of the operator, and the account after it."""
        if not self.bench.logic._open:
            return  # Nothing has reached it yet.
        self.take(self.bench.logic.on_notify()[0])
        outbox = self.bench.logic._outbox
        counted = outbox.delivered + outbox.failed + outbox.owed + outbox.expired + outbox.skipped
        assert outbox.matched == counted
        assert outbox.owed >= 0
        assert outbox.failed == len(self.ledger) or self.failed_again
        assert len(outbox.held) <= 2 * POLICY.outbox + 64

    def take(self, results: Any) -> None:
        """What the operator tells."""
        for result in results:
            if isinstance(result, Outcome) and result.verdict is Verdict.FAILED:
                self.failed_again |= result.offset in self.ledger
                self.ledger.add(result.offset)
            elif isinstance(result, FailuresTaken):
                self.ledger -= set(result.offsets)
        self.wishes += self.bench.wishes()

    def give(self, *items: Any) -> None:
        if items:
            self.take(self.bench.logic.on_batch(list(items))[0])

    def read(self) -> None:
        count = self.chance.randrange(1, 6)
        matches = [invocation(self.next_offset + n) for n in range(count)]
        self.next_offset += count
        if self.bench.configured.find("crm") is not None:
            self.give(*matches)
        else:
            # Nobody matches for a destination that is switched off in its file.
            self.unwanted.update(one.offset for one in matches)

    def answer(self) -> None:
        wire = self.bench.transport.wire
        self.chance.shuffle(wire)
        ended = [wire.pop() for _ in range(min(len(wire), self.chance.randrange(1, 5)))]
        self.bench.transport._ended += [self.attempt(one) for one in ended]

    def attempt(self, sent: Invocation) -> Attempt:
        now = self.bench.clock()
        if self.broken:
            if self.chance.random() < 0.5:
                return Attempt(sent, now, 5.0, Response(500, {}, b"broken"))
            return Attempt(sent, now, 5.0, error=ErrorKind.CONNECT, detail="refused")
        if self.chance.random() < 0.1:
            return Attempt(sent, now, 5.0, Response(self.chance.choice([404, 429, 503]), {}, b""))
        carried = self.bench.logic._outbox.held.line._carried
        self.received.update(one.offset for one in carried.get(sent.id, [sent]))
        return Attempt(sent, now, 5.0, Response(200, {}, b""))

    def lane(self) -> None:
        if not self.wishes:
            return
        wish = self.wishes.pop(0)
        wanted = [o for o in range(wish.first, wish.last + 1) if wish.only is None or o in wish.only]
        gone = [o for o in wanted if o < self.log_start]
        there = [o for o in wanted if o >= self.log_start and o not in self.unwanted][: wish.limit]
        upto = wish.last + 1 if len(there) < wish.limit or there[-1] == wish.last else there[-1] + 1
        missing = len([o for o in gone if o < upto])
        self.given_up |= bool(missing)
        heard = self.bench.configured.find("crm") is not None
        found = [invocation(o, reread=True) for o in there] if heard else []
        self.give(*found, RangeRead("crm", wish.stream, wish.partition, upto, missing))

    def wait(self) -> None:
        self.bench.clock.advance(self.chance.choice([0.5, 3, 20]))

    def break_(self) -> None:
        self.broken = True

    def heal(self) -> None:
        self.broken = False

    def save(self) -> None:
        if self.bench.logic._open:
            # What the ledger may not have yet is owed by the snapshot.
            unlisted = {one.offset for one in self.bench.logic._outbox.unlisted}
            self.saved = Saved(self.bench.logic.snapshot(), self.next_offset, self.ledger - unlisted, self.commands)

    def crash(self) -> None:
        """Everything in memory is lost; the log is read from the saved position on, so offsets come again."""
        bench, saved = self.bench, self.saved
        bench.transport.wire, bench.transport._ended, self.wishes = [], [], []
        bench.wishes()
        bench.logic = type(bench.logic)(bench.shared, saved.state)
        # What the ledger has of after the snapshot comes again with its delivery.
        self.ledger, self.commands = set(saved.ledger), saved.commands
        if bench.configured.find("crm") is None:
            self.unwanted.update(range(saved.next_offset, self.next_offset))
        else:
            self.give(*(invocation(o) for o in range(saved.next_offset, self.next_offset) if o not in self.unwanted))

    def off(self) -> None:
        self.bench.configured.put("crm", OFF)

    def on(self) -> None:
        self.bench.configured.put("crm", CRM)

    def ask(self, kind: CommandKind, **more: Any) -> None:
        self.commands += 1
        self.give(Command(self.commands, "crm", kind, **more))

    def pause(self) -> None:
        self.ask(CommandKind.PAUSE)

    def disable(self) -> None:
        self.ask(CommandKind.DISABLE)

    def enable(self) -> None:
        self.ask(CommandKind.ENABLE)

    def skip(self) -> None:
        self.given_up = True
        self.ask(CommandKind.ENABLE, skip_missed=True)

    def replay(self) -> None:
        if self.next_offset:
            first = self.chance.randrange(self.next_offset)
            self.ask(CommandKind.REPLAY, spans=[Span(STREAM, 0, first, self.chance.randrange(first, self.next_offset))])

    def retry_failed(self) -> None:
        if self.ledger:
            only = sorted(self.ledger)
            self.ask(CommandKind.REPLAY, spans=[Span(STREAM, 0, only[0], only[-1], only)], failed=True)

    def retention(self) -> None:
        self.log_start = self.chance.randrange(self.log_start, self.next_offset + 1)


@settings(max_examples=400)
@given(
    st.lists(st.sampled_from((*OFTEN * 2, *SELDOM)), max_size=80),
    st.sampled_from(POLICIES),
    st.randoms(use_true_random=False),
)
def test_the_account_holds_whatever_happens(steps: list[str], policy: Policy, chance: random.Random) -> None:
    world = World(chance, Bench(policy))
    world.read()
    for step in steps:
        world.step(step)

    world.on()
    world.broken = False
    world.enable()
    for _ in range(3000):
        if not world.bench.logic._outbox.owed and not world.bench.logic._outbox.backlog:
            break
        for action in ("lane", "answer", "wait"):
            world.step(action)
    outbox = world.bench.logic._outbox
    assert outbox.owed == 0
    assert not outbox.backlog.ranges
    lost = set(range(world.next_offset)) - world.unwanted - world.received - world.ledger
    assert not lost or world.given_up

"""The real operator under random faults, crashes, commands and changes, in virtual time: the account holds after every
step, and at the end whatever matched was received, or is in the ledger, or was given up by somebody.
"""

import random
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery import Position, Reread
from records import (
    Attempt,
    Batch,
    Command,
    CommandKind,
    ErrorKind,
    FailuresTaken,
    Invocation,
    Missed,
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
ACTIONS = (
    *("read", "answer", "lane") * 8,
    *("wait", "break_", "heal", "save", "on", "enable") * 3,
    *("crash", "off", "pause", "disable", "skip", "replay", "retry_failed", "retention"),
)
"""As often as they stand here. With all of them equal, most worlds would stand still: paused, or given up."""


@dataclass
class Saved:
    """What a snapshot of the whole flow holds: the operator's state and the source's position."""

    state: bytes | None = None
    next_offset: int = 0
    counted: set[int] = field(default_factory=set)


@dataclass
class World:
    """A log of matches, the lane that reads it again, an endpoint, and one destination between them."""

    chance: random.Random
    bench: Bench
    next_offset: int = 0
    log_start: int = 0
    broken: bool = False
    commands: list[Command] = field(default_factory=list)
    saved: Saved = field(default_factory=Saved)
    wishes: list[Reread] = field(default_factory=list)
    received: set[int] = field(default_factory=set)
    ledger: dict[int, float] = field(default_factory=dict)
    """Positions, and when they failed. Like the real one it is on disk: a crash leaves it as it is."""
    counted: set[int] = field(default_factory=set)
    """Those that the operator counts as failed: after a crash there may be fewer, until everything came again."""
    given_up: set[int] = field(default_factory=set)
    """Positions that a person may have given up, or that the log has forgotten: they need not be received."""
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
        assert outbox.failed == len(self.counted) or self.failed_again
        assert self.counted <= set(self.ledger)
        assert len(outbox.held) <= 2 * POLICY.outbox + 64

    def take(self, results: Any) -> None:
        """What the operator tells."""
        for result in results:
            if isinstance(result, Outcome) and result.verdict is Verdict.FAILED:
                self.failed_again |= result.offset in self.counted
                self.counted.add(result.offset)
                self.ledger[result.offset] = result.at
            elif isinstance(result, FailuresTaken):
                self.take_out(result.offsets)
            if isinstance(result, Outcome) and result.listed:
                self.take_out([result.offset])
        self.wishes += self.bench.wishes()

    def take_out(self, offsets: list[int]) -> None:
        for offset in offsets:
            self.ledger.pop(offset, None)
            self.counted.discard(offset)

    def failed_since(self, since: float) -> list[Position]:
        return [Position(STREAM, 0, offset) for offset, at in self.ledger.items() if at > since]

    def give(self, *items: Any) -> None:
        if items:
            self.take(self.bench.logic.on_batch(list(items))[0])

    def read(self) -> None:
        count = self.chance.randrange(1, 6)
        matches = [invocation(self.next_offset + n) for n in range(count)]
        self.next_offset += count
        if self.bench.configured.find("crm") is None:
            # Nobody matches for a destination that is switched off in its file.
            self.unwanted.update(one.offset for one in matches)
        elif self.bench.progress.closed("crm") ^ (self.chance.random() < 0.1):
            # As `route` does, which may be late to know that it is closed, or open.
            self.give(Missed("crm", STREAM, 0, matches[0].offset, matches[-1].offset, count, 0))
        else:
            self.give(*matches)

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
        if self.chance.random() < 0.2:
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
            self.saved = Saved(self.bench.logic.snapshot(), self.next_offset, self.counted - unlisted)

    def crash(self) -> None:
        """Everything in memory is lost; the log is read from the saved position on, so offsets come again.

        So do the commands: the operator knows which it has carried out.
        """
        bench, saved = self.bench, self.saved
        bench.transport.wire, bench.transport._ended, self.wishes = [], [], []
        bench.wishes()
        shared = replace(bench.shared, failed_since=lambda _, since: self.failed_since(since))
        bench.logic = type(bench.logic)(shared, saved.state)
        self.counted = set(saved.counted)
        done = bench.logic._outbox.command if bench.logic._open else 0
        if any(command.skip_missed for command in self.commands[done:]):
            # What was on the wire at the snapshot counts as missed now.
            self.note_given_up()
        # Commands are laid ready before a source begins.
        self.give(*self.commands)
        if bench.configured.find("crm") is None:
            self.unwanted.update(range(saved.next_offset, self.next_offset))
        else:
            self.give(*(invocation(o) for o in range(saved.next_offset, self.next_offset) if o not in self.unwanted))

    def off(self) -> None:
        self.bench.configured.put("crm", OFF)

    def on(self) -> None:
        self.bench.configured.put("crm", CRM)

    def ask(self, kind: CommandKind, **more: Any) -> None:
        self.commands.append(Command(len(self.commands) + 1, "crm", kind, **more))
        self.give(self.commands[-1])

    def pause(self) -> None:
        self.ask(CommandKind.PAUSE)

    def disable(self) -> None:
        self.ask(CommandKind.DISABLE)

    def enable(self) -> None:
        self.ask(CommandKind.ENABLE)

    def note_given_up(self) -> None:
        for r in self.bench.logic._outbox.backlog.ranges if self.bench.logic._open else ():
            self.given_up.update(range(r.first, r.last + 1))

    def skip(self) -> None:
        self.note_given_up()
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
        self.given_up.update(range(self.log_start))


@pytest.mark.timeout(300)  # To find the smallest example of a failure takes long.
@settings(max_examples=400)
@given(
    st.lists(st.sampled_from(ACTIONS), min_size=20, max_size=100),
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
    lost = set(range(world.next_offset)) - world.unwanted - world.received - set(world.ledger)
    assert lost <= world.given_up
    assert set(world.ledger) - world.counted <= world.given_up | world.unwanted

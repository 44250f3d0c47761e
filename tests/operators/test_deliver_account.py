"""The real operator under random faults, crashes, commands and changes, in virtual time: the account holds after every
step, and at the end whatever matched was received, or is in the ledger, or was given up by somebody.
"""

import random
from collections.abc import Iterable, Sequence
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
    Invocation,
    Missed,
    Outcome,
    Policy,
    Quarantine,
    RangeRead,
    Response,
    Span,
    Together,
    Verdict,
)
from tests.operators.deliver_bench import CRM, OFF, Bench
from tests.operators.stand import STREAM, invocation

QUARANTINE = Quarantine(errors_in_a_row=3, min_samples=4, periods_s=(5, 10), probes=2, disable_after=4)
POLICY = Policy(outbox=6, retries=1, concurrency=4, quarantine=QUARANTINE)
POLICIES = (
    POLICY,
    msgspec.structs.replace(POLICY, batch=Batch(max=3, wait_ms=1000)),
    msgspec.structs.replace(POLICY, order="person"),
    msgspec.structs.replace(POLICY, rate=2.0),
)
ACTIONS = (
    *("read", "answer", "lane") * 8,
    *("wait", "break_", "heal", "save", "on", "enable") * 3,
    *("crash", "off", "off_and_on", "pause", "disable", "skip", "replay", "retry_failed", "retention", "edit", "cap"),
)
"""As often as they stand here. With all of them equal, most worlds would stand still: paused, or given up."""

Key = tuple[int, str]
"""A position, and the mapping."""
PLAIN = (("",),)
MAPPED = (("a",), ("a", "b"), ("b", "c"))
"""What the events at successive positions match."""
HELD_BACK = 4
"""With a frequency cap every fourth event is held back."""
IN_ORDER = (
    *("read", "answer", "lane") * 8,
    *("wait", "break_", "heal", "save", "enable", "crash") * 3,
    *("pause", "disable", "edit"),
)
"""What must not change the order of events."""


def key_of(one: Invocation | Outcome) -> Key:
    return one.offset, one.mapping


@dataclass
class Saved:
    """What a snapshot of the whole flow holds: the operator's state and the source's position."""

    state: bytes | None = None
    next_offset: int = 0
    counted: set[Key] = field(default_factory=set)


@dataclass
class Reading:
    """A re-read under way: what it has not brought yet, and its end."""

    wish: Reread
    left: list[int]
    mark: RangeRead


@dataclass
class World:
    """A log of matches, the lane that reads it again, an endpoint, and one destination between them."""

    chance: random.Random
    bench: Bench
    matching: tuple[tuple[str, ...], ...] = PLAIN
    capped: bool = False
    policies: Sequence[Policy] = POLICIES
    next_offset: int = 0
    held_back: set[int] = field(default_factory=set)
    log_start: int = 0
    broken: bool = False
    commands: list[Command] = field(default_factory=list)
    saved: Saved = field(default_factory=Saved)
    wishes: list[Reread] = field(default_factory=list)
    reading: Reading | None = None
    received: set[Key] = field(default_factory=set)
    ended: dict[Key, None] = field(default_factory=dict)
    """What was delivered or has failed for good, in the order in which each did so first."""
    ledger: dict[Key, float] = field(default_factory=dict)
    """Positions, and when they failed. Like the real one it is on disk: a crash leaves it as it is."""
    counted: set[Key] = field(default_factory=set)
    """Those that the operator counts as failed: after a crash there may be fewer, until everything came again."""
    given_up: set[int] = field(default_factory=set)
    """Positions that a person may have given up, or that the log has forgotten: they need not be received."""
    unwanted: set[int] = field(default_factory=set)
    """Positions that came while the destination was switched off in its file: nobody matched them."""
    asked_for: set[int] = field(default_factory=set)
    """Positions that somebody wanted to have sent again, whatever they are."""
    failed_again: bool = False
    """Whether what is in the ledger was replayed by position and failed again: two failures, one entry."""

    def step(self, action: str) -> None:
        """Let one thing happen. No two happen at the same moment: a snapshot's boundary is one."""
        self.bench.clock.advance(0.001)
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
        # A re-read is limited by messages, each of which several mappings may match.
        assert len(outbox.held) <= (2 * POLICY.outbox + 64) * max(map(len, self.matching))

    def take(self, results: Any) -> None:
        """What the operator tells."""
        for result in results:
            if isinstance(result, Outcome) and result.verdict is Verdict.FAILED:
                self.failed_again |= key_of(result) in self.counted
                self.counted.add(key_of(result))
                self.ledger[key_of(result)] = result.at
            if isinstance(result, Outcome) and result.verdict is not Verdict.RETRYING:
                self.ended.setdefault(key_of(result))
            if isinstance(result, Outcome) and result.listed:
                self.take_out([key_of(result)])
        self.wishes += self.bench.wishes()

    def take_out(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.ledger.pop(key, None)
            self.counted.discard(key)

    def failed_since(self, since: float) -> list[Position]:
        return [Position(STREAM, 0, *key) for key, at in self.ledger.items() if at > since]

    def made_of(self, offset: int, reread: bool = False, mapping: str = "") -> list[Any]:
        """As `route` makes it of an event: one invocation, or several together, or nothing."""
        names = [name for name in self.matching[offset % len(self.matching)] if mapping in ("", name)]
        made = [invocation(offset, reread=reread) for _ in names]
        for one, name in zip(made, names, strict=True):
            one.id, one.mapping, one.exact = f"{one.id}{name}", name, self.capped
            one.together = 0 if mapping else len(made)
        return made if len(made) < 2 else [Together("crm", made)]

    def passes(self, offset: int) -> bool:
        return offset not in self.held_back

    def all_keys(self) -> set[Key]:
        """What is to be received of the whole log."""
        return {
            (offset, name)
            for offset in range(self.next_offset)
            if self.passes(offset)
            for name in self.matching[offset % len(self.matching)]
        }

    def give(self, *items: Any) -> None:
        if items:
            self.take(self.bench.logic.on_batch(list(items))[0])

    def read(self) -> None:
        offsets = range(self.next_offset, self.next_offset + self.chance.randrange(1, 6))
        self.next_offset = offsets.stop
        if self.capped:
            self.held_back.update(offset for offset in offsets if offset % HELD_BACK == 0)
        passing = [offset for offset in offsets if self.passes(offset)]
        if self.bench.configured.find("crm") is None:
            # Nobody matches for a destination that is switched off in its file.
            self.unwanted.update(offsets)
        elif self.bench.progress.closed("crm") ^ (self.chance.random() < 0.1):
            # As `route` does, which may be late to know that it is closed, or open.
            matches = [(offset, len(self.matching[offset % len(self.matching)])) for offset in passing]
            if self.capped:
                self.give(*(Missed("crm", STREAM, 0, at, at, count, 0, exact=True) for at, count in matches))
            else:
                count = sum(count for _, count in matches)
                self.give(Missed("crm", STREAM, 0, offsets[0], offsets[-1], count, 0))
        else:
            self.give(*(item for offset in passing for item in self.made_of(offset)))

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
        carried = self.bench.logic._outbox.held.line._carried.get(sent.id, [])
        together = next((members for carrier, members in carried if carrier is sent), [sent])
        self.received.update(map(key_of, together))
        return Attempt(sent, now, 5.0, Response(200, {}, b""))

    def lane(self) -> None:
        """A part of a re-read, or all of it."""
        if self.reading is None and self.wishes:
            self.reading = self.reading_of(self.wishes.pop(0))
        reading = self.reading
        if reading is None:
            return
        count = self.chance.choice([len(reading.left), self.chance.randrange(len(reading.left) + 1)])
        now, reading.left = reading.left[:count], reading.left[count:]
        heard = self.bench.configured.find("crm") is not None
        found = [item for o in now for item in self.made_of(o, True, reading.wish.mapping)] if heard else []
        if reading.left:
            self.give(*found)
        else:
            self.reading = None
            self.give(*found, reading.mark)

    def reading_of(self, wish: Reread) -> Reading:
        wanted = [o for o in range(wish.first, wish.last + 1) if wish.only is None or o in wish.only]
        gone = [o for o in wanted if o < self.log_start]
        there = [o for o in wanted if o >= self.log_start and o not in self.unwanted][: wish.limit]
        upto = wish.last + 1 if len(there) < wish.limit or there[-1] == wish.last else there[-1] + 1
        missing = len([o for o in gone if o < upto])
        return Reading(wish, there, RangeRead("crm", wish.stream, wish.partition, upto, missing))

    def wait(self) -> None:
        self.bench.clock.advance(self.chance.choice([0.5, 3, 20]))

    def break_(self) -> None:
        self.broken = True

    def heal(self) -> None:
        self.broken = False

    def save(self) -> None:
        if self.bench.logic._open:
            # What the ledger may not have yet is owed by the snapshot.
            unlisted = {key_of(one) for one in self.bench.logic._outbox.unlisted}
            self.saved = Saved(self.bench.logic.snapshot(), self.next_offset, self.counted - unlisted)

    def crash(self) -> None:
        """Everything in memory is lost; the log is read from the saved position on, so offsets come again.

        So do the commands: the operator knows which it has carried out.
        """
        bench, saved = self.bench, self.saved
        bench.transport.wire, bench.transport._ended, self.wishes, self.reading = [], [], [], None
        bench.wishes()
        bench.clock.advance(0.001)
        shared = replace(
            bench.shared,
            failed_since=lambda _, since: self.failed_since(since),
        )
        bench.logic = type(bench.logic)(shared, saved.state)
        self.counted = set(saved.counted)
        done = bench.logic._outbox.command if bench.logic._open else 0
        if any(command.skip_missed for command in self.commands[done:]):
            # What was on the wire at the snapshot counts as missed now.
            self.note_given_up()
        # Commands are laid ready before a source begins.
        for command in self.commands[done:]:
            self.no_longer_counted(command)
        self.give(*self.commands)
        if not self.capped:
            # Decided again: without a cap nothing is held back.
            self.held_back -= set(range(saved.next_offset, self.next_offset))
        if bench.configured.find("crm") is None:
            self.unwanted.update(range(saved.next_offset, self.next_offset))
        else:
            again = [o for o in range(saved.next_offset, self.next_offset) if o not in self.unwanted and self.passes(o)]
            self.give(*(item for o in again for item in self.made_of(o)))

    def off(self) -> None:
        self.bench.configured.put("crm", OFF)

    def on(self) -> None:
        self.bench.configured.put("crm", CRM)

    def off_and_on(self) -> None:
        """For so short a time that the operator may have no turn meanwhile."""
        self.off()
        for _ in range(self.chance.randrange(3)):
            self.chance.choice([self.lane, self.read])()
        self.on()

    def edit(self) -> None:
        """Another policy, and in any case another configuration."""
        self.bench.policy = self.chance.choice(self.policies)
        if self.bench.configured.find("crm") is not None:
            self.on()

    def cap(self) -> None:
        """Add a frequency cap by an edit, or remove it."""
        self.capped = not self.capped
        self.edit()

    def ask(self, kind: CommandKind, **more: Any) -> None:
        self.commands.append(Command(len(self.commands) + 1, "crm", kind, **more))
        self.no_longer_counted(self.commands[-1])
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
            last = self.chance.randrange(first, self.next_offset)
            self.asked_for.update(range(first, last + 1))
            self.ask(CommandKind.REPLAY, spans=[Span(STREAM, 0, first, last)])

    def retry_failed(self) -> None:
        if self.ledger:
            spans = []
            for mapping in sorted({name for _, name in self.ledger}):
                only = sorted(offset for offset, name in self.ledger if name == mapping)
                times = [self.ledger[offset, mapping] for offset in only]
                spans.append(Span(STREAM, 0, only[0], only[-1], only, mapping, times))
            # They leave the ledger with the answer, before the command is carried out.
            self.ledger.clear()
            self.ask(CommandKind.REPLAY, spans=spans, failed=True)

    def no_longer_counted(self, command: Command) -> None:
        """What a command takes of the failures is owed again."""
        for span in command.spans if command.failed else ():
            self.counted -= {(offset, span.mapping) for offset in span.only or ()}

    def settle_all(self) -> None:
        """Let everything come to its end."""
        self.broken = False
        self.enable()
        for _ in range(3000):
            if not self.bench.logic._outbox.owed and not self.bench.logic._outbox.backlog:
                break
            for action in ("lane", "answer", "wait"):
                self.step(action)
            if self.bench.logic._outbox.health.stopped:
                # Some answers are bad to the end, and may have disabled it.
                self.enable()

    def retention(self) -> None:
        self.log_start = self.chance.randrange(self.log_start, self.next_offset + 1)
        self.given_up.update(range(self.log_start))


@pytest.mark.timeout(300)  # To find the smallest example of a failure takes long.
@settings(max_examples=400)
@given(
    st.lists(st.sampled_from(ACTIONS), min_size=20, max_size=100),
    st.sampled_from(POLICIES),
    st.sampled_from([PLAIN, MAPPED]),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_the_account_holds_whatever_happens(
    steps: list[str], policy: Policy, matching: tuple[tuple[str, ...], ...], capped: bool, chance: random.Random
) -> None:
    world = World(chance, Bench(policy), matching, capped)
    world.read()
    for step in steps:
        world.step(step)

    world.on()
    world.settle_all()
    outbox = world.bench.logic._outbox
    assert outbox.owed == 0
    assert not outbox.backlog.ranges
    lost = {offset for offset, _ in world.all_keys() - world.received - set(world.ledger)} - world.unwanted
    assert lost <= world.given_up
    assert {offset for offset, _ in set(world.ledger) - world.counted} <= world.given_up | world.unwanted
    held_back = {offset for offset, _ in world.received if not world.passes(offset)}
    assert held_back <= world.asked_for, "what a cap has held back is sent to nobody who did not ask for it"


@pytest.mark.timeout(300)
@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(IN_ORDER), min_size=20, max_size=100),
    st.sampled_from([PLAIN, MAPPED]),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_with_an_order_each_event_ends_before_the_next(
    steps: list[str], matching: tuple[tuple[str, ...], ...], capped: bool, chance: random.Random
) -> None:
    ordered = msgspec.structs.replace(POLICY, order="person")
    world = World(chance, Bench(ordered), matching, capped, (ordered,))
    world.read()
    for step in steps:
        world.step(step)
    world.settle_all()
    offsets = [offset for offset, _ in world.ended]
    assert offsets == sorted(offsets)

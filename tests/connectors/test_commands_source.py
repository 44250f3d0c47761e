"""Commands on their way from the journal to the flow: written, answered, emitted once."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, run_main

from connectors.commands import Answer, Commands, Position, Wish
from connectors.commands_source import CommandsPartition, CommandsSource, Read
from connectors.desk import FRESH_S, MOST_ASKING, Desk
from connectors.journal import Journal, JournalError
from connectors.lane import Beat, Beats, Pace
from records import Command, CommandKind, EndOfInput, Failure, Span
from tests.connectors.logs import MemoryLog, OpenGate

PAUSE = Wish(CommandKind.PAUSE, "ada")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    return path


@pytest.fixture
def commands(path: Path) -> Iterator[Commands]:
    with Commands(path) as opened:
        yield opened


def desk_of(path: Path, *logs: MemoryLog, **more: object) -> Desk:
    unknown = lambda id: "" if id in ("crm", "ads") else f"there is no destination '{id}'"  # noqa: E731
    # Patient, so that one look is enough however busy the machine is.
    more = {"patience_s": 30.0} | more
    return Desk(Commands(path), {log.stream: log for log in logs}, unknown, **more)  # type: ignore[arg-type]


def taken(desk: Desk) -> list[int]:
    desk.look()
    return [command.id for command in desk.take()]


def test_a_wish_is_answered_and_becomes_a_command(path: Path, commands: Commands) -> None:
    id = commands.add("crm", Wish(CommandKind.ENABLE, "ada", skip_missed=True))
    assert commands.answer_of(id) is None
    desk = desk_of(path)
    assert desk.begin(None) == 0
    assert not desk.looked()
    desk.look()
    assert desk.looked()
    assert commands.answer_of(id) == Answer()
    assert desk.take() == [Command(id, "crm", CommandKind.ENABLE, "ada", skip_missed=True)]
    assert taken(desk) == []
    desk.close()


def test_a_replay_gets_its_spans_from_the_log(path: Path, commands: Commands) -> None:
    log = MemoryLog("kafka:events", dict.fromkeys(range(10), b"{}"))
    log.times = {at: 100.0 + at for at in range(10)}
    dry = commands.add("crm", Wish(CommandKind.REPLAY, since=103.0, until=105.0, dry=True))
    wet = commands.add("crm", Wish(CommandKind.REPLAY, since=103.0))
    desk = desk_of(path, log)
    desk.begin(None)
    assert taken(desk) == [wet]
    assert commands.answer_of(dry) == Answer("", [Span("kafka:events", 0, 3, 4)], 2)
    assert commands.answer_of(wet) == Answer("", [Span("kafka:events", 0, 3, 9)], 7)
    desk.close()


def test_a_replay_is_of_what_the_destination_takes(path: Path, commands: Commands) -> None:
    logs = [MemoryLog(f"kafka:{name}", dict.fromkeys(range(10), b"{}")) for name in ("events", "persons")]

    def refused(destination: str, stream: str) -> str:
        return "" if (destination, stream) == ("crm", "kafka:persons") else f"not {stream}"

    of_all = commands.add("crm", Wish(CommandKind.REPLAY, since=0.0))
    of_one = commands.add("crm", Wish(CommandKind.REPLAY, first=Position("persons", 0, 3)))
    of_another = commands.add("crm", Wish(CommandKind.REPLAY, first=Position("events", 0, 3)))
    of_nothing = commands.add("ads", Wish(CommandKind.REPLAY, since=0.0))
    desk = desk_of(path, *logs, refused=refused)
    desk.begin(None)
    assert taken(desk) == [of_all, of_one]
    assert commands.answer_of(of_all) == Answer("", [Span("kafka:persons", 0, 0, 9)], 10)
    assert commands.answer_of(of_one) == Answer("", [Span("kafka:persons", 0, 3, 9)], 7)
    assert commands.answer_of(of_another) == Answer("not kafka:events")
    assert commands.answer_of(of_nothing) == Answer("nothing to replay: none of the inputs is for this destination")
    desk.close()


def test_positions_that_the_wish_brings_are_taken_as_they_are(path: Path, commands: Commands) -> None:
    spans = [Span("kafka:events", 0, 3, 9, [3, 7, 9])]
    id = commands.add("crm", Wish(CommandKind.REPLAY, spans=spans))
    desk = desk_of(path)
    desk.begin(None)
    desk.look()
    assert desk.take() == [Command(id, "crm", CommandKind.REPLAY, spans=spans)]
    assert commands.answer_of(id) == Answer("", [], 3)
    desk.close()


def test_what_is_to_be_sent_again_leaves_the_ledger_with_the_answer(path: Path, commands: Commands) -> None:
    """What the flow tells of it comes later, and a crash may take that away."""
    failures = [
        Failure("crm", f"msg_{n}{mapping}", 100.0 + n, "kafka:events", 0, n, "u", "e", 4, "no", 404, mapping=mapping)
        for n in (3, 5, 9)
        for mapping in ("", "lead")
    ]
    journal = Journal(path, clock=lambda: 200.0)
    journal.write(failures)
    spans = [Span("kafka:events", 0, 3, 9, [3, 9], "lead")]
    commands.add("crm", Wish(CommandKind.REPLAY, spans=spans, failed=True, dry=True))
    desk = desk_of(path)
    desk.begin(0)
    desk.look()
    assert journal.count_failures("crm") == 6
    asked = [commands.add("crm", Wish(CommandKind.REPLAY, spans=spans, failed=True)) for _ in range(2)]
    desk.look()
    found = Span("kafka:events", 0, 3, 9, [3, 9], "lead", [103.0, 109.0])
    assert desk.take() == [Command(asked[0], "crm", CommandKind.REPLAY, spans=[found], failed=True)]
    assert commands.answer_of(asked[0]) == Answer("", [found], 2)
    second = commands.answer_of(asked[1])
    assert second is not None
    assert second.error == "nothing of it is in the ledger any more: another replay has it"
    left = {(stored.failure.offset, stored.failure.mapping) for stored in journal.failures("crm")}
    assert left == {(3, ""), (5, ""), (5, "lead"), (9, "")}
    journal.close()
    desk.close()


def test_what_cannot_be_done_is_answered_and_never_emitted(path: Path, commands: Commands) -> None:
    asked = [
        ("cmr", PAUSE, "there is no destination 'cmr'"),
        ("ads", PAUSE, "destination 'ads' does not run"),
        ("ads", Wish(CommandKind.REPLAY, since=1.0), "nothing to replay: no input has a message of that time"),
    ]
    ids = [commands.add(id, wish) for id, wish, _ in asked]
    desk = desk_of(path, MemoryLog("kafka:e", {}), idle=lambda id: f"destination '{id}' does not run")
    desk.begin(None)
    assert taken(desk) == []
    assert [commands.answer_of(id) for id in ids] == [Answer(error) for _, _, error in asked]
    desk.close()


def test_a_log_that_fails_is_answered_and_what_comes_behind_goes_on(path: Path, commands: Commands) -> None:
    class Broken(MemoryLog):
        def partitions(self) -> list[int]:
            raise OSError("disk on fire")

    first = commands.add("crm", Wish(CommandKind.REPLAY, since=1.0))
    second = commands.add("crm", PAUSE)
    desk = desk_of(path, Broken("kafka:e", {}))
    desk.begin(None)
    assert taken(desk) == [second]
    answer = commands.answer_of(first)
    assert answer is not None
    assert answer.error == "what to replay could not be found out: OSError; the job's log says more"
    desk.close()


def test_a_wish_of_another_version_is_refused(path: Path, commands: Commands) -> None:
    with commands._using() as connection:
        connection.execute("""INSERT INTO commands (at, destination, wish) VALUES (1, 'crm', '{"kind": "dance"}')""")
    desk = desk_of(path)
    desk.begin(0)
    assert taken(desk) == []
    answer = commands.answer_of(1)
    assert answer is not None
    assert answer.error == "this version of the job does not know the command; upgrade it"
    desk.close()


class SlowLog(MemoryLog):
    """Answers when a test lets it."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream, dict.fromkeys(range(10), b"{}"))
        self.asked = threading.Semaphore(0)
        self.answers = threading.Event()

    def offset_at(self, partition: int, time_s: float) -> int:
        self.asked.release()
        assert self.answers.wait(30)
        return 3


def when_resolved(desk: Desk) -> list[int]:
    """What is laid ready once nothing is being asked any more."""
    for thread in desk._asking.values():
        thread.join(30)
    return taken(desk)


def test_a_log_that_answers_slowly_holds_up_its_own_destination_only(path: Path, commands: Commands) -> None:
    log = SlowLog("kafka:e")
    desk = desk_of(path, log, patience_s=0.0)
    desk.begin(None)
    slow = commands.add("crm", Wish(CommandKind.REPLAY, since=1.0))
    behind = commands.add("crm", PAUSE)
    other = commands.add("ads", PAUSE)
    assert taken(desk) == [other]
    assert log.asked.acquire(timeout=30)
    later = commands.add("crm", Wish(CommandKind.CANCEL_REPLAYS))
    second = commands.add("ads", Wish(CommandKind.REPLAY, since=1.0))
    assert taken(desk) == []
    assert log.asked.acquire(timeout=30), "a replay waits for nobody else's either"
    assert [commands.answer_of(id) for id in (slow, behind, later, second)] == [None] * 4
    assert not desk.looked()
    log.answers.set()
    assert when_resolved(desk) == [slow, behind, later, second]
    assert desk.looked()
    desk.close()


def test_so_many_logs_are_asked_at_a_time_and_what_asks_none_does_not_wait(path: Path, commands: Commands) -> None:
    log = SlowLog("kafka:e")
    desk = Desk(Commands(path), {log.stream: log}, lambda _: "", patience_s=0.0)
    desk.begin(None)
    replays = [commands.add(f"d{number}", Wish(CommandKind.REPLAY, since=1.0)) for number in range(MOST_ASKING + 1)]
    pause = commands.add("crm", PAUSE)
    assert taken(desk) == [pause]
    assert len(desk._asking) == MOST_ASKING
    log.answers.set()
    assert [*when_resolved(desk), *when_resolved(desk)] == replays
    desk.close()


def test_a_restart_lays_out_again_what_was_overtaken_and_what_overtook_it(path: Path, commands: Commands) -> None:
    log = SlowLog("kafka:e")
    desk = desk_of(path, log, patience_s=0.0)
    part = CommandsSource(desk, OpenGate()).build_part("commands", "commands", None)
    first = commands.add("ads", PAUSE)
    slow = commands.add("crm", Wish(CommandKind.REPLAY, since=1.0))
    other = commands.add("ads", PAUSE)
    desk.look()
    assert [item.id for _, item in part.next_batch() if isinstance(item, Command)] == [first, other]
    assert part.snapshot() == first, "what was not emitted yet would be passed over"
    log.answers.set()
    assert when_resolved(desk) == [slow]
    part.next_batch()
    assert part.snapshot() == other
    desk.close()
    again = desk_of(path, log)
    again.begin(first)
    assert taken(again) == [slow, other]
    again.close()


def test_the_watch_holds_up_no_command(path: Path, commands: Commands) -> None:
    watching, over = threading.Event(), threading.Event()

    def watch() -> None:
        watching.set()
        over.wait(30)

    desk = desk_of(path, watch=watch)
    desk.begin(None)
    desk.start()
    assert watching.wait(30)
    id = commands.add("crm", PAUSE)
    give_up_at = time.monotonic() + 30
    while commands.answer_of(id) is None:
        assert time.monotonic() < give_up_at
        time.sleep(0.01)
    over.set()
    desk.close()


def test_after_a_restart_it_goes_on_behind_the_last_one(path: Path, commands: Commands) -> None:
    ids = [commands.add("crm", PAUSE) for _ in range(3)]
    desk = desk_of(path)
    assert desk.begin(ids[1]) == ids[1]
    assert taken(desk) == [ids[2]]
    desk.close()


def test_a_state_that_begins_anew_carries_out_only_what_is_fresh(path: Path) -> None:
    now = [1_000_000.0]
    with Commands(path, clock=lambda: now[0]) as commands:
        old = commands.add("crm", PAUSE)
        now[0] += FRESH_S + 1
        new = commands.add("crm", PAUSE)
    desk = desk_of(path, clock=lambda: now[0])
    assert desk.begin(None) == old, "so that the next snapshot passes over it, too"
    assert taken(desk) == [new]
    desk.close()


def test_a_journal_that_was_made_anew_goes_on_with_higher_numbers(path: Path, commands: Commands) -> None:
    assert [commands.add("crm", PAUSE) for _ in range(2)] == [1, 2]
    desk = desk_of(path)
    desk.begin(50)
    assert taken(desk) == [51, 52]
    assert commands.add("crm", PAUSE) == 53
    desk.begin(50)
    assert commands.add("crm", PAUSE) == 54, "once is enough"
    desk.close()


def test_no_journal_is_made_for_a_command(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="unable to open database file"):
        Commands(tmp_path / "journal.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_waited_for(path: Path, commands: Commands) -> None:
    import sqlite3

    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.5, lambda: holder.execute("COMMIT"))
    timer.start()
    assert commands.add("crm", PAUSE) == 1
    timer.join()
    holder.close()


def partition(path: Path, gate: OpenGate, ids: list[str] | None = None) -> tuple[Desk, CommandsPartition]:
    desk = desk_of(path)
    source = CommandsSource(desk, gate, None if ids is None else lambda: ids)
    assert source.list_parts() == ["commands"]
    return desk, source.build_part("commands", "commands", None)


def test_each_goes_to_its_destination_and_the_snapshot_is_the_last_one(path: Path, commands: Commands) -> None:
    desk, part = partition(path, OpenGate())
    assert (part.next_batch(), part.snapshot()) == ([], 0)
    ids = [commands.add(destination, PAUSE) for destination in ("crm", "ads")]
    desk.look()
    crm, ads = (Command(id, of, CommandKind.PAUSE, "ada") for id, of in zip(ids, ("crm", "ads"), strict=True))
    assert part.next_batch() == [("crm", crm), ("ads", ads)]
    assert part.snapshot() == ids[1]
    desk.close()


def test_stopping_ends_at_once(path: Path) -> None:
    gate = OpenGate()
    desk, part = partition(path, gate)
    gate.ending = True
    with pytest.raises(StopIteration):
        part.next_batch()
    desk.close()


def test_with_an_end_everything_from_before_the_start_comes_before_the_mark(path: Path, commands: Commands) -> None:
    gate = OpenGate()
    desk, part = partition(path, gate, ["crm", "ads"])
    gate.settled = True
    id = commands.add("crm", PAUSE)
    assert part.next_batch() == [], "not looked yet"
    desk.look()
    command = Command(id, "crm", CommandKind.PAUSE, "ada")
    marks = [("crm", EndOfInput("commands", "crm")), ("ads", EndOfInput("commands", "ads"))]
    assert part.next_batch() == [("crm", command), *marks]
    gate.settled = False
    assert part.next_batch() == []
    later = commands.add("ads", PAUSE)
    desk.look()
    gate.settled = True
    assert part.next_batch() == [("ads", Command(later, "ads", CommandKind.PAUSE, "ada"))]
    with pytest.raises(StopIteration):
        part.next_batch()
    desk.close()


def test_an_idle_source_is_called_in_step_with_the_others(path: Path) -> None:
    desk = desk_of(path)
    beats = Beats(1.0)
    part = CommandsPartition(desk, 0, OpenGate(), pace=Pace(Beat(beats)))
    part.next_batch()
    awake = part.next_awake()
    assert awake is not None
    assert awake.timestamp() - time.time() < 0.1
    desk.close()


def run(path: Path, state: Path) -> list[int]:
    """One run of the engine until all commands are out; which ones it emitted."""
    gate = OpenGate()
    gate.settled = True
    desk = desk_of(path)
    desk.start()
    out: list[Read] = []
    flow = Dataflow("flow")
    op.output("out", op.input("commands", flow, CommandsSource(desk, gate, lambda: ["crm"])), TestingSink(out))
    run_main(flow, epoch_interval=timedelta(0), recovery_config=RecoveryConfig(state))
    desk.close()
    return [item.id for _, item in out if isinstance(item, Command)]


def test_the_engine_emits_each_command_once(path: Path, commands: Commands, tmp_path: Path) -> None:
    state = tmp_path / "recovery"
    state.mkdir()
    init_db_dir(state, 1)
    first = [commands.add("crm", PAUSE) for _ in range(3)]
    assert run(path, state) == first
    assert run(path, state) == []
    more = [commands.add("crm", PAUSE), commands.add("crm", Wish(CommandKind.CANCEL_REPLAYS))]
    assert run(path, state) == more

"""When sources read on, when they wait, and when everything is settled."""

import msgspec

from delivery import Load, Progress
from delivery.progress import FULL_S, PENDING_IN_ALL, PENDING_PER_DESTINATION
from delivery.strain import Strain


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def full(slow: bool = False) -> Load:
    return Load(unfinished=PENDING_PER_DESTINATION > 0, pending=PENDING_PER_DESTINATION, slow=slow)


def test_sources_wait_while_this_process_is_the_bottleneck() -> None:
    clock = Clock()
    progress = Progress(clock, busy=lambda: True)
    for _ in range(10):
        clock.now += FULL_S
        assert not progress.report("crm", full()), "it is not slow by itself"
        assert not progress.may_read()
    progress.report("crm", Load(unfinished=True, pending=9, slow=False))
    assert progress.may_read()


def test_nobody_waits_for_a_destination_that_stays_full_while_this_process_is_idle() -> None:
    clock = Clock()
    progress = Progress(clock, busy=lambda: False)
    assert not progress.report("slow", full())
    assert not progress.may_read()
    clock.now += FULL_S
    assert progress.report("slow", full())
    assert progress.may_read()


def test_nobody_waits_for_an_endpoint_that_hangs_or_fails() -> None:
    progress = Progress(Clock(), busy=lambda: True)
    assert progress.report("hanging", full(slow=True))
    assert progress.may_read()


def test_late_answers_are_blamed_on_the_endpoint_only_while_this_process_has_time_to_spare() -> None:
    busy = [True]
    progress = Progress(Clock(), busy=lambda: busy[0])
    late = Load(unfinished=True, pending=PENDING_PER_DESTINATION, slow=False, late=True)
    assert not progress.report("crm", msgspec.structs.replace(late))
    assert not progress.may_read()
    busy[0] = False
    assert progress.report("crm", msgspec.structs.replace(late)), "the sources have waited, and it is still late"
    busy[0] = True
    assert progress.report("crm", msgspec.structs.replace(late)), "reading on makes the process busy again"
    assert not progress.report("crm", full())


def test_sources_wait_when_all_together_have_too_much_in_hand() -> None:
    progress = Progress(Clock(), busy=lambda: True)
    each = PENDING_PER_DESTINATION // 2
    for number in range(PENDING_IN_ALL // each):
        assert progress.may_read()
        progress.report(f"d{number}", Load(unfinished=each > 0, pending=each, slow=False))
    assert not progress.may_read()
    progress.forget("d0")
    assert progress.may_read()


def test_strain_is_the_share_of_a_core_or_being_late() -> None:
    clock, cpu = Clock(), Clock()
    late = [0.0]
    strain = Strain(lambda: late[0], clock, cpu)
    assert not strain.busy()
    clock.now += 1
    cpu.now += 0.9
    assert strain.busy()
    clock.now += 1
    cpu.now += 0.1
    assert not strain.busy()
    clock.now += 1
    late[0] = 0.02
    assert strain.busy(), "others use the core: what is due comes late"


def test_drained_means_every_mark_has_arrived_and_nothing_is_owed() -> None:
    progress = Progress(Clock())
    progress.part_opened("t/0")
    progress.part_opened("t/1")
    assert not progress.drained()
    progress.part_ended("t/0", ["a", "b"])
    progress.part_ended("t/1", ["a"])
    assert not progress.drained()
    for part, destination in (("t/0", "a"), ("t/0", "b")):
        progress.part_reached(part, destination)
    assert not progress.drained()
    progress.report("a", Load(unfinished=True, pending=0, slow=False))
    progress.part_reached("t/1", "a")
    assert not progress.drained(), "one match still waits for its retry"
    progress.report("a", Load(unfinished=False, pending=0, slow=False))
    assert progress.drained()


def test_a_removed_destination_is_waited_for_no_longer() -> None:
    progress = Progress(Clock())
    progress.part_ended("t/0", ["a"])
    assert not progress.drained()
    progress.forget("a")
    assert progress.drained()

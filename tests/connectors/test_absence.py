"""Whether the brokers say that a partition is not there, and for how long they have said so."""

import time
from collections.abc import Callable, Collection

from connectors.absence import ASK_EVERY_S, STALE_S, Absence


class Brokers:
    """Answer at once, with what a test says; None is no answer."""

    def __init__(self) -> None:
        self.there: Collection[int] | None = {0, 1}
        self.asked = 0
        self.now = 1000.0
        self.absence = Absence(self.ask, lambda: self.now)

    def ask(self) -> Collection[int] | None:
        self.asked += 1
        return self.there

    def after(self, seconds: float, partition: int = 1) -> float:
        """What is known so much later, once the answer has come."""
        self.now += seconds
        self.absence.gone_s(partition)
        give_up_at = time.monotonic() + 20
        while self.absence.asking:
            assert time.monotonic() < give_up_at
            time.sleep(0.001)
        return self.absence.gone_s(partition)


def gone(brokers: Brokers, seconds: float) -> float:
    """The same answer for so long."""
    for _ in range(int(seconds / ASK_EVERY_S)):
        brokers.after(ASK_EVERY_S)
    return brokers.after(0)


def test_it_is_gone_for_as_long_as_the_brokers_say_so() -> None:
    brokers = Brokers()
    assert gone(brokers, 60) == 0
    brokers.there = {0}
    assert gone(brokers, 60) == 60 - ASK_EVERY_S
    assert brokers.after(0, partition=0) == 0
    brokers.there = {0, 1}
    assert brokers.after(ASK_EVERY_S) == 0


def test_no_answer_proves_nothing_and_what_was_said_before_it_no_more() -> None:
    brokers = Brokers()
    brokers.there = None
    assert gone(brokers, 600) == 0
    brokers.there = set()
    assert gone(brokers, 50) > 0
    brokers.there = None
    assert brokers.after(ASK_EVERY_S) == 0
    brokers.there = set()
    assert brokers.after(ASK_EVERY_S) == 0


def test_two_answers_far_apart_prove_nothing_of_the_time_between() -> None:
    brokers = Brokers()
    brokers.there = set()
    assert gone(brokers, 60) > 0
    brokers.now += STALE_S + 1
    assert brokers.absence.gone_s(1) == 0
    assert brokers.after(0) == 0


def test_it_asks_now_and_then_and_a_question_that_breaks_is_no_answer() -> None:
    brokers = Brokers()
    for _ in range(10):
        brokers.after(ASK_EVERY_S / 5)
    assert brokers.asked == 2

    def broken() -> Collection[int]:
        raise OSError

    ask: Callable[[], Collection[int]] = broken
    brokers.absence = Absence(ask, lambda: brokers.now)
    assert brokers.after(ASK_EVERY_S) == 0
    assert brokers.after(ASK_EVERY_S) == 0

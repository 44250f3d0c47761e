"""The fences of an evaluation: how long it may take, and how large its values may become.

Sizes are checked before the memory is taken. The sums over one evaluation are kept by `hog.runtime.run`. To make one
takes longer than most filters do, so an expression that calls little goes without until it meets something large.
Outside of evaluations each value is bounded by itself.
"""

import sys
from contextvars import ContextVar
from dataclasses import dataclass
from types import FrameType
from typing import Final, Protocol

from hog.runtime.errors import LimitFailure

MAX_MEMORY_BYTES: Final = 64 * 1024 * 1024
MAX_ITEMS: Final = 1_000_000
"""Items of one array."""
MAX_ARGUMENTS: Final = 300
"""Arguments of one call."""
MAX_INTEGER_BITS: Final = 4096
"""Bits of one integer: far more than any identifier, few enough to compute and print at once."""
MAX_DIGITS: Final = 1_200
"""Digits of an integer in a text; about as many as `MAX_INTEGER_BITS` allows."""
SMALL: Final = 4096
"""Values of fewer bytes or items than this are not counted one by one; what they cost shows in the time."""
FEW: Final = 32
"""The same for items that are looked at one by one in Python, and for text that is worked on in Python."""
ITEM_BYTES: Final = 8
"""An item of an array, as the language counts it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The budgets of one evaluation."""

    time_s: float = 0.55
    """Time in which the program itself runs: waiting for a response is not counted."""
    steps: int = 50_000_000
    """Turns of loops and calls of functions."""
    memory_bytes: int = MAX_MEMORY_BYTES
    """An estimate of what the program's values take."""
    depth: int = 1000
    """Calls within calls."""
    fetches: int = 5


EXPRESSION_LIMITS: Final = Limits(time_s=0.1, depth=200, fetches=0)
"""For filters and templates: they are evaluated where events wait behind them."""


LOOK_UNITS: Final = 20_000
"""Characters or items that library functions work on between two looks at the clock."""
CODE: Final = "<hog>"
"""The file name that compiled code carries: by it errors find their place, and the stack tells of an evaluation."""


class BudgetNeededError(LimitFailure):
    """Something large is about to be done and nobody counts it: the evaluation has to begin anew, within a budget."""


class Budget(Protocol):
    """What an evaluation under way is asked; see `hog.runtime.run.Run`."""

    def spend(self, units: int) -> None:
        """Count the work of a library function on something large; raises LimitFailure when the time is over."""

    def reserve(self, size: int) -> None:
        """Count bytes that are about to be taken; raises LimitFailure when there are too many."""


CURRENT: Final[ContextVar[Budget | None]] = ContextVar("evaluation", default=None)
"""The evaluation under way in this thread or greenlet."""


def spend(units: int) -> None:
    """Count the work on so many characters or items. Below `SMALL` the call itself would cost more than the work."""
    budget = CURRENT.get()
    if budget is not None:
        budget.spend(units)
    elif units > LOOK_UNITS:
        _ask_for_budget()


def reserve(size: int) -> None:
    """Refuse to take so many bytes when that is too much."""
    budget = CURRENT.get()
    if budget is not None:
        budget.reserve(size)
    elif size > LOOK_UNITS:
        _ask_for_budget()
        if size > MAX_MEMORY_BYTES:
            raise memory_exceeded(MAX_MEMORY_BYTES, size)


def _ask_for_budget() -> None:
    """Raise BudgetNeededError within an evaluation: when compiled code is on the stack."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename == CODE:
            raise BudgetNeededError("this takes a budget")
        frame = frame.f_back


def check_text(length: int) -> None:
    """Refuse a text of this many characters when that is too many."""
    if length > SMALL:
        reserve(length)


def check_items(count: int) -> None:
    """Refuse to make an array of this many items when that is too many."""
    check_length(count)
    if count > SMALL:
        spend(count // 16)
        reserve(count * ITEM_BYTES)


def check_length(count: int) -> None:
    """Refuse an array of this many items, whatever memory there is."""
    if count > MAX_ITEMS:
        raise LimitFailure(f"an array of {count} items is too long; at most {MAX_ITEMS} are allowed")


def memory_exceeded(limit: int, wanted: int) -> LimitFailure:
    """The failure of a program whose values are too large."""
    return LimitFailure(f"the memory limit of {limit} bytes is too small for this: {wanted} bytes were wanted")

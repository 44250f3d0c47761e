"""The values that JSON has no form for: dates, error values and function values. They never change."""

from collections.abc import Callable
from typing import Any, Final


class DateTime:
    """An instant: seconds since the epoch, and the zone it is shown in. Equality ignores the zone."""

    __slots__ = ("dt", "zone")
    __hogDateTime__: Final = True

    def __init__(self, dt: float, zone: str = "UTC") -> None:
        self.dt: Final = dt
        self.zone: Final = zone

    def __eq__(self, other: object) -> bool:
        """The same instant."""
        return isinstance(other, DateTime) and other.dt == self.dt

    def __hash__(self) -> int:
        """As equality has it."""
        return hash((DateTime, self.dt))

    def __repr__(self) -> str:
        """For people who debug."""
        return f"DateTime({self.dt!r}, {self.zone!r})"


class Date:
    """A calendar day."""

    __slots__ = ("day", "month", "year")
    __hogDate__: Final = True

    def __init__(self, year: int, month: int, day: int) -> None:
        self.year: Final = year
        self.month: Final = month
        self.day: Final = day

    def __eq__(self, other: object) -> bool:
        """The same day."""
        return isinstance(other, Date) and (other.year, other.month, other.day) == (self.year, self.month, self.day)

    def __hash__(self) -> int:
        """As equality has it."""
        return hash((self.year, self.month, self.day))

    def __repr__(self) -> str:
        """For people who debug."""
        return f"Date({self.year}, {self.month}, {self.day})"


class ErrorValue:
    """What `Error('message', payload)` builds. It does nothing until it is thrown."""

    __slots__ = ("message", "payload", "type")
    __hogError__: Final = True

    def __init__(self, type_: str, message: str, payload: Any = None) -> None:
        self.type: Final = type_
        self.message: Final = message
        self.payload: Final = payload


class FunctionValue:
    """A function as a value: of the program (`x -> x + 1`) or of the library (`upper`).

    `call` takes any number of arguments up to `arity`.
    """

    __slots__ = ("arity", "call", "name")

    def __init__(self, name: str, arity: int, call: Callable[..., Any]) -> None:
        self.name: Final = name
        self.arity: Final = arity
        """How many arguments it takes at most; 0 for a library function without an upper bound."""
        self.call: Final = call

    def too_many(self, count: int) -> str | None:
        """What is wrong with calling it with `count` arguments when they are too many; missing ones are null."""
        return f"Too many arguments. Passed {count}, expected {self.arity}" if count > self.arity else None

    def padded(self, count: int) -> Callable[..., Any]:
        """What to call with `count` arguments, which must not be too many."""
        return self.call


FIELDS: Final[dict[type, tuple[str, ...]]] = {
    DateTime: ("__hogDateTime__", "dt", "zone"),
    Date: ("__hogDate__", "year", "month", "day"),
    ErrorValue: ("__hogError__", "type", "message", "payload"),
}
"""The fields of each record that a program may read."""

RECORDS: Final = (DateTime, Date, ErrorValue, FunctionValue)

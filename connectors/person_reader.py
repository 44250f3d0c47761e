"""What the person feed needs of any input: read a batch from where the table stopped, and tell when it has caught up.

It knows neither Kafka nor files; `person_kafka` and `person_files` are the two readers.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Protocol

from connectors.person_table import Position

BATCH: Final = 5_000
"""Messages per write batch: what a killed process reads again at most."""


class RawMessage(NamedTuple):
    """One message as it was read, with its position for the log."""

    value: bytes | None
    partition: int
    offset: int


class Batch(NamedTuple):
    """Messages in the order of the log, and the positions behind them."""

    messages: list[RawMessage]
    positions: Mapping[str, Position]


NOTHING: Final = Batch([], {})


class Reader(Protocol):
    """One input. All calls but `remaining` come from the feed's thread."""

    stream: str
    restored: bool
    """True once everything that the input held when the feed started has been read."""

    def read(self) -> Batch:
        """What is there now, at most BATCH messages. Waits briefly while restoring; never raises for a lost input."""

    def remaining(self) -> int:
        """About how many rows are still to be read until `restored`."""

    def close(self) -> None:
        """Give the input free."""


class RareLog:
    """Warnings about a lasting condition: at most one line every `every_s` seconds."""

    def __init__(self, logger: logging.Logger, every_s: float = 10.0, clock: Callable[[], float] = time.monotonic):
        self._logger = logger
        self._every_s = every_s
        self._clock = clock
        self._silent_until = float("-inf")

    def warning(self, text: str, *arguments: object) -> None:
        """Log the line, unless one was logged just now."""
        now = self._clock()
        if now >= self._silent_until:
            self._silent_until = now + self._every_s
            self._logger.warning(text, *arguments)

"""What both lanes need of a log, whatever it is: a Kafka topic, a file of JSON lines, or standard input.

Descriptions only. A log is read forward from a position that the caller keeps; nothing about positions is stored here
or at the broker.
"""

from typing import Final, Protocol

from records import Message

END: Final = -1
"""In place of a position: the end of the partition, wherever that is at the moment."""


class LogError(ValueError):
    """A log cannot be read at all: the text says which, why, and what to do. Raised at the start only."""


class LogReader(Protocol):
    """One partition of one log, read forward. All calls come from one thread; none of them waits for new messages."""

    next_offset: int
    """The position of the next message to read. It may lie behind positions that hold no message."""

    missing: int
    """How many positions were skipped, since this reader was made, because the log no longer has them."""

    def seek(self, offset: int) -> None:
        """Read on from this position; from `END`, `next_offset` is `END` until a `read` has found out where that is."""

    def read(self, limit: int) -> list[Message]:
        """What is there now, `limit` messages at most; empty when there is nothing yet."""

    def at_end(self) -> bool:
        """Whether everything that is in the log right now has been read."""

    def close(self) -> None:
        """Let go of file and sockets. No other call may follow."""


class Log(Protocol):
    """One input. Thread-safe, unlike its readers."""

    stream: str
    """`kafka:TOPIC`, `file:/absolute/path`, or `-`: how positions name it."""
    replayable: bool
    """Whether a position can be read a second time."""
    compacted: bool
    """Whether later messages take the place of earlier ones: then a position that is gone from between others is no
    loss."""

    def partitions(self) -> list[int]:
        """The partitions there are. May wait some seconds. Raises LogError when the log is not there."""

    def reader(self, partition: int, until_end: bool = False) -> LogReader:
        """A new reader; `seek` it before the first `read`. With `until_end` the log is complete as it is now."""

    def start_offset(self, partition: int) -> int:
        """The earliest position. May wait some seconds, and raise LogError."""

    def end_offset(self, partition: int) -> int:
        """The position behind the last message. May wait some seconds, and raise LogError."""

    def offset_at(self, partition: int, time_s: float) -> int:
        """The first position whose message is at or after this moment (seconds since the epoch); the end if none is.

        May wait some seconds or, where there is no index of times, read the whole log. Raises LogError.
        """

    def align(self, partition: int, offset: int) -> int:
        """The first position, from `offset` on, at which a message may begin. Raises LogError."""

    def retention_s(self) -> float | None:
        """How long the log keeps a message; None when that is not limited, or not known. May wait some seconds."""

    def lag(self, partition: int, offset: int) -> int | None:
        """How many positions lie between `offset` and the end, as last heard; None when not known. Never waits."""

    def gone_s(self, partition: int) -> float:
        """For how long it has been sure, as of now, that there is no such partition any more; 0 while it is there, and
        while nobody can tell. Never waits: the first calls may only begin to find out.
        """

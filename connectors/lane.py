"""What the two lanes have in common: the gate that holds them, and how often an idle one looks again."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

_SOON = timedelta(milliseconds=2)
_LATER = timedelta(milliseconds=8)
_LONG_IDLE = timedelta(seconds=2)

QUIET_S = 0.003
"""How long before a beat no source is called: more than a call is late as a rule, less than anybody notices."""


class Gate(Protocol):
    """Told by the caller when to read, when to wait and when to end. Every call answers at once."""

    def may_read(self) -> bool:
        """False while persons are being restored, or while this worker is the bottleneck."""

    def stopping(self) -> bool:
        """Whether the sources are to end now."""

    def drained(self) -> bool:
        """Whether everything that was read has been settled."""


def utc_now() -> datetime:
    """The time as the engine wants it."""
    return datetime.now(UTC)


class Beats:
    """Lets all sources of a process end their epochs at the same moments, `every_s` apart.

    The engine ends a source's epoch at its first call after the interval, and a source whose epoch has ended gets no
    call until the epochs of all others have ended, too. One that is called seldom ends each epoch some milliseconds
    later than a busy one, and that adds up: 3.5 ms an epoch were measured, so that after five minutes the busy source
    would read once a second. So the engine's interval is a little shorter than the beat, and a source is not called
    between the end of its interval and the beat. Whoever came late to a beat is 3 ms less late at the next.

    Units: seconds. `every_s` of 0 means no beat.
    """

    def __init__(self, every_s: float = 0.0) -> None:
        self.every_s = every_s
        self.epoch_s = every_s - min(QUIET_S, every_s / 4)
        """The interval for the engine."""
        self._origin: float | None = None

    def first_after(self, moment: float) -> float:
        """The first beat that is not before a moment. The first call of any source is the origin of all beats."""
        if self._origin is None:
            self._origin = moment - self.epoch_s
        return self._origin + math.ceil((moment - self._origin) / self.every_s) * self.every_s


class Beat:
    """One source's view of the beats: when its epoch is over, and when it may be called."""

    def __init__(self, beats: Beats | None = None) -> None:
        self._beats = beats or Beats()
        self._began: float | None = None

    def called(self, now: datetime) -> None:
        """The engine calls the source: it ends the epoch behind this call when the interval is over."""
        if self._began is None or now.timestamp() >= self._began + self._beats.epoch_s:
            self._began = now.timestamp()

    def began(self, now: datetime) -> None:
        """The engine has ended an epoch."""
        self._began = now.timestamp()

    def align(self, now: datetime, awake: datetime | None) -> datetime | None:
        """The moment to be called at, given the moment that was wished for; None is at once."""
        beats = self._beats
        if not beats.every_s or self._began is None:
            return awake
        over = self._began + beats.epoch_s
        beat = beats.first_after(over)
        # A call that is due just before the end may come just behind it, and would end the epoch early.
        if (awake or now).timestamp() < over - QUIET_S:
            return awake
        if beat - over > beats.every_s / 2:
            # Late for the last beat: end the epoch as soon as the engine does.
            beat = over
        return datetime.fromtimestamp(max(beat, now.timestamp()), UTC)


class Pace:
    """When a source wants to be called next.

    Units: 2 ms after an empty read, 8 ms once nothing has come for 2 s: that is latency added at most. The engine calls
    again after 1 ms, for ever, when a source does not say; that is a tenth of a core for nothing.
    """

    def __init__(self, beat: Beat | None = None, clock: Callable[[], datetime] = utc_now) -> None:
        """Start as busy."""
        self._beat = beat or Beat()
        self._clock = clock
        self._busy_at = clock()
        self.next_awake: datetime | None = None

    def called(self) -> None:
        """The engine calls."""
        self._beat.called(self._clock())

    def epoch_began(self) -> None:
        """The engine has asked for the state that the epoch ends with."""
        self._beat.began(self._clock())

    def after(self, batch: Sequence[object]) -> None:
        """A call has brought this."""
        if batch:
            self.busy()
        else:
            self.idle()

    def busy(self) -> None:
        """Something was read: come back at once."""
        self._busy_at = now = self._clock()
        self.next_awake = self._beat.align(now, None)

    def rest(self, seconds: float) -> None:
        """Come back after so long."""
        now = self._clock()
        self.next_awake = self._beat.align(now, now + timedelta(seconds=seconds))

    def idle(self) -> None:
        """Nothing was read: come back a little later."""
        now = self._clock()
        self.next_awake = self._beat.align(now, now + (_SOON if now - self._busy_at < _LONG_IDLE else _LATER))

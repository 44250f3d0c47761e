"""Tells whether this process is at its limit, so that a full outbox can be blamed on the right one."""

import time
from collections.abc import Callable

SAMPLE_S = 0.1
BUSY_SHARE = 0.75
"""Share of one core. Python runs one thread at a time, so a process near 1.0 has nothing left to give."""
LATE_S = 0.004
"""A loop with time to spare is well below; on a machine that others use too, CPU time alone would not tell."""


class Strain:
    """Looks at the CPU time of the last sample and at how late the transport's loop is. For one thread at a time."""

    def __init__(
        self,
        late_s: Callable[[], float] = lambda: 0.0,
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.process_time,
    ) -> None:
        self._late_s = late_s
        self._clock = clock
        self._cpu = cpu
        self._at, self._used = clock(), cpu()
        self._busy = False

    def busy(self) -> bool:
        """Whether the process had use for all of a core in the last tenth of a second."""
        now = self._clock()
        if now - self._at >= SAMPLE_S:
            used = self._cpu()
            self._busy = used - self._used >= BUSY_SHARE * (now - self._at) or self._late_s() >= LATE_S
            self._at, self._used = now, used
        return self._busy

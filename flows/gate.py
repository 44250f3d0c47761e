"""Tells the sources when to read, when to wait and when to end."""

import threading
import time
from collections.abc import Callable

from delivery import Progress


class Gate:
    """What both lanes ask before they read. One per process, thread-safe."""

    def __init__(self, progress: Progress, persons_ready: Callable[[], bool], grace_s: float) -> None:
        self._progress = progress
        self._persons_ready = persons_ready
        self._grace_s = grace_s
        self._stopping = threading.Event()
        self._drain_until = 0.0

    def may_read(self) -> bool:
        """False while persons are being restored, and while this worker has enough in hand."""
        return self._persons_ready() and self._progress.may_read()

    def stopping(self) -> bool:
        """Whether somebody asked the job to end."""
        return self._stopping.is_set()

    def drained(self) -> bool:
        """Whether all that was read is settled."""
        return self._progress.drained()

    def stop(self) -> None:
        """Let the sources end and what is on the wire have its grace period; a second call ends the grace period."""
        if self._stopping.is_set():
            self._drain_until = 0.0
        else:
            self._drain_until = time.time() + self._grace_s
            self._stopping.set()

    def drain_until(self) -> float:
        """Until when answers are waited for at the end; seconds since the epoch."""
        return self._drain_until

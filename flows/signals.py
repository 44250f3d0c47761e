"""SIGTERM and SIGINT of `offramp run`, heard on a thread of its own.

Python runs a handler between two steps of the main thread, which a broker that does not answer can hold for ten
seconds, and an exception out of a handler would break whatever happens to be under way. The thread is never held.
"""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

_NUMBERS: Final = (signal.SIGTERM, signal.SIGINT)
_log = logging.getLogger("offramp")


class Signals:
    """Between `with` and `hand_over` a signal ends the process at once with exit code 0, behind it it calls `stop`.

    To be entered by the main thread. What is on the disk is as safe as after `kill -9`, so nothing has to be undone.
    """

    def __init__(self) -> None:
        """Nothing is heard yet."""
        self._stop: Callable[[], None] | None = None
        self._thread = threading.Thread(target=self._listen, name="signals", daemon=True)

    def __enter__(self) -> Self:
        """Takes the signals over."""
        self._ear, self._mouth = socket.socketpair()
        self._mouth.setblocking(False)
        self._mouth_before = signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)
        # The interpreter tells the socket at once; the handlers, which it calls when it can, have nothing to add.
        self._before = {number: signal.signal(number, lambda *_: None) for number in _NUMBERS}
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Gives the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._mouth_before)
        self._mouth.close()
        self._thread.join()
        self._ear.close()

    def hand_over(self, stop: Callable[[], None]) -> None:
        """Let each signal from now on call this, on the thread; the one before ends first."""
        self._stop = stop

    def _listen(self) -> None:
        while heard := self._ear.recv(1):
            if heard[0] not in _NUMBERS:
                continue
            if self._stop is None:
                _log.info("ending: the job was starting, and had read nothing yet")
                sys.stderr.flush()
                os._exit(0)
            self._stop()

"""How long somebody has been saying, without a break, that a partition does not exist. It gives up nothing by itself.

No answer is not an answer: it ends what was said before it. So does a time in which nobody wanted to know.

Units: seconds of the clock. Limits: one question at a time, every `ASK_EVERY_S`, and only while somebody wants to know.
Blocking: never; the question is put on a thread. Thread-safe.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection
from typing import Final

ASK_EVERY_S: Final = 5.0
STALE_S: Final = 30.0
_log = logging.getLogger(__name__)


class Absence:
    """`ask` says which partitions there are, none where the topic is gone; None where nobody answers. It may block."""

    def __init__(self, ask: Callable[[], Collection[int] | None], clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is known."""
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._wanted: set[int] = set()
        self._since: dict[int, float] = {}
        self._answered_at = float("-inf")
        self._ask_at = float("-inf")
        self.asking = False
        """Whether a question is under way."""

    def gone_s(self, partition: int) -> float:
        """How long it is known to be gone, as of the last answer; 0 while it is there, or nothing is known."""
        with self._lock:
            self._wanted.add(partition)
            if not self.asking and self._clock() >= self._ask_at:
                self.asking = True
                threading.Thread(target=self._put_question, name="absence", daemon=True).start()
            since = self._since.get(partition)
            if since is None or self._clock() - self._answered_at > STALE_S:
                return 0.0
            return self._answered_at - since

    def _put_question(self) -> None:
        there: Collection[int] | None = None
        try:
            there = self._ask()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no answer
            _log.debug("which partitions there are is not known: %s", error)
        with self._lock:
            now = self._clock()
            if there is None or now - self._answered_at > STALE_S:
                self._since.clear()
            for partition in self._wanted:
                if there is not None and partition not in there:
                    self._since.setdefault(partition, now)
                else:
                    self._since.pop(partition, None)
            self._answered_at = now
            self._ask_at = now + ASK_EVERY_S
            self.asking = False

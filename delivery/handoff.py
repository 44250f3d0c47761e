"""Where the keyed operators leave what the two lanes read next: wishes for re-reads. One per process, thread-safe."""

import queue

from delivery.ranges import Reread


class Handoff:
    """A queue of re-reads. Nothing in it needs to survive: each wish is made again from the operator's snapshot."""

    def __init__(self) -> None:
        """Start empty."""
        self._wishes: queue.SimpleQueue[Reread] = queue.SimpleQueue()

    def put(self, wish: Reread) -> None:
        """Leave a wish; never blocks."""
        self._wishes.put(wish)

    def take(self) -> Reread | None:
        """The oldest wish, or None at once."""
        try:
            return self._wishes.get_nowait()
        except queue.Empty:
            return None

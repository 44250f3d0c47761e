"""Turns of the event loop for programs that compute: one at a time, and never so long that a request notices.

Between two programs that use up their time the loop rests from them for as long as they took, so that programs together
have half of it at most while others want it. It knows nothing of programs or requests.

Units: seconds. For one event loop; not thread-safe.
"""

import asyncio
from collections import deque
from typing import Final

BREATH_S: Final = 0.002
"""Time that programs may take between two looks at the sockets."""


class Turns:
    """Who computes next."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Nobody waits yet."""
        self._loop = loop
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._used_s = 0.0
        self._granted = False
        self._breathing = False

    async def take(self) -> None:
        """Wait for a turn; at once when nobody is before and there is time left. `end` must follow."""
        if self._granted or self._waiting or self._used_s >= BREATH_S:
            turn = self._loop.create_future()
            self._waiting.append(turn)
            await turn

    def end(self, used_s: float) -> None:
        """The turn is over."""
        self._granted = False
        self._used_s += used_s
        if not self._breathing:
            self._breathing = True
            self._loop.call_soon(self._breathe)

    def _breathe(self) -> None:
        """The sockets have been looked at once."""
        if self._used_s >= BREATH_S:
            self._loop.call_later(self._used_s, self._go_on)
        else:
            self._go_on()

    def _go_on(self) -> None:
        self._used_s = 0.0
        self._breathing = False
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                self._granted = True
                turn.set_result(None)
                # Behind the one that was granted: if its task was cancelled meanwhile, nobody else would go on.
                self._loop.call_soon(self._pass_on)
                return

    def _pass_on(self) -> None:
        if self._granted:
            self.end(0.0)

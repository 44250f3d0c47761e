"""Sends what is tried out, over the transport that a job has, and waits for how it ends.

Nothing is tried again, nothing joins a batch, and nothing of it is written anywhere. Events that programs capture are
kept for whoever asks, and go nowhere.
"""

import threading
import time
from collections.abc import Sequence
from itertools import count
from typing import Any, Final

import msgspec

from connectors.code_runner import captured_uuid
from connectors.http import HttpTransport
from connectors.http_guard import Network
from connectors.http_watch import Exchange
from records import Attempt, ErrorKind, Invocation, Policy

_LOOK_EVERY_S: Final = 0.005


class Carried(msgspec.Struct, frozen=True):
    """What became of one invocation. It may hold secrets."""

    attempt: Attempt
    exchanges: list[Exchange]
    captured: list[Any]


class TrialWire:
    """Opened by the first one that is sent. Thread-safe."""

    def __init__(self, allow: Sequence[Network] = ()) -> None:
        """`allow` are networks that destinations may reach although they are not public."""
        self._allow = tuple(allow)
        self._numbers = count()
        self._lock = threading.Lock()
        self._transport: HttpTransport | None = None
        self._closed = False
        self._exchanges: dict[int, list[Exchange]] = {}
        self._captured = _Captured()

    def send(self, invocation: Invocation, policy: Policy) -> Carried:
        """Send one and wait for its end: no longer than the policy allows, of a program for each of its requests."""
        transport = self._opened()
        if transport is None:
            return Carried(_broken_off(invocation), [], [])
        # A lane of its own: somebody else may try the same destination at this moment.
        lane = f"{invocation.destination}#{next(self._numbers)}"
        seen = self._exchanges[id(invocation)] = []
        try:
            transport.submit(lane, msgspec.structs.replace(policy, retries=0), [invocation])
            while not (attempts := transport.collect(lane)):
                if self._closed:
                    attempts = [_broken_off(invocation)]
                    break
                time.sleep(_LOOK_EVERY_S)
        finally:
            transport.forget(lane)
            del self._exchanges[id(invocation)]
        return Carried(attempts[0], seen, self._captured.take(captured_uuid(invocation.id)))

    def close(self) -> None:
        """Break off what is under way."""
        with self._lock:
            self._closed = True
            if self._transport is not None:
                self._transport.close()

    def _opened(self) -> HttpTransport | None:
        """None once it is closed."""
        with self._lock:
            if self._closed:
                return None
            if self._transport is None:
                self._transport = HttpTransport(allow=self._allow, capture=self._captured, watch=self._watch)
                self._transport.start()
            return self._transport

    def _watch(self, invocation: Invocation, exchange: Exchange) -> None:
        # Nobody waits any more for what ends behind an interrupt.
        if (seen := self._exchanges.get(id(invocation))) is not None:
            seen.append(exchange)


def _broken_off(invocation: Invocation) -> Attempt:
    return Attempt(invocation, time.time(), 0.0, None, ErrorKind.RESET, "the test was broken off")


class _Captured:
    """What programs have captured, by the uuids that these events get."""

    def __init__(self) -> None:
        self._events: dict[str, list[Any]] = {}

    async def put(self, key: str, event: bytes) -> None:
        found = msgspec.json.decode(event)
        self._events.setdefault(found["uuid"], []).append(found)

    def take(self, uuid: str) -> list[Any]:
        return self._events.pop(uuid, [])

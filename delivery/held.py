"""What one destination holds in memory: in the line to leave, on the wire, or waiting for the time of a retry. Pure."""

import heapq
from collections.abc import Iterable, Iterator

from delivery.departures import Departures
from records import Invocation, Policy

UNREPEATABLE = "-"
"""The stream that cannot be read again: standard input."""

Key = tuple[str, int, int, str]
"""Position and invocation: a log that begins anew brings other events at positions that are still held."""


class Held:
    """Invocations from their match to their end, in the order of their coming.

    One that is held is either *pending* (it waits for a slot or an answer) or *waiting* (for the time of its retry).
    """

    def __init__(self) -> None:
        """Hold nothing."""
        self.unrepeatable = 0
        """Of a stream that cannot be read again."""
        self.line = Departures()
        self._all: dict[Key, Invocation] = {}
        self._pending: set[Key] = set()
        self._retries: list[tuple[float, int, Invocation]] = []
        self._sequence = 0
        self._stale: set[Key] = set()
        """On the wire with a configuration that is no more."""

    def __len__(self) -> int:
        """All that are held."""
        return len(self._all)

    def __iter__(self) -> Iterator[Invocation]:
        """All that are held, in the order of their coming."""
        return iter(self._all.values())

    def __contains__(self, invocation: Invocation) -> bool:
        """Whether the same event at the same position is held."""
        return key_of(invocation) in self._all

    @property
    def pending(self) -> int:
        """Waiting for nothing but a slot or an answer."""
        return len(self._pending)

    @property
    def handed_over(self) -> int:
        """Given to the transport and not settled."""
        return len(self._pending) - len(self.line)

    @property
    def waiting(self) -> int:
        """Waiting for the time of a retry."""
        return len(self._retries)

    def add(self, invocation: Invocation) -> None:
        """Hold it, and let it join the line."""
        self._all[key_of(invocation)] = invocation
        self.unrepeatable += invocation.stream == UNREPEATABLE
        self._send(invocation)

    def retry(self, invocation: Invocation, at: float) -> None:
        """Let it wait for its retry."""
        self._sequence += 1
        heapq.heappush(self._retries, (at, self._sequence, invocation))

    def next_retry_at(self) -> float | None:
        """When the next retry is due."""
        return self._retries[0][0] if self._retries else None

    def send_due(self, now: float) -> None:
        """Let the retries whose time has come join the line."""
        while self._retries and self._retries[0][0] <= now:
            self._send(heapq.heappop(self._retries)[2])

    def take(self, policy: Policy, now: float, limit: float) -> list[Invocation]:
        """Who leaves the line now, in at most so many requests."""
        return self.line.take(policy, now, limit)

    def answered(self, invocation: Invocation) -> None:
        """Its attempt has ended."""
        self._pending.discard(key_of(invocation))

    def is_stale(self, invocation: Invocation) -> bool:
        """Whether it went out with a configuration that is no more."""
        return key_of(invocation) in self._stale

    def let_go(self, invocation: Invocation) -> bool:
        """Hold it no more; whether it was still held."""
        key = key_of(invocation)
        self._stale.discard(key)
        held = self._all.pop(key, None)
        if held is None:
            return False
        self.line.settled(held)
        self.unrepeatable -= held.stream == UNREPEATABLE
        return True

    def put_back(self, queued: Iterable[str]) -> None:
        """Let what the transport has given back, by id, stand in front of the line again."""
        self.line.put_back(self._given_back(queued))

    def recall(self, queued: Iterable[str]) -> list[Invocation]:
        """Let go of everything that is not on the wire; what is there becomes stale.

        What cannot be read again stays: in the line, or waiting for its retry.

        Args:
            queued: Ids of invocations that the transport has given back.
        """
        given_back = {key_of(invocation) for invocation in self._given_back(queued)}
        waiting = {key_of(invocation) for _, _, invocation in self._retries}
        in_line = {key_of(invocation) for invocation in self.line}
        taken: list[Invocation] = []
        kept: list[Invocation] = []
        for key, invocation in list(self._all.items()):
            if key not in given_back and key not in waiting and key not in in_line:
                continue
            if invocation.stream == UNREPEATABLE:
                if key not in waiting:
                    kept.append(invocation)
                continue
            del self._all[key]
            self._pending.discard(key)
            self.line.settled(invocation)
            taken.append(invocation)
        self._stale = {key for key in self._all if key not in waiting and key[0] != UNREPEATABLE}
        self.line.keep_only(kept)
        self._retries = [entry for entry in self._retries if entry[2].stream == UNREPEATABLE]
        heapq.heapify(self._retries)
        return taken

    def _send(self, invocation: Invocation) -> None:
        self._pending.add(key_of(invocation))
        self.line.add(invocation)

    def _given_back(self, queued: Iterable[str]) -> list[Invocation]:
        by_id: dict[str, list[Invocation]] = {}
        in_line = set(map(id, self.line))
        for invocation in self._all.values():
            if key_of(invocation) in self._pending and id(invocation) not in in_line:
                by_id.setdefault(invocation.id, []).append(invocation)
        back: list[Invocation] = []
        for name in queued:
            carried = self.line.carried(name)
            if carried is not None:
                back += carried
            elif by_id.get(name):
                # Of an event that came twice, the later one: the other is in front of it.
                back.append(by_id[name].pop())
        return back


def key_of(invocation: Invocation) -> Key:
    """By which it is known here."""
    return (invocation.stream, invocation.partition, invocation.offset, invocation.id)

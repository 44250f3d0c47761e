"""Tells webhooks when the health of a destination changes.

It goes out through the transport of the destinations, under keys of its own: the guard of addresses applies, and one
webhook that hangs holds up nobody. A webhook that fails is tried again for a day and never quarantined; it is told in
the log once a minute.

What a webhook was not told is kept from the moment it is taken until it is told or given up, also over `kill -9`: the
next job goes on with it, under the same id. A notice that was told just before a kill may be told again.

Limits: the newest `MOST_WAITING` changes of a destination wait for a webhook.
Blocks: only `close`, up to `CLOSE_S`.
"""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Protocol

import msgspec

from connectors.journal_schema import JournalError
from connectors.journal_text import clean
from connectors.notices import Notice
from delivery.retry import backoff_s
from destinations.notify import Notify
from records import Attempt, ErrorKind, HealthChange, Invocation, Policy, Request

MOST_WAITING: Final = 8
GIVE_UP_AFTER_S: Final = 24 * 3600.0
TELL_EVERY_S: Final = 60.0
CLOSE_S: Final = 2.0
_LOOK_EVERY_S: Final = 0.05
_POLICY: Final = Policy(concurrency=1, backoff_s=5.0, backoff_cap_s=600.0)
_FOR_EVER: Final = (ErrorKind.INVALID, ErrorKind.BLOCKED)
_log = logging.getLogger("offramp.notify")


class Transport(Protocol):
    """Sends requests; see `connectors.http`. No call blocks."""

    def submit(self, destination: str, policy: Policy, batch: Sequence[Invocation]) -> None:
        """Take invocations to send."""

    def collect(self, destination: str) -> list[Attempt]:
        """Attempts finished since the last call."""

    def forget(self, destination: str) -> None:
        """The destination is gone."""


class Told(msgspec.Struct, frozen=True):
    """What is known of a destination at the moment of sending."""

    name: str
    url: str
    """Where people look at it."""
    webhooks: dict[str, Notify]
    """By a name that stays the same when the webhook changes."""


class Kept(Protocol):
    """Where notices outlive the job; see `connectors.notices`. Raises JournalError."""

    def all(self) -> list[Notice]:
        """In the order in which they were added."""

    def add(self, notice: Notice) -> None:
        """Keep it."""

    def remove(self, notice: Notice) -> None:
        """It was told, or is given up."""


class _Lane:
    """What is to be told to one webhook of one destination, in order, one at a time."""

    def __init__(self) -> None:
        self.waiting: deque[Notice] = deque()
        self.out: Notice | None = None
        self.failures = 0
        """In a row."""
        self.due = 0.0


class Notifier:
    """`find` says what is known of a destination; None when it is gone, and nobody is to be told.

    Raises JournalError when what is kept cannot be read.
    """

    def __init__(
        self,
        transport: Transport,
        find: Callable[[str], Told | None],
        kept: Kept,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._transport = transport
        self._find = find
        self._kept = kept
        self._clock = clock
        self._new: deque[HealthChange] = deque()
        self._lanes: dict[tuple[str, str], _Lane] = {}
        self._awake = threading.Event()
        self._stop = threading.Event()
        self._failures = 0
        self._told_at = float("-inf")
        self._complaint = ""
        self._thread = threading.Thread(target=self._run, name="notify", daemon=True)
        for notice in kept.all():
            self._lane(notice).waiting.append(notice)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def tell(self, change: HealthChange) -> None:
        """Take a change. Never blocks."""
        self._new.append(change)
        self._awake.set()

    def close(self) -> None:
        """Wait a little for what was not tried yet, then end."""
        give_up_at = time.monotonic() + CLOSE_S
        while self._thread.is_alive() and self._untried() and time.monotonic() < give_up_at:
            time.sleep(_LOOK_EVERY_S)
        self._stop.set()
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join()

    def turn(self) -> None:
        """Take what is new, hear of what was sent, send what is due; the thread does it by itself."""
        now = self._clock()
        for _ in range(len(self._new)):
            self._take(self._new[0], now)
            # Last: who asks whether all is tried must find it here or there.
            self._new.popleft()
        for key, lane in list(self._lanes.items()):
            self._hear(key, lane, now)
            self._send(key, lane, now)
            if lane.out is None and not lane.waiting:
                del self._lanes[key]
                self._transport.forget(_lane_name(key))

    def _run(self) -> None:
        while not self._stop.is_set():
            self._awake.wait(_LOOK_EVERY_S if self._lanes else None)
            self._awake.clear()
            try:
                self.turn()
            except Exception:  # noqa: BLE001
                # A fault here costs a notice, and must cost no more.
                _log.exception("a webhook could not be told")

    def _untried(self) -> bool:
        lanes = list(self._lanes.values())
        return bool(self._new) or any(lane.out or (lane.waiting and not lane.failures) for lane in lanes)

    def _take(self, change: HealthChange, now: float) -> None:
        told = self._find(change.destination)
        for webhook in () if told is None else told.webhooks:
            parts = f"{webhook}\n{change.destination}\n{change.at}\n{change.before}\n{change.after}"
            id = f"ntf_{sha256(parts.encode('utf-8', 'replace')).hexdigest()[:32]}"
            notice = Notice(id, webhook, now, change)
            self._write(self._kept.add, notice)
            lane = self._lane(notice)
            if len(lane.waiting) >= MOST_WAITING:
                self._write(self._kept.remove, lane.waiting.popleft())
            lane.waiting.append(notice)

    def _lane(self, notice: Notice) -> _Lane:
        return self._lanes.setdefault((notice.webhook, notice.change.destination), _Lane())

    def _write(self, write: Callable[[Notice], None], notice: Notice) -> None:
        try:
            write(notice)
        except JournalError as error:
            if not self._complaint:
                _log.error("%s; what a webhook has not been told may be lost at the end", error)
            self._complaint = str(error)
        else:
            self._complaint = ""

    def _hear(self, key: tuple[str, str], lane: _Lane, now: float) -> None:
        for attempt in self._transport.collect(_lane_name(key)):
            notice, lane.out = lane.out, None
            if notice is None:
                continue
            if attempt.response is not None and attempt.response.status in _POLICY.success:
                lane.failures = 0
                self._write(self._kept.remove, notice)
                continue
            again = attempt.error not in _FOR_EVER
            if again:
                # What waits behind it waits, too: the webhook is the same.
                lane.due = now + backoff_s(lane.failures, _POLICY, random.random())
                lane.failures += 1
                again = lane.due - notice.since <= GIVE_UP_AFTER_S and len(lane.waiting) < MOST_WAITING
            if again:
                lane.waiting.appendleft(notice)
            else:
                self._write(self._kept.remove, notice)
            self._complain(notice, attempt, again=again)

    def _send(self, key: tuple[str, str], lane: _Lane, now: float) -> None:
        if lane.out is not None or not lane.waiting or lane.due > now:
            return
        webhook, destination = key
        told = self._find(destination)
        notify = None if told is None else told.webhooks.get(webhook)
        if told is None or notify is None:
            while lane.waiting:
                self._write(self._kept.remove, lane.waiting.popleft())
            return
        # Out before it waits no more: who asks whether all is tried must find it here or there.
        lane.out = lane.waiting[0]
        lane.waiting.popleft()
        body = _body(lane.out.change, told)
        headers = dict(notify.headers)
        if "content-type" not in map(str.lower, headers):
            headers["Content-Type"] = "application/json"
        request = Request("POST", notify.url, headers, body)
        notice = Invocation(lane.out.id, destination, "notify", 0, 0, int(now * 1000), "", "health", "", request)
        self._transport.submit(_lane_name(key), _POLICY, [notice])

    def _complain(self, notice: Notice, attempt: Attempt, *, again: bool) -> None:
        self._failures += 1
        now = time.monotonic()
        if now - self._told_at < TELL_EVERY_S:
            return
        change = notice.change
        why = attempt.detail if attempt.response is None else f"it answered {attempt.response.status}"
        end = "trying again" if again else "given up"
        more = f" ({self._failures} failures since the last such line)" if self._failures > 1 else ""
        text = "destination '%s': the webhook was not told of %s -> %s: %s; %s%s"
        _log.warning(text, change.destination, change.before, change.after, why, end, more)
        self._told_at, self._failures = now, 0


def _lane_name(key: tuple[str, str]) -> str:
    """No destination has such an id."""
    return f"notify:{key[0]}:{key[1]}"


def _body(change: HealthChange, told: Told) -> bytes:
    at = datetime.fromtimestamp(change.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return msgspec.json.encode(
        {
            "destination": change.destination,
            "name": clean(told.name),
            "before": change.before,
            "after": change.after,
            "at": at,
            "reason": clean(change.reason),
            "response": clean(change.response),
            "url": told.url,
        }
    )

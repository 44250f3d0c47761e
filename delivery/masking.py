"""The windows of a frequency cap: which event of those with one key goes out. Pure: the time is passed in."""

import msgspec

from records import Cap

STATE_VERSION = 1
MOST = 50_000
"""Keys of one destination: 20 to 25 bytes each in a snapshot, about 200 in memory."""


class Window(msgspec.Struct, array_like=True, gc=False):
    """From the first event with a key on, for a fixed time."""

    until: float
    """Seconds since the epoch."""
    hits: int


class MaskError(Exception):
    """A snapshot that this version cannot read."""


class _State(msgspec.Struct, array_like=True):
    version: int
    windows: dict[int, Window]


class Masks:
    """The windows of one destination, in the order in which they began."""

    def __init__(self, snapshot: bytes | None = None, most: int = MOST) -> None:
        """Start empty, or as a snapshot says. Raises MaskError."""
        self._most = most
        self._windows: dict[int, Window] = {} if snapshot is None else _read(snapshot)

    def __len__(self) -> int:
        """Windows that are remembered."""
        return len(self._windows)

    def passes(self, cap: Cap, now: float) -> bool:
        """Count an event; whether it goes out.

        The first of a window does; with a threshold N also the one behind each N of them.
        """
        window = self._windows.get(cap.key)
        # One that would last longer than twice its time was begun while the clock was wrong, or the time much longer.
        if window is None or not now < window.until <= now + 2 * cap.ttl_s:
            # At the end again, so that the oldest stay in front.
            self._windows.pop(cap.key, None)
            self._windows[cap.key] = Window(now + cap.ttl_s, 1)
            if len(self._windows) > self._most:
                del self._windows[next(iter(self._windows))]
            return True
        window.hits += 1
        return cap.threshold is not None and (window.hits - 1) % cap.threshold == 0

    def forget(self, now: float) -> None:
        """Let go of the windows that have ended, up to one that has not."""
        while self._windows:
            key, window = next(iter(self._windows.items()))
            if window.until > now:
                return
            del self._windows[key]

    def next_end(self) -> float | None:
        """When there is something to forget; None when nothing is remembered."""
        return next((window.until for window in self._windows.values()), None)

    def snapshot(self) -> bytes:
        """The windows. Keys are hashes without a secret: no text stands in it, but whoever has it and guesses one, an
        email perhaps, can tell whether it came.
        """
        return msgspec.msgpack.encode(_State(STATE_VERSION, self._windows))


def _read(snapshot: bytes) -> dict[int, Window]:
    try:
        state = msgspec.msgpack.decode(snapshot, type=_State)
    except msgspec.MsgspecError as error:
        raise MaskError(f"the saved windows of a frequency cap cannot be read: {error}") from None
    if state.version != STATE_VERSION:
        raise MaskError(
            f"the saved windows of a frequency cap have version {state.version}, this Offramp reads {STATE_VERSION}; "
            "start the version that wrote them"
        )
    return state.windows

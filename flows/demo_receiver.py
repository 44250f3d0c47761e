"""The endpoints of the demo: an HTTP server on loopback that answers like services do, one of them badly at times.

Speaks as much HTTP/1.1 as the demo needs: keep-alive and Content-Length, nothing chunked.
Units: milliseconds, and seconds where the name says so.
"""

import asyncio
import random
import threading
import time
from collections import Counter, defaultdict, deque
from datetime import datetime
from http import HTTPStatus
from types import TracebackType
from typing import NamedTuple, Self

SHOWN_ARRIVALS = 8
SHOWN_BODY = 160
LATENCY_WINDOW = 200
"""Arrivals per endpoint over which the latency is taken."""

TROUBLED = "ads"
TROUBLE_EVERY_S, TROUBLE_S = 20.0, 3.0
"""The troubled endpoint answers 503 to everything for so long, so often."""
ERROR_SHARE, SLOW_SHARE = 0.05, 0.05
"""Outside of that, this share of its answers is a 503, and this share is slow."""
SLOW_S = 1.5


class Arrival(NamedTuple):
    """One request and the answer that it got."""

    at: float
    method: str
    path: str
    body: str
    status: int


class Receiver:
    """Runs on its own thread between `__enter__` and `__exit__`. The first part of a path names the endpoint."""

    def __init__(self, seed: int = 1, *, moody: bool = True) -> None:
        """Nothing is listening yet. One that is not `moody` answers badly only where it is told to."""
        self.url = ""
        self.broken: set[str] = set()
        """Endpoints that answer 500 to everything."""
        self._moody = moody
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._arrivals: deque[Arrival] = deque(maxlen=SHOWN_ARRIVALS)
        self._latencies: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=LATENCY_WINDOW))
        self._accepted: Counter[str] = Counter()
        self._started = time.monotonic()
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="demo-receiver", daemon=True)

    def __enter__(self) -> Self:
        """Listens on a free port of 127.0.0.1."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes all connections."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def arrivals(self) -> list[Arrival]:
        """The last ones, the newest last."""
        with self._lock:
            return list(self._arrivals)

    def accepted(self, endpoint: str) -> int:
        """Requests answered with 200."""
        with self._lock:
            return self._accepted[endpoint]

    def latency_ms(self, endpoint: str) -> float | None:
        """The median time from an event's creation to the arrival of its request."""
        with self._lock:
            latencies = sorted(self._latencies[endpoint])
        return latencies[len(latencies) // 2] if latencies else None

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    async def _close(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        if connection is not None:
            self._connections.add(connection)
            connection.add_done_callback(self._connections.discard)
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError, asyncio.CancelledError):
            # The sender has gone, or this is no HTTP, or the demo ends: nothing is left to answer.
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        at = time.time()
        request_line, *lines = head.splitlines()
        method, path, _ = request_line.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        status, wait_s = self._behave(_endpoint(path))
        await asyncio.sleep(wait_s)
        self._note(Arrival(at, method, path, body[:SHOWN_BODY].decode("utf-8", "replace"), status), headers)
        answer = b"ok\n" if status == HTTPStatus.OK else b"please come back later\n"
        writer.write(
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: text/plain\r\n"
            f"Content-Length: {len(answer)}\r\n\r\n".encode()
            + answer
        )
        await writer.drain()
        return headers.get("connection", "").lower() != "close"

    def _behave(self, endpoint: str) -> tuple[int, float]:
        """The status of the answer, and the seconds that it takes."""
        usual_s = self._random.uniform(0.002, 0.02)
        if endpoint in self.broken:
            return HTTPStatus.INTERNAL_SERVER_ERROR, usual_s
        if endpoint != TROUBLED or not self._moody:
            return HTTPStatus.OK, usual_s
        in_period_s = (time.monotonic() - self._started) % TROUBLE_EVERY_S
        draw = self._random.random()
        if in_period_s > TROUBLE_EVERY_S - TROUBLE_S or draw < ERROR_SHARE:
            return HTTPStatus.SERVICE_UNAVAILABLE, usual_s
        return HTTPStatus.OK, SLOW_S if draw < ERROR_SHARE + SLOW_SHARE else usual_s

    def _note(self, arrival: Arrival, headers: dict[str, str]) -> None:
        endpoint = _endpoint(arrival.path)
        with self._lock:
            self._arrivals.append(arrival)
            if arrival.status == HTTPStatus.OK:
                self._accepted[endpoint] += 1
                if (created := headers.get("x-event-time")) is not None:
                    since = datetime.fromisoformat(created).timestamp()
                    self._latencies[endpoint].append((arrival.at - since) * 1000)


def _endpoint(path: str) -> str:
    return path.strip("/").split("/")[0].split("?")[0]

"""The endpoints of `bench.isolation`, in a process of their own: healthy ones that measure, and one that is sick.

`POST /ok/NAME` answers 200 at once and notes how old the event was, from its `"sent":` (milliseconds of the epoch).
`POST /sick` answers as the fault says: 500, after 3 s, or never; after `GET /heal` as a healthy one. `GET /stats` tells
the counts and the latencies since the last `GET /reset`. It trusts that clients write well-formed HTTP/1.1.
"""

import asyncio
import json
import sys
import time
from typing import Final, cast

import uvloop

SLOW_S: Final = 3.0
_OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_BROKEN: Final = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 6\r\n\r\nbroken"
_SENT: Final = b'"sent":'


class Record:
    """What has arrived."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.latencies_ms: list[float] = []
        self.sick = self.sick_ok = 0
        self.first = self.last = 0.0

    def healthy(self, body: bytes) -> None:
        """One delivery to a healthy endpoint."""
        now = time.time()
        sent = body[body.find(_SENT) + len(_SENT) :]
        self.latencies_ms.append(now * 1000 - float(sent[: sent.find(b"}")]))
        self.first = self.first or now
        self.last = now

    def stats(self) -> dict[str, float]:
        """Counts, and quantiles in milliseconds."""
        ordered = sorted(self.latencies_ms)

        def quantile(q: float) -> float:
            return ordered[int(q * (len(ordered) - 1))] if ordered else 0.0

        return {
            "healthy": len(ordered),
            "sick": self.sick,
            "sick_ok": self.sick_ok,
            "seconds": self.last - self.first,
            "p50_ms": quantile(0.5),
            "p99_ms": quantile(0.99),
        }


class Endpoint(asyncio.Protocol):
    """One connection."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it for the answers."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer whatever is complete."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = int(self._buffer[:end].lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            if len(self._buffer) < end + 4 + length:
                return
            path = self._buffer.split(b" ", 2)[1]
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._answer(path, body)

    def _answer(self, path: bytes, body: bytes) -> None:
        record = self._record
        if path.startswith(b"/ok/"):
            record.healthy(body)
            self._transport.write(_OK)
        elif path == b"/sick":
            self._answer_sick()
        else:
            if path == b"/heal":
                record.fault = "none"
            elif path == b"/reset":
                record.reset()
            text = json.dumps(record.stats()).encode()
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))

    def _answer_sick(self) -> None:
        record = self._record
        record.sick += 1
        if record.fault == "none":
            record.sick_ok += 1
            self._transport.write(_OK)
        elif record.fault == "500":
            self._transport.write(_BROKEN)
        elif record.fault == "slow":
            asyncio.get_running_loop().call_later(SLOW_S, self._answer_late)

    def _answer_late(self) -> None:
        self._record.sick_ok += 1
        if not self._transport.is_closing():
            self._transport.write(_OK)


async def serve(fault: str) -> None:
    """Print the port and serve until killed."""
    record = Record(fault)
    server = await asyncio.get_running_loop().create_server(lambda: Endpoint(record), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))

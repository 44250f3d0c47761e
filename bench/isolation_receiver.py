"""The endpoints of `bench.isolation`, in a process of their own: healthy ones that measure, and one that is sick.

It prints two ports. On the first, `POST /ok/NAME` answers 200 at once and notes how old the event was, from its
`"sent":` (milliseconds of the epoch), and

* `GET /stats` tells how much has come since the last `GET /reset`,
* `GET /record` tells all of it, for the time after a measurement: it takes long,
* `GET /heal` makes the sick one well.

On the second, `POST /sick` answers as the fault says: 500, after 3 s (slow), or never (hang); where it is dead, nobody
listens there before it is healed. It trusts that clients write well-formed HTTP/1.1.
"""

import asyncio
import json
import socket
import sys
import time
from typing import Any, Final, cast

import uvloop

SLOW_S: Final = 3.0
_OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_BROKEN: Final = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 6\r\n\r\nbroken"
_SENT: Final = b'"sent":'


class Record:
    """What has arrived."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.healed = asyncio.Event()
        self.healed_at = 0.0
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.healthy: list[tuple[float, float]] = []
        """When each delivery to a healthy endpoint came, and how old it was, in seconds."""
        self.sick = 0
        self.sick_ok: list[tuple[float, float, str]] = []
        """The same of each that the sick one answered well, and which event it was."""
        self._distinct: set[str] = set()

    def heal(self) -> None:
        """From now on the sick one is well."""
        self.fault = "none"
        self.healed_at = self.healed_at or time.time()
        self.healed.set()

    def answered_well(self, at: float, body: bytes) -> None:
        """The sick one has said 200."""
        event = str(json.loads(body)["id"])
        self.sick_ok.append((at, _age_s(at, body), event))
        self._distinct.add(event)

    def stats(self) -> dict[str, int]:
        """Counts, cheap enough to be looked at during a measurement."""
        return {"healthy": len(self.healthy), "sick": self.sick, "sick_distinct": len(self._distinct)}

    def everything(self) -> dict[str, Any]:
        """What a measurement is made of."""
        return {"healthy": self.healthy, "sick_ok": self.sick_ok, "healed_at": self.healed_at}


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
        record, now = self._record, time.time()
        if path.startswith(b"/ok/"):
            record.healthy.append((now, _age_s(now, body)))
            self._transport.write(_OK)
        elif path == b"/sick":
            self._answer_sick(now, body)
        else:
            if path == b"/heal":
                record.heal()
            elif path == b"/reset":
                record.reset()
            text = json.dumps(record.everything() if path == b"/record" else record.stats()).encode()
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))

    def _answer_sick(self, now: float, body: bytes) -> None:
        self._record.sick += 1
        fault = self._record.fault
        if fault == "none":
            self._answer_well(now, body)
        elif fault == "500":
            self._transport.write(_BROKEN)
        elif fault == "slow":
            asyncio.get_running_loop().call_later(SLOW_S, self._answer_well, now, body)

    def _answer_well(self, came_at: float, body: bytes) -> None:
        if not self._transport.is_closing():
            self._record.answered_well(came_at, body)
            self._transport.write(_OK)


def _age_s(now: float, body: bytes) -> float:
    sent = body[body.find(_SENT) + len(_SENT) :]
    return now - float(sent[: sent.find(b"}")]) / 1000


async def serve(fault: str) -> None:
    """Print the ports and serve until killed."""
    record = Record(fault)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Endpoint(record), "127.0.0.1", 0, backlog=1024)
    # Bound at once: as long as nobody listens there it refuses, and nobody else gets it.
    place = socket.socket()
    place.bind(("127.0.0.1", 0))
    print(server.sockets[0].getsockname()[1], place.getsockname()[1], flush=True)
    if fault == "dead":
        await record.healed.wait()
    sick = await loop.create_server(lambda: Endpoint(record), sock=place, backlog=1024)
    await asyncio.gather(server.serve_forever(), sick.serve_forever())


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))

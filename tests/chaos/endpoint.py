"""Endpoints that fail in every way, in a process of their own; each has a port, and a fault that can be switched.

    python -m tests.chaos.endpoint RECORD NAME...

Says `{"control": port, "ports": {name: port}}` on standard output, obeys lines such as `{"name": "a", "fault": "hang"}`
on the control port (and answers `ok`), and ends with its standard input. Each request is written to RECORD when it has
come and when it was answered, or was not: that file is what a verdict is based on, whatever the job says of itself.

A fault is that of the moment at which a request has come. What was answered well is never taken back: an endpoint that
begins to refuse ends its connections behind the answer, so that each event is answered well once, unless it is sent
twice.
"""

import asyncio
import gzip
import itertools
import json
import os
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TextIO

import uvloop

from tests.connectors.certificates import Pair

FAULTS = (
    *("refuse", "hang", "drip", "reset", "500", "flap", "429", "length", "huge", "tls"),
    *("headers", "slow", "404", "redirect"),
)
LATE = "late"
"""No fault: a good answer after 0.3 s."""
_FLAP_S = 1.0
_SLOW_S = 2.5
"""Half of the time that the destinations of `test_chaos` give it: a busy machine must not make a timeout of it."""
_LATE_S = 0.3
_HUGE = 1 << 30
_CHUNK = b"\0" * 65536
_GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_PLAIN = {
    "500": b"HTTP/1.1 500 Broken\r\nContent-Length: 4\r\n\r\noops",
    "429": b"HTTP/1.1 429 Slow Down\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    "404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: /stolen\r\nContent-Length: 0\r\n\r\n",
}


class Request(NamedTuple):
    """What came."""

    number: int
    path: str
    webhook_id: str
    uuids: list[str]
    more: dict[str, Any]
    """What its headers say: `gzip` (its body was compressed), `replayed`, and the `version` of a destination's file."""


class Endpoint:
    """One name: its port, its fault, its connections."""

    def __init__(self, name: str, record: TextIO, numbers: "itertools.count[int]", tls: "Tls | None") -> None:
        """Binds the port at once, so that nobody else gets it while this one refuses."""
        self.fault = ""
        self._name = name
        self._record = record
        self._numbers = numbers
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._idle: set[asyncio.StreamWriter] = set()
        self._place = _bound(0)
        self.port: int = self._place.getsockname()[1]

    async def become(self, fault: str) -> None:
        """Change the fault; empty is none."""
        before, self.fault = self.fault, fault
        if self._tls is not None:
            self._tls.trusted(fault != "tls")
        if fault == "refuse" and self._server is not None:
            self._server.close()
            self._server = None
        if fault in ("refuse", "tls") or before == "tls":
            for writer in list(self._idle):
                writer.close()
        if fault != "refuse" and self._server is None:
            context = None if self._tls is None else self._tls.context
            self._server = await asyncio.start_server(
                self._connection, sock=_bound(self.port), ssl=context, backlog=512, limit=1 << 20
            )

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                self._idle.add(writer)
                head = await reader.readuntil(b"\r\n\r\n")
                self._idle.discard(writer)
                request = await self._read(head, reader)
                fault = self.fault
                self._write(request, "received", None, fault)
                if not await self._answer(request, fault, reader, writer) or self.fault in ("refuse", "tls"):
                    break
        self._idle.discard(writer)
        writer.close()

    async def _read(self, head: bytes, reader: asyncio.StreamReader) -> Request:
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(fields.get("content-length", 0)))
        compressed = fields.get("content-encoding") == "gzip"
        more = {
            "gzip": compressed,
            "replayed": fields.get("offramp-replayed") == "true",
            "version": int(fields.get("x-version", 0)),
        }
        return Request(
            next(self._numbers), first.split(" ")[1], fields.get("webhook-id", ""), _uuids(body, compressed), more
        )

    async def _answer(
        self, request: Request, fault: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer as the fault wants it; true when the connection may go on."""
        if fault == "flap":
            fault = "500" if int(time.time() / _FLAP_S) % 2 else ""
        if fault in ("slow", LATE):
            if await _left(reader, _SLOW_S if fault == "slow" else _LATE_S):
                self._write(request, "gone", None, fault)
                return False
            fault = ""
        if not fault or fault in _PLAIN or fault in ("refuse", "tls"):
            # It came just before the fault, perhaps on a connection that is being ended: then nobody hears the answer.
            if writer.is_closing():
                self._write(request, "gone", None, fault)
                return False
            answer = _PLAIN.get(fault, _GOOD)
            writer.write(answer)
            self._write(request, "answered", int(answer[9:12]), "")
            await writer.drain()
            return True
        if fault == "huge":
            # Good: the beginning says so, and nobody needs to read it all.
            self._write(request, "answered", 200, fault)
        try:
            await _misbehave(fault, reader, writer)
        finally:
            if fault != "huge":
                self._write(request, "broken", None, fault)
        return False

    def _write(self, request: Request, kind: str, status: int | None, fault: str) -> None:
        line = {
            "name": self._name,
            "request": request.number,
            "path": request.path,
            "webhook_id": request.webhook_id,
            "uuids": request.uuids,
            "kind": kind,
            "at": time.time(),
            "status": status,
            "fault": fault,
            **request.more,
        }
        self._record.write(json.dumps(line) + "\n")


class Tls:
    """A server's context, whose certificate changes between one that is trusted and one that is not."""

    def __init__(self, good: Pair, bad: Pair) -> None:
        """Trusted at first."""
        self._pairs = (bad, good)
        self.context = good.server()

    def trusted(self, good: bool) -> None:
        """Holds for handshakes from now on."""
        self.context.load_cert_chain(*self._pairs[good])


def _uuids(body: bytes, compressed: bool) -> list[str]:
    """Of the events in a body."""
    try:
        content = json.loads((gzip.decompress(body) if compressed else body) or b"[]")
    except (OSError, EOFError, zlib.error, ValueError):
        # Nobody wants an event of that name: a verdict tells of it.
        return ["a body that cannot be read"]
    return [one["uuid"] for one in (content if isinstance(content, list) else [content])]


async def _misbehave(fault: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the client has gone or the connection is to be closed."""
    if fault == "hang":
        await reader.read(1)
    elif fault == "drip":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not await _left(reader, 1.0):
            writer.write(b".")
            await writer.drain()
    elif fault == "reset":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"." * 100)
        await writer.drain()
        # A reset discards what the client has not read yet.
        await _left(reader, 0.02)
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    elif fault == "length":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\ntoo short")
        await writer.drain()
    elif fault == "huge":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % _HUGE)
        for _ in range(0, _HUGE, len(_CHUNK)):
            writer.write(_CHUNK)
            await writer.drain()
            if writer.is_closing():
                return
    elif fault == "headers":
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in itertools.count():
            writer.write(b"X-%d: %s\r\n" % (number, b"x" * 1000))
            await writer.drain()
            if await _left(reader, 0.001):
                return


async def _left(reader: asyncio.StreamReader, wait_s: float) -> bool:
    """Whether the client goes away within this time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            return not await reader.read(1)
    return False


def _bound(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    return sock


async def _serve(record: TextIO, names: Sequence[str], tls: Mapping[str, Tls]) -> None:
    numbers = itertools.count(1)
    endpoints = {name: Endpoint(name, record, numbers, tls.get(name)) for name in names}
    for endpoint in endpoints.values():
        await endpoint.become("")

    async def control(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            order = json.loads(line)
            await endpoints[order["name"]].become(order["fault"])
            writer.write(b"ok\n")
            await writer.drain()

    server = await asyncio.start_server(control, "127.0.0.1", 0)
    ports = {name: endpoint.port for name, endpoint in endpoints.items()}
    sys.stdout.write(json.dumps({"control": server.sockets[0].getsockname()[1], "ports": ports}) + "\n")
    sys.stdout.flush()
    # Ends with the one who has started it, however that one ends.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main(arguments: Sequence[str]) -> None:
    """RECORD, then NAME or NAME=CERT,KEY,UNTRUSTED CERT,ITS KEY."""
    names, tls = [], {}
    for argument in arguments[1:]:
        name, _, files = argument.partition("=")
        names.append(name)
        if files:
            cert, key, bad_cert, bad_key = map(Path, files.split(","))
            tls[name] = Tls(Pair(cert, key), Pair(bad_cert, bad_key))
    with Path(arguments[0]).open("a", buffering=1) as record:
        uvloop.run(_serve(record, names, tls))
        record.flush()
        # Connections that hang are of no interest any more.
        os._exit(0)


class Endpoints:
    """The process, for a test; runs while its `with` block does."""

    def __init__(self, folder: Path, names: Sequence[str], tls: Mapping[str, tuple[Pair, Pair]] | None = None) -> None:
        """`tls` names those that speak HTTPS: with the certificate of their good days, and the other one."""
        self.record = folder / "record.jsonl"
        self._log = folder / "endpoints.log"
        self._tls = dict(tls or {})
        self._names = [self._argument(name) for name in names]
        self._faults = dict.fromkeys(names, "")

    def __enter__(self) -> Self:
        """Starts it."""
        command = [sys.executable, "-P", "-m", "tests.chaos.endpoint", str(self.record), *self._names]
        root = str(Path(__file__).parents[2])
        env = {**os.environ, "PYTHONPATH": root}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=root, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        said: dict[str, Any] = json.loads(self._process.stdout.readline() or "{}")
        assert said, self._log.read_text()
        self._ports: dict[str, int] = said["ports"]
        self._control = socket.create_connection(("127.0.0.1", said["control"]))
        self._lines = self._control.makefile("rb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends it; the record is complete afterwards."""
        self.close()

    def close(self) -> None:
        """Ends it; can be called again."""
        if self._process.poll() is None:
            self._lines.close()
            self._control.close()
            self._process.communicate(timeout=30)

    def url(self, name: str) -> str:
        """Where this one listens."""
        return f"{'https' if name in self._tls else 'http'}://127.0.0.1:{self._ports[name]}/{name}"

    def become(self, name: str, fault: str = "") -> None:
        """Switch a fault; holds when this returns."""
        if self._faults[name] == fault:
            return
        self._faults[name] = fault
        self._control.sendall(json.dumps({"name": name, "fault": fault}).encode() + b"\n")
        assert self._lines.readline() == b"ok\n", self._log.read_text()

    def _argument(self, name: str) -> str:
        if name not in self._tls:
            return name
        return f"{name}=" + ",".join(str(path) for pair in self._tls[name] for path in pair)


if __name__ == "__main__":
    main(sys.argv[1:])

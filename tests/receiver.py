"""A scripted HTTP/1.1 receiver on loopback: records every request exactly and answers as told, well or badly.

It speaks the protocol on plain asyncio streams, on a thread of its own, so that a test can send what no server
framework would: a reset in the middle of a body, a header block of 100 KB, one byte a second. It refuses nothing.

    with Receiver() as r:
        r.on("/flaky", Answer(500), Answer(200, b"ok"))         # first 500, then 200 for ever
        send(r.url + "/flaky")
        [request] = r.wait(1)
        assert request.header("content-type") == "application/json"
"""

import asyncio
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Any, Self

_CHUNK = b"\0" * 65536


class Break(Enum):
    """Where the receiver breaks the connection with a TCP reset."""

    BEFORE_STATUS = "before the status line"
    BEFORE_BODY = "behind the headers"
    MID_BODY = "in the middle of the body"


@dataclass(frozen=True)
class Answer:
    """What to answer to one request. The defaults are a plain `200 OK` without a body on a kept-alive connection."""

    status: int = 200
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = ()
    """Sent as given, in order, behind `Content-Length`."""
    delay_s: float = 0.0
    """Before the first byte of the answer."""
    hang: bool = False
    """Never answer; the request ends when the client goes away."""
    size: int | None = None
    """Send this many zero bytes instead of `body`; meant for bodies larger than memory."""
    chunked: bool = False
    """`Transfer-Encoding: chunked` instead of `Content-Length`."""
    drip_s: float = 0.0
    """Pause between single bytes of the body."""
    drip_headers_s: float = 0.0
    """Pause between single bytes of the status line and headers."""
    reset: Break | None = None
    close: bool = False
    """Close the connection behind the answer without having announced it."""
    raw: bytes | None = None
    """Send exactly these bytes instead of everything above, then close."""


@dataclass(frozen=True)
class Received:
    """One request as it came off the wire."""

    method: str
    target: str
    """Path and query, undecoded."""
    headers: list[tuple[str, str]]
    """In order, with the case of the sender, latin-1 decoded."""
    body: bytes
    at: float
    """When its last byte had arrived, `time.monotonic()`."""
    connection: int
    """Number of the connection that brought it, from 1; equal numbers mean a kept-alive connection."""
    client: str | None = None
    """The common name in the client's certificate, where it brought one."""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever the case of its name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


@dataclass
class _Script:
    answers: Sequence[Answer]
    next: int = 0
    active: int = 0
    peak: int = 0

    def take(self) -> Answer:
        answer = self.answers[min(self.next, len(self.answers) - 1)]
        self.next += 1
        return answer


@dataclass
class Receiver:
    """Listens on a free port of `host` while its `with` block runs. All methods may be called from any thread.

    `default` answers paths that `on` has not named. With `keep_alive=N` a connection is closed, unannounced, behind its
    N-th answer. With `tls` it speaks HTTPS.
    """

    default: Answer = Answer()
    keep_alive: int | None = None
    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    requests: list[Received] = field(default_factory=list)
    """Every request so far, in order of arrival."""
    connections: int = 0
    """How many connections were accepted so far."""

    def __post_init__(self) -> None:
        """Prepares the thread; nothing listens before `__enter__`."""
        self.port = 0
        self._scripts: dict[str, _Script] = {}
        self._arrived = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="receiver", daemon=True)

    def __enter__(self) -> Self:
        """Starts to listen; `url` is known from here on."""
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drops every connection and stops."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def url(self) -> str:
        """`http://host:port`, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def on(self, path: str, *answers: Answer) -> None:
        """Answers requests for `path` one after the other with `answers`; the last one repeats for ever."""
        self._scripts[path] = _Script(answers)

    def of(self, path: str) -> list[Received]:
        """The requests for one path so far."""
        return [request for request in list(self.requests) if request.path == path]

    def active(self, path: str) -> int:
        """Requests for a path that are not answered yet."""
        return self._scripts[path].active if path in self._scripts else 0

    def peak(self, path: str) -> int:
        """The most requests for a path that were waiting for their answer at the same time."""
        return self._scripts[path].peak if path in self._scripts else 0

    def wait(self, count: int, timeout: float = 5.0, path: str | None = None) -> list[Received]:
        """Blocks until `count` requests have arrived (for `path`, if given) and returns them all.

        Raises:
            AssertionError: fewer came within `timeout` seconds.
        """

        def seen() -> list[Received]:
            return list(self.requests) if path is None else self.of(path)

        with self._arrived:
            if not self._arrived.wait_for(lambda: len(seen()) >= count, timeout):
                raise AssertionError(f"{len(seen())} of {count} requests arrived within {timeout} s")
        return seen()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connection, self.host, 0, ssl=self.tls, backlog=1024, limit=1 << 20)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # an aborted socket is closed one turn later

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            left = self.keep_alive
            while left is None or left > 0:
                request = await _read_request(reader, writer, number)
                if not await self._answer(request, reader, writer):
                    break
                left = left - 1 if left is not None else None
        except (OSError, asyncio.IncompleteReadError):
            writer.close()
        except asyncio.CancelledError:
            writer.transport.abort()
        else:
            writer.close()

    async def _answer(self, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        script = self._scripts.get(request.path) or self._scripts.setdefault(request.path, _Script([self.default]))
        answer = script.take()
        script.active += 1
        script.peak = max(script.peak, script.active)
        with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()
        try:
            return await _send(answer, request.method, reader, writer)
        finally:
            script.active -= 1


async def _read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head[:-4].split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    fields = {name.lower(): value for name, value in headers}
    if fields.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if fields.get("transfer-encoding", "").lower() == "chunked":
        body = await _read_chunked(reader)
    else:
        body = await reader.readexactly(int(fields.get("content-length", 0)))
    return Received(method, target, headers, body, time.monotonic(), connection, _common_name(writer))


def _common_name(writer: asyncio.StreamWriter) -> str | None:
    subject = (writer.get_extra_info("peercert") or {}).get("subject", ())
    return next((value for fields in subject for name, value in fields if name == "commonName"), None)


async def _read_chunked(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


async def _send(answer: Answer, method: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Sends one answer; true when the connection may carry another request."""
    if answer.delay_s:
        await asyncio.sleep(answer.delay_s)
    if answer.hang:
        await reader.read(1)
        return False
    if answer.raw is not None:
        writer.write(answer.raw)
        await writer.drain()
        return False
    if answer.reset is Break.BEFORE_STATUS:
        return _reset(writer)
    await _drip(writer, _head(answer), answer.drip_headers_s)
    if answer.reset is Break.BEFORE_BODY:
        return await _reset_behind(writer)
    if method != "HEAD":
        await _send_body(answer, writer)
    if answer.reset is Break.MID_BODY:
        return await _reset_behind(writer)
    return not answer.close


def _head(answer: Answer) -> bytes:
    length = len(answer.body) if answer.size is None else answer.size
    framing = "Transfer-Encoding: chunked" if answer.chunked else f"Content-Length: {length}"
    lines = [f"HTTP/1.1 {answer.status} Scripted", framing, *(f"{name}: {value}" for name, value in answer.headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _send_body(answer: Answer, writer: asyncio.StreamWriter) -> None:
    if answer.size is not None:
        for start in range(0, answer.size, len(_CHUNK)):
            await _write(writer, _CHUNK[: answer.size - start], answer.chunked)
    elif answer.reset is Break.MID_BODY:
        await _write(writer, answer.body[: len(answer.body) // 2], answer.chunked)
        return
    elif answer.drip_s:
        for byte in answer.body:
            await _write(writer, bytes([byte]), answer.chunked)
            await asyncio.sleep(answer.drip_s)
    elif answer.body:
        await _write(writer, answer.body, answer.chunked)
    if answer.chunked:
        writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _write(writer: asyncio.StreamWriter, data: bytes, chunked: bool) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
    await writer.drain()


async def _drip(writer: asyncio.StreamWriter, data: bytes, pause_s: float) -> None:
    if not pause_s:
        writer.write(data)
        return
    for byte in data:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(pause_s)


def _reset(writer: asyncio.StreamWriter) -> bool:
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


async def _reset_behind(writer: asyncio.StreamWriter) -> bool:
    """Resets once the client has had time to read what was sent: a reset discards what it has not read yet."""
    await writer.drain()
    await asyncio.sleep(0.05)
    return _reset(writer)

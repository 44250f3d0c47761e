"""A server of bare bytes on loopback, for what no HTTP server would do: a function per connection, on threads."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

Handler = Callable[[socket.socket], None]


class RawServer:
    """Listens while its `with` block runs; hands every connection to `handler`, and closes it then."""

    def __init__(self, handler: Handler) -> None:
        """OSError of the handler means that the client has gone away."""
        self._handler = handler
        self._server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._open: list[socket.socket] = []
        self.connections = 0
        self.port: int = self._server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Starts to listen."""
        threading.Thread(target=self._accept, name="raw-server", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drops every connection."""
        for each in (self._server, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self.connections += 1
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError):
            self._handler(client)
        client.close()


def request_of(client: socket.socket) -> bytes:
    """The head of a request, and what came with it; raises OSError when the client has gone."""
    head = b""
    while b"\r\n\r\n" not in head:
        received = client.recv(65536)
        if not received:
            raise ConnectionResetError
        head += received
    return head


def answering(*parts: bytes, pause_s: float = 0.0, times: int = 1) -> Handler:
    """Answers a connection's first requests with these parts, one after the other, and closes it."""

    def handle(client: socket.socket) -> None:
        for _ in range(times):
            request_of(client)
            for part in parts:
                client.sendall(part)
                time.sleep(pause_s)

    return handle


def endless(first: bytes, again: bytes, pause_s: float = 0.0) -> Handler:
    """Answers with `first`, and then with `again` until the client goes away."""

    def handle(client: socket.socket) -> None:
        request_of(client)
        client.sendall(first)
        while True:
            client.sendall(again)
            time.sleep(pause_s)

    return handle

"""A scripted HTTP proxy on loopback that makes tunnels: names lead where the test says, answers are as it says.

For plain `http://` requests a `tests.receiver.Receiver` is proxy enough: they arrive there with their whole URL.
"""

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self


class TunnelProxy:
    """Listens while its `with` block runs. An `answer` is sent instead of making a tunnel; b"" never answers."""

    def __init__(self, leads: Mapping[str, int], answer: bytes | None = None) -> None:
        """`leads` has the ports on loopback that `host:port` leads to."""
        self._leads = leads
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port: int = self._server.getsockname()[1]
        self.heads: list[list[str]] = []
        """The lines of every CONNECT so far."""

    def __enter__(self) -> Self:
        """Starts to listen."""
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drops every connection."""
        for each in (self._server, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    @property
    def authorizations(self) -> list[str | None]:
        """The `Proxy-Authorization` of every CONNECT."""
        pairs = [[line.split(": ", 1) for line in head[1:]] for head in self.heads]
        return [next((v for k, v in each if k.lower() == "proxy-authorization"), None) for each in pairs]

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                received = client.recv(65536)
                if not received:
                    return
                head += received
            lines = head.decode("latin-1")[:-4].split("\r\n")
            self.heads.append(lines)
            if self._answer is not None:
                client.sendall(self._answer)
                if self._answer:
                    client.close()
                return
            port = self._leads[lines[0].split(" ")[1]]
            upstream = socket.create_connection(("127.0.0.1", port))
            self._open.append(upstream)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            threading.Thread(target=_pump, args=(client, upstream), daemon=True).start()
            _pump(upstream, client)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while received := source.recv(65536):
            sink.sendall(received)
        sink.shutdown(socket.SHUT_WR)

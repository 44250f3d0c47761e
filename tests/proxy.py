"""A scripted HTTP proxy on loopback that makes tunnels: names lead where the test says, answers are as it says.

For plain `http://` requests a `tests.receiver.Receiver` is proxy enough: they arrive there with their whole URL.
"""

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress

from tests.raw_server import RawServer, request_of


class TunnelProxy(RawServer):
    """Listens while its `with` block runs. An `answer` is sent instead of making a tunnel; b"" never answers."""

    def __init__(self, leads: Mapping[str, int], answer: bytes | None = None) -> None:
        """`leads` has the ports on loopback that `host:port` leads to."""
        super().__init__(self._tunnel)
        self._leads = leads
        self._answer = answer
        self.heads: list[list[str]] = []
        """The lines of every CONNECT so far."""

    @property
    def authorizations(self) -> list[str | None]:
        """The `Proxy-Authorization` of every CONNECT."""
        pairs = [[line.split(": ", 1) for line in head[1:]] for head in self.heads]
        return [next((v for k, v in each if k.lower() == "proxy-authorization"), None) for each in pairs]

    def _tunnel(self, client: socket.socket) -> None:
        lines = request_of(client).decode("latin-1")[:-4].split("\r\n")
        self.heads.append(lines)
        if self._answer is not None:
            client.sendall(self._answer)
            while not self._answer and client.recv(65536):
                pass
            return
        port = self._leads[lines[0].split(" ")[1]]
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            there = threading.Thread(target=_pump, args=(client, upstream), daemon=True)
            there.start()
            _pump(upstream, client)
            there.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while received := source.recv(65536):
            sink.sendall(received)
        sink.shutdown(socket.SHUT_WR)

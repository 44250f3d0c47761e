"""What the HTTP transport costs above a bare aiohttp loop with the same number in flight: deliveries/s and CPU each.

    python -m bench.http [--deliveries 20000] [--rounds 3] [--in-flight 64]

The bare loop is a fixed set of workers around `session.post`, nothing else. Both send the same request to a receiver in
another process; where the machine has two cores, each side is pinned to one. Rounds take turns; medians are printed.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from ipaddress import ip_network
from typing import cast

import aiohttp
import uvloop

from bench.cores import pin
from connectors.http import HttpTransport
from records import Invocation, Policy, Request

_BODY = b'{"event":"$pageview","distinct_id":"' + b"x" * 900 + b'"}'
_HEADERS = {"Content-Type": "application/json"}
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class _Sink(asyncio.Protocol):
    """Answers every request with 200. It trusts `Content-Length` and that heads arrive whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection's own buffer starts empty."""
        self._transport = cast(asyncio.WriteTransport, transport)
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answers whatever is complete."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            self._transport.write(_ANSWER)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Sink, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _bare(url: str, deliveries: int, in_flight: int) -> None:
    async def work(session: aiohttp.ClientSession, queue: list[int]) -> None:
        while queue:
            queue.pop()
            async with session.post(url, data=_BODY, headers=_HEADERS) as response:
                assert response.status == 200

    async def main() -> None:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(10)) as session:
            queue = list(range(deliveries))
            await asyncio.gather(*(work(session, queue) for _ in range(in_flight)))

    uvloop.run(main())


def _transport(url: str, deliveries: int, in_flight: int) -> None:
    """As `deliver` uses it: batches go in, attempts are collected every few milliseconds."""
    transport = HttpTransport(allow=[ip_network("127.0.0.0/8")], total=in_flight)
    transport.start()
    policy = Policy(concurrency=in_flight)
    request = Request("POST", url, _HEADERS, _BODY)
    sent = done = 0
    while done < deliveries:
        batch = [
            Invocation(f"msg_{number}", "d", "-", 0, number, 0, "u", "e", "x", request)
            for number in range(sent, min(deliveries, done + 1024))
        ]
        if batch:
            transport.submit("d", policy, batch)
            sent += len(batch)
        attempts = transport.collect("d")
        assert all(attempt.response is not None and attempt.response.status == 200 for attempt in attempts)
        done += len(attempts)
        time.sleep(0.005)
    transport.close()


def _measure(run: Callable[[str, int, int], None], url: str, deliveries: int, in_flight: int) -> tuple[float, float]:
    """Deliveries per second of wall time, microseconds of CPU for each."""
    wall, cpu = time.perf_counter(), time.process_time()
    run(url, deliveries, in_flight)
    return deliveries / (time.perf_counter() - wall), (time.process_time() - cpu) / deliveries * 1e6


def main() -> None:
    """Runs both in turns and prints the ratio."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--deliveries", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--in-flight", type=int, default=64)
    options.add_argument("--sink", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.sink:
        pin(1)
        uvloop.run(_serve())
        return
    sink = subprocess.Popen([sys.executable, "-m", "bench.http", "--sink"], stdout=subprocess.PIPE)
    try:
        assert sink.stdout is not None
        url = f"http://127.0.0.1:{int(sink.stdout.readline())}/hook"
        pin(0)
        peers = {"bare aiohttp": _bare, "transport": _transport}
        results: dict[str, list[tuple[float, float]]] = {name: [] for name in peers}
        for _ in range(given.rounds):
            for name, run in peers.items():
                results[name].append(_measure(run, url, given.deliveries, given.in_flight))
        costs = []
        for name, rows in results.items():
            rate, cost = (statistics.median(column) for column in zip(*rows, strict=True))
            costs.append(cost)
            print(f"{name:14} {rate:9,.0f} deliveries/s {cost:7.1f} us CPU each")
        print(f"transport / bare aiohttp, CPU per delivery: {costs[1] / costs[0]:.2f}")
    finally:
        sink.kill()
        sink.wait()


if __name__ == "__main__":
    main()

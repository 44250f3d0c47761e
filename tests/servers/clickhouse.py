"""ClickHouse's engine behind an HTTP handler of ours: it reads statements, settings and rows as its server does.

What is ours (`clickhouse_http.py`) is how a request is taken apart, and the answer's status; who asks is not looked at.
The server itself is in no registry in a version that has these settings. The engine's licence is Apache 2.0.
"""

import json
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers.components import wheels
from tests.servers.process import free_ports, serving

_HANDLER = Path(__file__).parent / "clickhouse_http.py"


def fetch() -> Path:
    """The folder of its package."""
    return wheels("ClickHouse", "clickhouse")


class ClickHouse:
    """One that runs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, statement: str) -> list[dict[str, Any]]:
        """The rows that it answers; raises HTTPError where it refuses."""
        with urllib.request.urlopen(self.url, statement.encode(), timeout=30) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def answers(self) -> bool:
        return self.ask("SELECT 1 AS one") == [{"one": 1}]


@contextmanager
def clickhouse(folder: Path) -> Iterator[ClickHouse]:
    """An engine without tables."""
    [port] = free_ports(1)
    command = [sys.executable, str(_HANDLER), str(fetch()), str(folder / "data"), str(port)]
    made = ClickHouse(f"http://127.0.0.1:{port}")
    with serving("ClickHouse", command, folder, made.answers):
        yield made

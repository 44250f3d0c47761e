"""What the tests of operators share: destinations compiled from text, invocations, and a flow around one step."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bytewax import operators as op
from bytewax.dataflow import Dataflow, Stream
from bytewax.testing import TestingSink, TestingSource, run_main

import catalog
from destinations import Candidates, Destination, Index, Secrets, Site
from destinations.filters import Project
from destinations.loading import compile_bytes
from records import Invocation, Request, Source

STREAM = "kafka:events"
SECRET = "hunter2"
URL = "inputs: {url: 'https://a.example/'}"


class Clock:
    """A time that a test moves."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Configuration:
    """The destinations as they are configured now; each is the text of its file without the id."""

    def __init__(self, **texts: str) -> None:
        self.site = Site()
        self._destinations: dict[str, Destination] = {}
        self._index = Index([])
        for id, text in texts.items():
            self.put(id, text)

    def put(self, id: str, text: str) -> None:
        path = Path(f"{id}.yaml")
        data, secrets = f"id: {id}\n{text}".encode(), Secrets({"TOKEN": SECRET}.get)
        compiled = compile_bytes(path, data, secrets, catalog.builtin(), Project())
        assert compiled.destination is not None, compiled.problems
        self._destinations[id] = compiled.destination
        self._index = Index(self._destinations.values())

    def remove(self, id: str) -> None:
        del self._destinations[id]
        self._index = Index(self._destinations.values())

    def candidates(self, project: int, event_name: str, source: Source = Source.EVENTS) -> Candidates:
        return Candidates(one for one in self._index.candidates(project, event_name) if one.source is source)

    def find(self, destination: str) -> Destination | None:
        return self._index.get(destination)

    def ids(self) -> list[str]:
        return [id for id, destination in self._destinations.items() if destination.enabled]

    def removed(self, destination: str) -> bool:
        return destination not in self._destinations


def invocation(offset: int, destination: str = "crm", reread: bool = False) -> Invocation:
    """A match of the event at this position, with a secret in its request."""
    request = Request("POST", f"https://a.example/?token={SECRET}", {"Authorization": SECRET}, SECRET.encode())
    return Invocation(
        id=f"msg_{offset}",
        destination=destination,
        stream=STREAM,
        partition=0,
        offset=offset,
        read_ms=1_000_000,
        event_uuid=f"u{offset}",
        event_name="$pageview",
        person="anna",
        work=request,
        reread=reread,
    )


def run_through(step: Callable[[Stream[Any]], Stream[Any]], items: Iterable[Any], batch_size: int = 2) -> list[Any]:
    """What comes out of one step in a real flow."""
    out: list[Any] = []
    flow = Dataflow("flow")
    op.output("out", step(op.input("in", flow, TestingSource(items, batch_size))), TestingSink(out))
    run_main(flow)
    return out

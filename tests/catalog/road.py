"""The whole road of a template's case: the real route, deliver and HTTP, through a proxy that leads every host to one
scripted receiver on loopback.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from yarl import URL

from catalog import Template
from catalog.cases import Answer as Scripted
from catalog.cases import Case, Expected
from cli.template_case import destination_of, shown, view_of
from connectors.http import HttpTransport
from delivery import Handoff, Progress
from destinations import Destination
from hog import json_text
from operators.deliver import DeliverLogic, Delivery
from operators.route import Router
from records import Outcome, Policy, Verdict
from tests.connectors.certificates import authority, signed
from tests.connectors.sending import LOOPBACK, running
from tests.proxy import TunnelProxy
from tests.receiver import Answer, Received, Receiver

WITHIN_S = 20.0


class Everywhere(dict[str, int]):
    """Every host leads to one port."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __getitem__(self, _: str) -> int:
        return self._port


class One:
    """A configuration of one destination."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination

    def find(self, destination: str) -> Destination | None:
        return self._destination if destination == self._destination.id else None

    def ids(self) -> list[str]:
        return [self._destination.id]


class Captured:
    """Keeps what programs capture."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    async def put(self, key: str, event: bytes) -> None:
        self.events.append(json.loads(event))


class Road:
    """A transport, a proxy and a receiver, for one case after the other."""

    def __init__(self, transport: HttpTransport, captured: Captured, receiver: Receiver, proxy: str, ca: Path) -> None:
        self._transport = transport
        self.captured = captured
        self._receiver = receiver
        self._delivery = {"proxy": proxy, "ca": str(ca), "retries": 0}

    def travel(self, template: Template, case: Case, times: int = 1) -> tuple[list[Received], list[Outcome]]:
        """What the receiver got, and what became of the event, or of so many of them that come in one batch."""
        destination = at_once(destination_of(template, case, self._delivery))
        self._receiver.requests.clear()
        self.captured.events.clear()
        self._receiver._scripts.clear()
        paths: dict[str, list[Answer]] = {}
        for index, request in enumerate(case.requests):
            answer = case.answers[index] if index < len(case.answers) else Scripted()
            paths.setdefault(path_of(request), []).append(_answer(answer))
        for path, answers in paths.items():
            self._receiver.on(path, *answers)
        outcomes = carried(self._transport, destination, [case] * times)
        return list(self._receiver.requests), outcomes


def carried(transport: HttpTransport, destination: Destination, cases: Sequence[Case]) -> list[Outcome]:
    """What becomes of the events of these cases, which come in one batch."""
    configured, progress = One(destination), Progress()
    views = [view_of(case) for case in cases]
    for offset, view in enumerate(views):
        view.event.offset = offset
        view.event.wanted_by = (destination.id,)
    items: list[Any] = [item for _, item in Router(configured, progress).route(views)]  # type: ignore[arg-type,misc]
    if not items:
        return []
    never: Any = lambda _: False  # noqa: E731
    shared = Delivery(transport, Handoff(), progress, configured.find, never)
    logic = DeliverLogic(shared, None)
    expected = sum(len(item.invocations) if hasattr(item, "invocations") else 1 for item in items)
    outcomes: list[Outcome] = []
    results, _ = logic.on_batch(items)
    end = time.monotonic() + WITHIN_S
    while True:
        outcomes += [one for one in results if isinstance(one, Outcome) and one.verdict is not Verdict.RETRYING]
        if len(outcomes) >= expected or time.monotonic() > end:
            return outcomes
        time.sleep(0.001)
        results, _ = logic.on_notify()


@contextmanager
def road(folder: Path, hosts: set[str]) -> Iterator[Road]:
    """A road to these hosts, with a certificate for all of them."""
    ca = authority(folder)
    server = signed(folder, "server", ca, alt=",".join(f"DNS:{host}" for host in sorted(hosts)))
    with Receiver(tls=server.server()) as receiver, TunnelProxy(Everywhere(receiver.port)) as proxy:
        captured = Captured()
        transport = HttpTransport(allow=LOOPBACK, user_agent="offramp/test", capture=captured)
        with running(transport):
            yield Road(transport, captured, receiver, f"http://127.0.0.1:{proxy.port}", ca.cert)


def at_once(destination: Destination) -> Destination:
    """The same, but no event waits for others."""
    policy = destination.policy
    if policy.batch is not None:
        batch = msgspec.structs.replace(policy.batch, wait_ms=0)
        destination.policy = msgspec.structs.replace(policy, batch=batch, order="")
    return destination


def path_of(request: Expected) -> str:
    return URL(request.url, encoded=True).raw_path_qs.partition("?")[0]


def host_of(request: Expected) -> str:
    return urlsplit(request.url).hostname or ""


def differs(received: Received, expected: Expected, policy: Policy) -> list[str]:
    """In what a request that arrived is not the one that the case expects. A batch of one is that one in a list."""
    wanted = shown(expected)
    if policy.batch is not None and policy.batch.form != "join":
        line = wanted["body"] if isinstance(wanted["body"], str) else json_text.dumps(wanted["body"]).decode()
        wanted["body"] = f"{line}\n" if policy.batch.form == "ndjson" else [wanted["body"]]
    got = shown(expected.__class__(expected.url, received.method, {}, None))
    got["body"] = _parsed(received.body) if not isinstance(wanted["body"], str) else received.body.decode()
    wrong = [key for key in ("method", "body") if got[key] != wanted[key]]
    if received.target != URL(expected.url, encoded=True).raw_path_qs:
        wrong.append(f"target {received.target}")
    if received.header("host") != URL(expected.url, encoded=True).raw_authority:
        wrong.append(f"host {received.header('host')}")
    wrong += [name for name, value in expected.headers.items() if received.header(name) != value]
    return wrong


def _parsed(body: bytes) -> Any:
    return json_text.loads(body) if body else None


def _answer(answer: Scripted) -> Answer:
    plain = isinstance(answer.body, str)
    body = answer.body.encode() if plain else json_text.dumps(answer.body)
    kind = ("Content-Type", "text/plain" if plain else "application/json")
    return Answer(answer.status, body, [kind, *answer.headers.items()])

"""Runs destinations' programs on the transport's event loop, each in a greenlet that can stop anywhere.

A program that calls `fetch` is left where it stands, also deep inside a lambda, until the answer is there; one that
computes for long is left every few milliseconds so that others get their turn. It keeps nothing over a restart: a
program that has not ended then is run again from its beginning.

Units: seconds. Limits: `MAX_PRINTED` printed lines of one run are kept.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID, uuid5

from greenlet import GreenletExit, getcurrent, greenlet

import hog
from connectors.fetch import fetched
from connectors.http_request import Refused
from connectors.turns import Turns
from destinations.code import MAX_PRINTED
from destinations.fetch import Fetch, read_call
from hog import Failure, json_text
from records import Code, ErrorKind, Note, Response

MAX_LOOPS: Final = 10
"""How often an event may have come out of a program and into one again."""
LOOP_COUNT: Final = "$hog_function_execution_count"
_CAPTURED: Final = UUID("9b0f4f0e-3f7e-5d0c-8a4e-2f4c6a1d7b53")  # Frozen: the uuids of captured events rest on it.

Send = Callable[[Fetch, int], Awaitable[Response | Refused]]
"""Sends one request, the n-th of its run, with retries and signatures; raises Failure when it must not be sent."""


class Capture(Protocol):
    """Where captured events go; see `connectors.capture`."""

    async def put(self, key: str, event: bytes) -> None:
        """Returns when the event, in JSON, is safe; raises OSError when it cannot be."""


class CodeRunner:
    """One per event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, capture: Capture | None) -> None:
        """`capture` is None where events have nowhere to go."""
        self._turns = Turns(loop)
        self._capture = capture

    async def run(self, code: Code, id: str, send: Send, notes: list[Note]) -> Refused | None:
        """Run a program to its end: what went wrong, if anything did. What it prints is added to the notes."""
        evaluation = _Evaluation(code, id, notes)
        try:
            while True:
                await self._turns.take()
                began = time.monotonic()
                try:
                    wish = evaluation.go_on()
                finally:
                    self._turns.end(time.monotonic() - began)
                if evaluation.ended:
                    return None
                if wish is not None:
                    evaluation.answer = await self._grant(wish, evaluation, send)
        except hog.HogError as error:
            return Refused(ErrorKind.CODE, _explained(error))
        finally:
            evaluation.close()

    async def _grant(self, wish: "Fetch | _Captured", evaluation: "_Evaluation", send: Send) -> object:
        """What the program gets; a Failure is raised where it stands."""
        try:
            if isinstance(wish, Fetch):
                return fetched(await send(wish, evaluation.fetches))
            if self._capture is None:
                return Failure("postHogCapture has nowhere to go; set --capture to a topic or a file")
            await self._capture.put(wish.key, wish.event)
        except Failure as failure:
            return failure
        except OSError as error:
            return Failure(f"postHogCapture: the event could not be written: {error}")
        return None


class _Captured(NamedTuple):
    key: str
    event: bytes


class _Evaluation:
    """One run of one program, on the loop's side of its greenlet."""

    def __init__(self, code: Code, id: str, notes: list[Note]) -> None:
        self._notes = notes
        self.fetches = 0
        self.answer: object = None
        self._code = code
        self._id = id
        self._printed = 0
        self._captured = False
        self._loop_side = getcurrent()
        self._greenlet = greenlet(self._evaluate)

    @property
    def ended(self) -> bool:
        """Whether the program has come to its end."""
        return bool(self._greenlet.dead)

    def go_on(self) -> Any:
        """Let it compute until it wants something; None is a pause, or its end. Raises HogError."""
        answer, self.answer = self.answer, None
        return self._greenlet.switch(answer)

    def close(self) -> None:
        """Give it up where it stands."""
        if not self._greenlet.dead:
            self._greenlet.throw(GreenletExit)

    def _evaluate(self, _: object) -> None:
        effects: dict[str, Callable[..., Any]] = {
            "print": self._print,
            "fetch": self._fetch,
            "postHogCapture": self._post_hog_capture,
        }
        self._code.evaluate(effects, self._pause)

    def _pause(self) -> None:
        self._loop_side.switch(None)

    def _ask(self, wish: object) -> Any:
        answer = self._loop_side.switch(wish)
        if isinstance(answer, Failure):
            raise answer
        return answer

    def _print(self, text: str) -> None:
        self._printed += 1
        if self._printed <= MAX_PRINTED:
            self._notes.append(Note(time.time(), "info", text))
        elif self._printed == MAX_PRINTED + 1:
            self._notes.append(Note(time.time(), "warn", f"more than {MAX_PRINTED} lines printed; the rest is lost"))

    def _fetch(self, url: object, options: object) -> Any:
        if self.fetches >= self._code.fetches:
            raise Failure(f"more than {self._code.fetches} fetches in one run; `limits: {{fetches: …}}` sets how many")
        self.fetches += 1
        return self._ask(read_call(url, options))

    def _post_hog_capture(self, given: object) -> None:
        if self._captured:
            raise Failure("postHogCapture can be called once in a run")
        if not isinstance(given, dict) or not isinstance(given.get("event"), str) or not given["event"]:
            raise Failure("postHogCapture needs {'event': 'its name', 'distinct_id': …, 'properties': {…}}")
        origin = self._code.event
        loops = origin["properties"].get(LOOP_COUNT)
        loops = loops if isinstance(loops, int) else 0
        if loops >= MAX_LOOPS:
            raise Failure(f"postHogCapture: the event came out of such a program {loops} times; a loop is refused")
        properties = given.get("properties")
        properties = dict(properties) if isinstance(properties, dict) else {}
        # Not `str`: what Python makes of a value may be endless, and tells where it lies in memory.
        key = hog.to_text(given.get("distinct_id") or origin["distinct_id"] or origin["person_id"])
        event = {
            "uuid": captured_uuid(self._id),
            "event": given["event"],
            "distinct_id": key,
            "properties": properties | {LOOP_COUNT: loops + 1},
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "team_id": origin["project"],
        }
        try:
            json_text.check_size(properties)
            captured = _Captured(key, json_text.dumps(event))
        except json_text.JsonError as error:
            raise Failure(f"postHogCapture: the event cannot be written as JSON: {error}") from None
        self._captured = True
        self._ask(captured)


def captured_uuid(id: str) -> str:
    """The same whenever the same program is run for the same event: whoever reads it can tell it is the same."""
    return str(uuid5(_CAPTURED, id))


def _explained(error: hog.HogError) -> str:
    where = f"(line {error.line}, column {error.column})"
    if isinstance(error, hog.HogThrownError):
        return f"the code threw {error.message} {where}"
    if isinstance(error, hog.HogLimitError):
        return f"the code was stopped: {error.message} {where}"
    return f"the code could not go on: {error.message} {where}"

"""The HTTP transport: takes invocations from the dataflow's threads, makes one request each, hands attempts back.

One asyncio loop on a daemon thread of its own. What goes out next is decided by `delivery.slots`; a worker that has
made a request goes on with the next one, so that a busy transport creates no task per request. It repeats nothing,
decides nothing about health and keeps nothing over a restart: an invocation that is queued or out when it closes has no
attempt.

Units: seconds, except `Attempt.duration_ms`. Time-outs and parking are looked after every 50 ms, not by a timer each.
Blocks: nothing but `cancel_queued` (one turn of the loop) and `close` (about a second at most).
"""

import asyncio
import logging
import math
import random
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from traceback import extract_tb
from typing import Any

import uvloop

from connectors.code_runner import Capture, CodeRunner
from connectors.http_client import HttpClient, Wire
from connectors.http_compress import Compressor
from connectors.http_errors import UNANSWERED, explain, timed_out
from connectors.http_guard import Guard, Network
from connectors.http_request import Prepared, Preparer, Refused
from connectors.http_signing import aws_sigv4, secret_headers, signed_headers, webhook_signatures, with_headers
from connectors.http_watch import Watch, exchange_of
from connectors.tokens import TokenError, Tokens, without_tokens
from delivery.retry import Decision, decide
from delivery.slots import Slot, Slots
from destinations.fetch import Fetch
from records import Attempt, Code, ErrorKind, Invocation, Note, Policy, Request, Response, Verdict

REPLAYED = {"offramp-replayed": "true"}
"""Tells a receiver that a person asked for this request again. Its `webhook-id` is the one of the first time."""
TEST = {"offramp-test": "true"}
"""Tells a receiver that a person tries a destination out. Its `webhook-id` is the one that a delivery has."""
_TICK_S = 0.05
_CLOSE_S = 1.0
_LATE_WEIGHT = 0.3
_UNAUTHORIZED = 401

Sign = Callable[[Prepared], Prepared]

_log = logging.getLogger(__name__)


def default_user_agent() -> str:
    """`offramp/<version>`."""
    try:
        return f"offramp/{version('offramp')}"
    except PackageNotFoundError:
        return "offramp"


class _Job:
    """An invocation on its way. `expired` is set before its task is cancelled for being late.

    `task` exists once a worker has it; `deadline` is set while a request is on the wire.
    """

    __slots__ = ("deadline", "expired", "finished", "invocation", "policy", "prepared", "task")
    task: "asyncio.Task[None]"
    prepared: Prepared | None
    """Its latest request as it went on the wire; None where it did not. Only kept for whoever watches."""

    def __init__(self, invocation: Invocation, policy: Policy, finished: deque[Attempt]) -> None:
        self.invocation = invocation
        self.policy = policy
        self.finished = finished
        self.expired = False
        self.deadline = math.inf


class HttpTransport:
    """See the module. All methods may be called from any thread."""

    def __init__(
        self,
        *,
        allow: Sequence[Network] = (),
        total: int = 128,
        parked: int = 1024,
        user_agent: str | None = None,
        tls: ssl.SSLContext | None = None,
        capture: Capture | None = None,
        watch: Watch | None = None,
    ) -> None:
        """Opens nothing yet.

        `allow` are networks that destinations may reach although they are not public. `total` and `parked` bound the
        requests out at once, see `delivery.slots`. `tls` replaces the system's trusted certificates. `capture` takes
        the events that programs capture. `watch` is told of every request, on the loop's thread.
        """
        self._watch = watch
        self._guard = Guard(allow)
        self._preparer = Preparer(self._guard, user_agent if user_agent is not None else default_user_agent())
        self._tls = tls
        self._slots: Slots[_Job] = Slots(total, parked=parked)
        self._out: set[_Job] = set()
        self._workers: set[asyncio.Task[None]] = set()
        self._finished: dict[str, deque[Attempt]] = {}
        self._commands: deque[Callable[[], None]] = deque()
        self._awake = False
        self._closed = False
        self._ticking = False
        self._tick_due = 0.0
        self._late_s = 0.0
        self._reported: set[str] = set()
        self._loop = uvloop.new_event_loop()
        self._runner = CodeRunner(self._loop, capture)
        self._tokens = Tokens()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def start(self) -> None:
        """Starts the loop's thread; what was submitted before goes out now."""
        self._thread.start()

    def submit(self, destination: str, policy: Policy, batch: Sequence[Invocation]) -> None:
        """Queues requests behind the destination's others. Never blocks. Ignored once the transport is closed."""
        if not self._closed:
            self._command(partial(self._enqueue, destination, policy, batch))

    def collect(self, destination: str) -> list[Attempt]:
        """The attempts that have finished since the last call."""
        finished = self._finished.get(destination)
        if not finished:
            return []
        return [finished.popleft() for _ in range(len(finished))]

    def forget(self, destination: str) -> None:
        """The destination is gone: what is queued is dropped, what is out ends unheard."""
        self._command(partial(self._forget, destination))

    def in_flight(self, destination: str) -> int:
        """How many of the destination's requests are out at this moment."""
        return self._slots.out(destination)

    def parked(self, destination: str) -> int:
        """How many of those have been out for so long that they are parked, see `delivery.slots`."""
        return self._slots.parked_of(destination)

    def hanging(self, destination: str) -> int:
        """How many of those have been out for so long that they hang, see `delivery.slots`."""
        return self._slots.hanging_of(destination)

    def late_s(self) -> float:
        """How late the loop gets to what is due, averaged over its last turns: milliseconds when it is overloaded."""
        return self._late_s

    def cancel_queued(self, destination: str) -> list[str]:
        """Takes back what is not out yet and returns the invocations' ids, in order. Used to drain."""
        answer: Future[list[str]] = Future()
        self._command(partial(self._cancel_queued, destination, answer))
        if not self._thread.is_alive():
            self._obey()
        try:
            return answer.result(_CLOSE_S)
        except FutureTimeoutError:
            # Closed at this moment, or a loop that is late. Taken back is only what the caller hears of: a command that
            # comes too late finds the answer cancelled and leaves the queue as it is.
            return [] if answer.cancel() else answer.result()

    def close(self) -> None:
        """Accepts nothing more, cancels what is out and ends the thread. May be called again."""
        if self._closed:
            return
        self._closed = True
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(_CLOSE_S)
        else:
            self._loop.close()

    def _command(self, command: Callable[[], None]) -> None:
        """Has the loop's thread do something, in the order of the calls."""
        self._commands.append(command)
        if self._awake:
            return
        self._awake = True
        # RuntimeError: closed by another thread at this moment; then nothing is queued any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._turn)

    def _turn(self) -> None:
        # Before the commands are read: one that comes later must be able to wake the loop again.
        self._awake = False
        self._obey()
        self._fill()

    def _obey(self) -> None:
        while self._commands:
            self._commands.popleft()()

    def _enqueue(self, destination: str, policy: Policy, batch: Sequence[Invocation]) -> None:
        finished = self._finished.setdefault(destination, deque())
        jobs = [_Job(invocation, policy, finished) for invocation in batch]
        self._slots.add(destination, policy.concurrency, jobs)

    def _forget(self, destination: str) -> None:
        self._slots.forget(destination)
        self._finished.pop(destination, None)

    def _cancel_queued(self, destination: str, answer: "Future[list[str]]") -> None:
        if answer.set_running_or_notify_cancel():
            answer.set_result([job.invocation.id for job in self._slots.cancel_queued(destination)])

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._main())

    async def _main(self) -> None:
        self._loop.set_exception_handler(_log_stray)
        self._client = HttpClient(self._guard, self._tls)
        self._compressor = Compressor()
        await self._stop.wait()
        workers = list(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        self._compressor.close()
        await self._client.close()

    def _fill(self) -> None:
        """Starts a worker for everything that may go out now."""
        while (slot := self._slots.take(time.monotonic())) is not None:
            worker = self._loop.create_task(self._work(slot))
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        if self._workers and not self._ticking:
            self._ticking = True
            self._tick_due = time.monotonic() + _TICK_S
            self._loop.call_later(_TICK_S, self._tick)

    def _tick(self) -> None:
        now = time.monotonic()
        self._late_s += _LATE_WEIGHT * (max(0.0, now - self._tick_due) - self._late_s)
        for job in self._out:
            if now >= job.deadline and not job.expired:
                job.expired = True
                job.task.cancel()
        self._slots.park(now)
        self._ticking = False
        self._fill()

    async def _work(self, slot: Slot[_Job] | None) -> None:
        """Makes one request after the other until nothing may go out."""
        task = asyncio.current_task()
        assert task is not None
        wire = self._client.enter()
        while slot is not None:
            job = slot.item
            job.task = task
            self._out.add(job)
            try:
                job.finished.append(await self._attempt(job, wire))
            finally:
                # Behind the append: who sees nothing in flight any more must find every attempt.
                self._out.discard(job)
                self._slots.release(slot)
            slot = self._slots.take(time.monotonic())

    async def _attempt(self, job: _Job, wire: Wire) -> Attempt:
        started_at, start = time.time(), time.perf_counter()
        notes: list[Note] = []
        outcome: Response | Refused | None
        try:
            work = job.invocation.work
            if isinstance(work, Code):
                outcome = await self._run_code(job, work, wire, notes)
            else:
                outcome = await self._exchange(job, job.invocation.id, work, wire)
        except Exception as error:  # noqa: BLE001 - whatever it is, the invocation must not be lost
            outcome = self._unexpected(error)
        duration_ms = (time.perf_counter() - start) * 1000
        return _attempt_of(job.invocation, started_at, duration_ms, outcome, wire, tuple(notes))

    async def _run_code(self, job: _Job, code: Code, wire: Wire, notes: list[Note]) -> Refused | None:
        async def send(fetch: Fetch, number: int) -> Response | Refused:
            return await self._fetch(job, code, fetch, number, wire, notes)

        return await self._runner.run(code, job.invocation.id, send, notes)

    async def _fetch(
        self, job: _Job, code: Code, fetch: Fetch, number: int, wire: Wire, notes: list[Note]
    ) -> Response | Refused:
        """One request of a program: tried again as a delivery is, while the program waits."""
        id = job.invocation.id if number == 1 else f"{job.invocation.id}_{number}"
        # Before everything else is done to it: they may hold the marker of an access token.
        request = with_headers(fetch.request, secret_headers(fetch.signing, code.inputs))
        retries, instant_made = 0, job.invocation.test
        while True:
            started_at, start = time.time(), time.perf_counter()
            outcome = await self._exchange(job, id, request, wire, partial(_signed, fetch, code))
            duration_ms = (time.perf_counter() - start) * 1000
            attempt = _attempt_of(job.invocation, started_at, duration_ms, outcome, wire, ())
            now = time.time()
            decision = decide(attempt, retries, job.policy, now, random.random(), instant_made)
            if decision.verdict is Verdict.DELIVERED:
                return outcome
            if self._watch is None:
                notes.append(_fetch_note(fetch, now, decision, outcome))
            if decision.verdict is Verdict.FAILED:
                return outcome
            retries += not decision.instant
            instant_made |= decision.instant
            await asyncio.sleep(max(0.0, decision.retry_at - now))

    async def _exchange(
        self, job: _Job, id: str, request: Request | None, wire: Wire, sign: Sign | None = None
    ) -> Response | Refused:
        """One request with its answer; where its access token was refused, once more with a new one."""
        connections = job.policy.connections
        if not connections or request is None:
            return await self._watched(job, id, request, wire, sign)
        ask, way = partial(self._ask, job.policy), (job.policy.proxy, job.policy.certificates)
        again = True
        while True:
            try:
                filled, used = await self._tokens.filled(request, connections, ask, way, job.policy.timeout_s)
            except TokenError as error:
                wire.reused = False
                if self._watch is not None:
                    self._watch(job.invocation, exchange_of(request, None, time.time(), 0.0, error.refused))
                return error.refused
            outcome = await self._watched(job, id, filled, wire, sign, tuple(used.values()))
            if isinstance(outcome, Refused):
                return outcome
            if not again or outcome.status != _UNAUTHORIZED or not self._tokens.refuse(used):
                return without_tokens(outcome, used)
            again = False

    async def _watched(
        self,
        job: _Job,
        id: str,
        request: Request | None,
        wire: Wire,
        sign: Sign | None,
        tokens: tuple[str, ...] = (),
    ) -> Response | Refused:
        """As `_send`; who watches is told of it, without the tokens that are in it."""
        if self._watch is None or request is None:
            return await self._send(job, id, request, wire, sign)
        job.prepared = None
        started_at, start = time.time(), time.perf_counter()
        outcome = await self._send(job, id, request, wire, sign)
        duration_ms = (time.perf_counter() - start) * 1000
        self._watch(job.invocation, exchange_of(request, job.prepared, started_at, duration_ms, outcome, tokens))
        return outcome

    async def _ask(self, policy: Policy, request: Request) -> Response | Refused:
        """A request for an access token: the way there is the destination's own."""
        prepared = self._preparer.prepare("", request)
        if isinstance(prepared, Refused):
            return prepared
        del prepared.headers["webhook-id"]
        # What it does to connections is no matter of the request in whose task it was begun.
        self._client.enter()
        try:
            async with asyncio.timeout(policy.timeout_s):
                return await self._client.exchange(prepared, policy)
        except Exception as error:
            refused = explain(error, prepared.target, policy)
            if refused is None and isinstance(error, TimeoutError):
                refused = timed_out(prepared.target, policy)
            if refused is None:
                raise
            return refused

    async def _send(
        self, job: _Job, id: str, request: Request | None, wire: Wire, sign: Sign | None = None
    ) -> Response | Refused:
        """One request on the wire, within the policy's time."""
        wire.reused = True
        prepared = self._preparer.prepare(id, request)
        if isinstance(prepared, Refused):
            # A turn for the others: a long queue of such requests would hold the loop.
            await asyncio.sleep(0)
            return prepared
        if job.invocation.replayed:
            prepared = with_headers(prepared, REPLAYED)
        if job.invocation.test:
            prepared = with_headers(prepared, TEST)
        job.deadline = time.monotonic() + job.policy.timeout_s
        try:
            if job.policy.compress:
                prepared = await self._compressor.compressed(prepared)
            # Behind the compression: what is signed is what goes over the wire.
            if job.policy.signing is not None:
                signatures = webhook_signatures(prepared, job.policy.signing.keys, time.time())
                prepared = with_headers(prepared, signatures)
            if sign is not None:
                prepared = sign(prepared)
            if request is not None and request.aws is not None:
                prepared = with_headers(prepared, aws_sigv4(prepared, request.aws, time.time()))
            if self._watch is not None:
                job.prepared = prepared
            return await self._client.exchange(prepared, job.policy)
        except asyncio.CancelledError:
            if not job.expired:
                raise
            return timed_out(prepared.target, job.policy)
        except Exception as error:
            refused = explain(error, prepared.target, job.policy)
            if refused is None:
                raise
            # Where an answer has begun, the request has reached somebody: no retry goes uncounted.
            wire.reused &= isinstance(error, UNANSWERED)
            return refused
        finally:
            job.deadline = math.inf
            while job.expired and job.task.uncancel():
                pass
            job.expired = False

    def _unexpected(self, error: Exception) -> Refused:
        """Counts as a broken connection, so that it is tried again. The message of the error may hold secrets."""
        frame = extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} at {frame.filename}:{frame.lineno}"
        if where not in self._reported:
            self._reported.add(where)
            _log.error("The HTTP client failed unexpectedly: %s. This is reported once.", where)
        return Refused(ErrorKind.RESET, f"The HTTP client failed unexpectedly ({type(error).__name__}); see the log.")


def _attempt_of(
    invocation: Invocation,
    started_at: float,
    duration_ms: float,
    outcome: Response | Refused | None,
    wire: Wire,
    notes: tuple[Note, ...],
) -> Attempt:
    """None is a program that came to its end."""
    if not isinstance(outcome, Refused):
        return Attempt(invocation, started_at, duration_ms, outcome, reused=wire.reused, notes=notes)
    reused = outcome.error is ErrorKind.RESET and wire.reused
    return Attempt(invocation, started_at, duration_ms, None, outcome.error, outcome.detail, reused, notes)


def _signed(fetch: Fetch, code: Code, prepared: Prepared) -> Prepared:
    if not fetch.signing:
        return prepared
    return with_headers(prepared, signed_headers(prepared, fetch.signing, code.inputs, time.time()))


def _fetch_note(fetch: Fetch, now: float, decision: Decision, outcome: Response | Refused) -> Note:
    """What is always in the log: an answer that is no success, with its body, or no answer."""
    again = ", will be tried again" if decision.verdict is Verdict.RETRYING else ""
    message = f"fetch {fetch.request.method}: {decision.reason}{again}"
    if isinstance(outcome, Response):
        return Note(now, "warn", message, outcome.body, outcome.truncated)
    return Note(now, "warn", message)


def _log_stray(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What went wrong outside of any request. Without the error's own text, which may hold secrets."""
    error = context.get("exception")
    _log.warning("The HTTP loop reported: %s (%s)", context["message"], type(error).__name__ if error else "no error")

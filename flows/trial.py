"""Tries a destination out with one event, as `offramp test` and the console do: what it makes of it, and how it ends.

What is sent goes over the transport of a job, by the destination's own policy. A dry run sends nothing: programs go on
with scripted answers. Neither writes anything down.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, AnyStr, Final, Self

import msgspec

from connectors.http import TEST, default_user_agent
from connectors.http_guard import Guard, Network
from connectors.http_request import Preparer, Refused
from connectors.http_signing import with_headers
from connectors.http_watch import Exchange, as_sent, exchange_of
from delivery.departures import Departures
from delivery.outcomes import shown
from delivery.retry import decide
from destinations import Destination, EventView
from destinations.dry_run import scripted_run
from destinations.explain import Made, road
from destinations.secrets import Redactor, masked_value
from flows.event_views import position
from flows.trial_result import Answered, Ending, Logged, Sent, Step, Trial, TrialResult
from flows.trial_wire import TrialWire
from hog import Failure, HogRuntimeError, json_text
from operators.route import invocation_of
from records import KEPT_BODY_BYTES, Attempt, Code, Invocation, Request, Verdict

_ENDINGS: Final = {
    Verdict.DELIVERED: Ending.DELIVERED,
    Verdict.RETRYING: Ending.RETRIED,
    Verdict.FAILED: Ending.FAILED,
}
_WORST_FIRST: Final = (Ending.FAILED, Ending.RETRIED, Ending.NOTHING, Ending.DELIVERED, Ending.WOULD_DELIVER)


class Workbench:
    """Tries destinations out. Thread-safe: a console keeps one, and calls it from its threads."""

    def __init__(self, allow: Sequence[Network] = ()) -> None:
        """Opens nothing yet. `allow` are networks that destinations may reach although they are not public."""
        self._wire = TrialWire(allow)
        self._preparer = Preparer(Guard(allow), default_user_agent())

    def __enter__(self) -> Self:
        """Is itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Breaks off what is under way."""
        self.close()

    def close(self) -> None:
        """Break off what is under way; nothing can be sent any more."""
        self._wire.close()

    def try_out(
        self, destination: Destination, view: EventView, *, send: bool = False, anyway: bool = False
    ) -> TrialResult:
        """Try a destination out with one event. Raises nothing, also where it fails: that is the result.

        Args:
            destination: As it is loaded; that its file says `enabled: false` does not matter.
            view: The event, with its person and groups.
            send: Really send it, once, with a header that says that it is a test.
            anyway: Also where the event is not wanted.

        Guarantee: with `send`, a request carries the `webhook-id` that a delivery of the event has, so a receiver that
        knows it from a delivery may take the test for a repetition.
        """
        found = road(destination, view, test=True, anyway=anyway)
        told, event, show = found.explanation, view.event, destination.redact
        trials = [self._trial(destination, one, view, send, anyway) for one in found.made]
        ending, reason = _summed_up(trials)
        if not told.matches and not anyway:
            ending, reason = Ending.UNWANTED, told.because
        return TrialResult(
            destination=destination.id,
            event=show(event.event),
            uuid=show(event.uuid),
            distinct_id=show(event.distinct_id),
            person=show(event.person.id) if event.person is not None else "",
            position=position(view),
            sent=send and any(trial.steps for trial in trials),
            matches=told.matches,
            ending=ending,
            reason=reason,
            clauses=told.clauses,
            sample=told.sample,
            cap=told.cap,
            notes=_notes(destination, told.because if not told.matches and anyway else ""),
            trials=trials,
        )

    def _trial(self, destination: Destination, made: Made, view: EventView, send: bool, anyway: bool) -> Trial:
        sending = made.sending
        trial = Trial(
            sending.mapping,
            sending.matches,
            Ending.UNWANTED,
            sending.because,
            destination.invocation_id(view.event, made.branch.name),
            sending.clauses,
            sending.inputs,
            sending.code,
        )
        if made.failed:
            return msgspec.structs.replace(trial, ending=Ending.FAILED)
        if made.work is None:
            nothing = sending.matches or anyway
            return msgspec.structs.replace(trial, ending=Ending.NOTHING if nothing else Ending.UNWANTED)
        invocation = invocation_of(destination, view, made.branch)
        invocation.work, invocation.test = made.work, True
        invocation = _alone(invocation, destination)
        trial = msgspec.structs.replace(trial, reason="", webhook_id=invocation.id)
        shows = _Shows(destination)
        return self._sent(trial, invocation, shows) if send else self._dry(trial, invocation, shows)

    def _sent(self, trial: Trial, invocation: Invocation, shows: "_Shows") -> Trial:
        carried = self._wire.send(invocation, shows.destination.policy)
        attempt = carried.attempt
        shows = shows.masking(exchange.masked for exchange in carried.exchanges)
        ending, reason = shows.judged(attempt)
        return msgspec.structs.replace(
            trial,
            ending=ending,
            reason=reason,
            steps=[shows.step(invocation, exchange) for exchange in carried.exchanges],
            logs=[Logged(note.level, shows.text(note.message)) for note in attempt.notes],
            captured=shows.value(carried.captured),
            duration_ms=attempt.duration_ms,
        )

    def _dry(self, trial: Trial, invocation: Invocation, shows: "_Shows") -> Trial:
        work = invocation.work
        if isinstance(work, Request):
            step = self._dry_step(invocation, invocation.id, work, shows, "")
            return msgspec.structs.replace(trial, ending=step.ending, reason=step.reason, steps=[step])
        assert isinstance(work, Code)
        run = scripted_run(work)
        steps: list[Step] = []
        for number, (fetch, answer) in enumerate(zip(run.fetches, run.answers, strict=True), 1):
            id = invocation.id if number == 1 else f"{invocation.id}_{number}"
            step = self._dry_step(
                invocation, id, fetch.request, shows, "signed when it leaves" if fetch.signing else ""
            )
            if step.ending is Ending.WOULD_DELIVER:
                body = json_text.dumps(answer["body"]).decode()
                scripted = Answered(answer["status"], {}, body, scripted=True)
                step = msgspec.structs.replace(step, answer=scripted)
            steps.append(step)
        problem = shows.text(run.problem)
        return msgspec.structs.replace(
            trial,
            ending=Ending.FAILED if problem else Ending.WOULD_DELIVER,
            reason=problem,
            steps=steps,
            logs=[Logged("info", shows.text(line)) for line in run.printed],
            captured=shows.value(run.captured),
        )

    def _dry_step(self, invocation: Invocation, id: str, request: Request, shows: "_Shows", note: str) -> Step:
        prepared = self._preparer.prepare(id, request)
        if isinstance(prepared, Refused):
            return shows.step(invocation, exchange_of(request, None, 0.0, 0.0, prepared))
        told = as_sent(request, with_headers(prepared, TEST))
        policy = shows.destination.policy
        if policy.signing is not None or request.aws is not None:
            note = "signed when it leaves"
        if any(connection.marker in _all_of(request) for connection in policy.connections):
            note = ", ".join(filter(None, (note, "gets its access token when it leaves")))
        return Step(shows.request(told), Ending.WOULD_DELIVER, note=note)


class _Shows:
    """Makes what may be seen of what a destination sent and got."""

    def __init__(self, destination: Destination, tokens: Iterable[Redactor] = ()) -> None:
        self.destination = destination
        self._tokens = tuple(tokens)

    def masking(self, tokens: Iterable[Redactor]) -> "_Shows":
        """The same without the access tokens that went out."""
        return _Shows(self.destination, tokens)

    def text(self, text: AnyStr) -> AnyStr:
        """The text without secrets."""
        for tokens in self._tokens:
            text = tokens(text)
        return self.destination.redact(text)

    def step(self, invocation: Invocation, exchange: Exchange) -> Step:
        outcome = exchange.outcome
        request = self.request(exchange.request)
        if isinstance(outcome, Refused):
            attempt = Attempt(invocation, exchange.started_at, 0.0, None, outcome.error, outcome.detail)
            ending, reason = self.judged(attempt)
            return Step(request, ending, reason, None, exchange.duration_ms)
        ending, reason = self.judged(Attempt(invocation, exchange.started_at, exchange.duration_ms, outcome))
        answer = Answered(
            outcome.status,
            self._headers(outcome.headers),
            shown(outcome, self.text).decode(errors="replace"),
            outcome.truncated or len(outcome.body) > KEPT_BODY_BYTES,
        )
        return Step(request, ending, reason, answer, exchange.duration_ms)

    def judged(self, attempt: Attempt) -> tuple[Ending, str]:
        """What a job would make of it the first time."""
        decision = decide(attempt, 0, self.destination.policy, attempt.started_at, 0.5)
        reason = self.text(decision.reason)
        if decision.verdict is Verdict.RETRYING and not decision.instant:
            reason += f"; a job tries again after {decision.retry_at - attempt.started_at:.1f} s"
        return _ENDINGS[decision.verdict], reason

    def request(self, request: Request) -> Sent:
        body = self.text(request.body)[:KEPT_BODY_BYTES].decode(errors="replace")
        headers = self._headers(request.headers)
        return Sent(request.method, self.text(request.url), headers, body, len(request.body))

    def value(self, value: Any) -> Any:
        """The same value without secrets."""
        try:
            json_text.check_size(value)
            return masked_value(msgspec.json.decode(json_text.dumps(value)), self.text)
        except (Failure, HogRuntimeError, ValueError, RecursionError) as error:
            return [f"<a value that cannot be shown: {error}>"]

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {self.text(name): self.text(value) for name, value in headers.items()}


def _alone(invocation: Invocation, destination: Destination) -> Invocation:
    """As it leaves without any other; where there are batches, in the form of one."""
    policy = destination.policy
    if policy.batch is None:
        return invocation
    at_once = msgspec.structs.replace(policy, batch=msgspec.structs.replace(policy.batch, wait_ms=0))
    line = Departures()
    line.add(invocation)
    return line.take(at_once, 0.0, 1)[0]


def _all_of(request: Request) -> str:
    return "\n".join((request.url, *request.headers.values(), request.body.decode(errors="replace")))


def _summed_up(trials: Iterable[Trial]) -> tuple[Ending, str]:
    """The worst of what was tried, with its reason."""
    tried = [trial for trial in trials if trial.ending is not Ending.UNWANTED]
    if not tried:
        return Ending.UNWANTED, ""
    worst = min(tried, key=lambda trial: _WORST_FIRST.index(trial.ending))
    return worst.ending, worst.reason


def _notes(destination: Destination, because: str) -> list[str]:
    notes = [] if destination.enabled else ["its file says 'enabled: false': a job sends nothing to it"]
    return [*notes, f"a job does not send it: {because}"] if because else notes

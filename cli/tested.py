"""How `offramp test` shows what became of an event: step by step, as it went, for people."""

from typing import TYPE_CHECKING, Final

import msgspec

from cli.output import text
from cli.road import show_clauses, show_inputs, show_request
from flows.trial_result import Answered, Ending, Step, Trial, TrialResult

if TYPE_CHECKING:
    from rich.console import Console

SHOWN_BODY: Final = 4_000
"""Characters of a body; --json has all that is kept."""
_STYLES: Final = {
    Ending.DELIVERED: "green",
    Ending.WOULD_DELIVER: "green",
    Ending.RETRIED: "yellow",
    Ending.FAILED: "red",
    Ending.NOTHING: "yellow",
    Ending.UNWANTED: "yellow",
}


def show(out: "Console", result: TrialResult) -> None:
    """One event, from the filter to the verdict."""
    where = f" at {result.position}" if result.position else ""
    who = f" of {result.distinct_id}" + (f" (person {result.person})" if result.person else "")
    out.print(text(f"event {result.event!r} {result.uuid}{who}{where}", "bold"))
    verdict = "matches" if result.matches else "does not match"
    out.print(text(f"the filter of {result.destination} {verdict}"))
    show_clauses(out, result.clauses)
    for what, told in (("sample", result.sample), ("masking", result.cap), *(("note", note) for note in result.notes)):
        if told:
            out.print(text(f"\n{what}: {told}"))
    for trial in result.trials:
        _show_trial(out, trial)
    out.print(text(f"\n{_told(result.ending, result.reason)}", _STYLES[result.ending]))
    if result.ending is Ending.WOULD_DELIVER:
        out.print(text("nothing was sent; --send really sends it"))
    elif result.ending is Ending.UNWANTED:
        out.print(text("nothing was sent; --anyway goes on all the same"))
    out.print()


def _show_trial(out: "Console", trial: Trial) -> None:
    if trial.mapping:
        verdict = "matches" if trial.matches else "does not match"
        out.print(text(f"\nmapping {trial.mapping!r} {verdict}", "bold"))
    show_clauses(out, trial.clauses)
    show_inputs(out, trial.inputs)
    if any(step.answer is not None and step.answer.scripted for step in trial.steps):
        out.print(text("\nits code has run with scripted answers: 200 and an empty object"))
    for step in trial.steps:
        _show_step(out, step)
        if trial.code and step.reason:
            # Of one request alone the same is said at the end.
            out.print(text(f"\n{_told(step.ending, step.reason)}"))
    for line in trial.logs:
        out.print(text(f"\nlog ({line.level}): {line.message}"))
    for event in trial.captured:
        out.print(text(f"\ncaptured, and not written: {msgspec.json.encode(event).decode()}"))
    if trial.mapping:
        out.print(text(f"\nmapping {trial.mapping!r}: {_told(trial.ending, trial.reason)}", _STYLES[trial.ending]))


def _show_step(out: "Console", step: Step) -> None:
    request = step.request
    show_request(out, request.method, request.url, request.headers, _cut(request.body))
    if step.note:
        out.print(text(f"\n({step.note})"))
    if step.answer is not None:
        _show_answer(out, step.answer, step.duration_ms)
    elif step.duration_ms:
        out.print(text(f"\nno answer after {step.duration_ms:.0f} ms"))


def _show_answer(out: "Console", answer: Answered, duration_ms: float) -> None:
    took = "" if answer.scripted else f" after {duration_ms:.0f} ms"
    out.print(text(f"\nanswered {answer.status}{took}"))
    for name, value in answer.headers.items():
        out.print(text(f"{name}: {value}"))
    if answer.body:
        out.print(text(f"\n{_cut(answer.body)}"))
    if answer.truncated:
        out.print(text("(of a longer answer only its beginning is kept)"))


def _cut(body: str) -> str:
    more = len(body) - SHOWN_BODY
    return body if more <= 0 else f"{body[:SHOWN_BODY]}\n… {more} characters more; --json has them"


def _told(ending: Ending, reason: str) -> str:
    return f"{ending}: {reason}" if reason else ending.value

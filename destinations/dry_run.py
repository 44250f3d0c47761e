"""What a destination would send for one event: its requests, with those of its code. Nothing is sent.

Every `fetch` of code gets 200 with an empty object, or the answers that are given: of a program that goes by what is
answered only one road is seen.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from typing import Any, Final

import msgspec

import hog
from destinations.branch import Branch
from destinations.code import MAX_PRINTED
from destinations.destination import Destination
from destinations.errors import EventDataError, InputError
from destinations.fetch import Fetch, read_call
from destinations.globals import EventView
from hog import Failure
from records import Code, Request

ANSWER: Final = {"status": 200, "headers": {}, "body": {}}


class DryRun(msgspec.Struct, frozen=True):
    """What it comes to. Requests are as they would be sent, secrets included."""

    matches: bool
    """Whether the event passes the filters and is in the sample; what would be sent is told either way, of mappings by
    those that match."""
    requests: list[Request] = []
    signing: list[dict[str, Any]] = []
    """Of each request of code, the options about signatures and secret headers."""
    captured: list[Any] = []
    """What code hands to `postHogCapture`."""
    error: str = ""
    """Why it came to no end; free of secrets."""
    answered: bool = False
    """Whether code had the answer that every request gets here."""
    error_behind_answer: bool = False
    """Whether it had one before it came to no end, so that with another one it might not have."""


def dry_run(destination: Destination, view: EventView, answers: Iterable[dict[str, Any]] = ()) -> DryRun:
    """Render, and run the code if there is some. Raises nothing.

    `answers` are those to the requests of code, in their order: `{status, headers, body}`.
    """
    # Shared: what one mapping has used up the next one does not get.
    answering = iter(answers)
    try:
        matches = destination.matches(view) and destination.samples(view)
        branches = [branch for branch in destination.branches if branch.matches(view)]
    except (hog.HogRuntimeError, EventDataError) as error:
        return DryRun(False, error=f"the filter fails: {destination.redact(str(error))}")
    found = DryRun(matches and bool(branches))
    for branch in branches:
        made = _made(destination, branch, view, answering)
        found = DryRun(
            found.matches,
            found.requests + made.requests,
            found.signing + made.signing,
            found.captured + made.captured,
            found.error or made.error,
            found.answered or made.answered,
            found.error_behind_answer if found.error else made.error_behind_answer,
        )
    return found


def _made(destination: Destination, branch: Branch, view: EventView, answers: Iterator[dict[str, Any]]) -> DryRun:
    try:
        work = destination.render(view, branch)
    except InputError as error:
        return DryRun(True, error=str(error))
    if work is None:
        return DryRun(True)
    if isinstance(work, Request):
        return DryRun(True, [work], [{}])
    run = scripted_run(work, answers)
    requests = [fetch.request for fetch in run.fetches]
    signing = [dict(each.signing) for each in run.fetches]
    problem, answered = run.problem, bool(run.fetches)
    return DryRun(
        True, requests, signing, run.captured, destination.redact(problem), answered, bool(problem) and answered
    )


class ScriptedRun(msgspec.Struct, frozen=True):
    """One run of a program that was answered from a script. It may hold secrets."""

    fetches: list[Fetch]
    answers: list[dict[str, Any]]
    """To each of them."""
    captured: list[Any]
    """What it hands to `postHogCapture`."""
    printed: list[str]
    """The first `MAX_PRINTED` lines."""
    problem: str
    """Why it came to no end."""


def scripted_run(code: Code, answers: Iterable[dict[str, Any]] = ()) -> ScriptedRun:
    """Run a program with these answers and then `ANSWER` for ever. Raises nothing."""
    answering = chain(answers, repeat(ANSWER))
    run = ScriptedRun([], [], [], [], "")

    def fetch(url: object, options: object) -> object:
        if len(run.fetches) >= code.fetches:
            raise Failure(f"more than {code.fetches} fetches in one run")
        run.fetches.append(read_call(url, options))
        run.answers.append(next(answering))
        return dict(run.answers[-1])

    def print_line(line: str) -> None:
        if len(run.printed) < MAX_PRINTED:
            run.printed.append(line)

    effects: dict[str, Callable[..., Any]] = {
        "fetch": fetch,
        "postHogCapture": run.captured.append,
        "print": print_line,
    }
    try:
        code.evaluate(effects, lambda: None)
    except hog.HogRuntimeError as error:
        return msgspec.structs.replace(run, problem=f"the code: {error.message}")
    return run

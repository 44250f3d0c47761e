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
    answering = chain(answers, repeat(ANSWER))
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
    fetches, captured, problem = _run(work, answers)
    requests = [fetch.request for fetch in fetches]
    signing = [dict(each.signing) for each in fetches]
    answered = bool(fetches)
    return DryRun(True, requests, signing, captured, destination.redact(problem), answered, bool(problem) and answered)


def _run(code: Code, answers: Iterator[dict[str, Any]]) -> tuple[list[Fetch], list[Any], str]:
    fetches: list[Fetch] = []
    captured: list[Any] = []

    def fetch(url: object, options: object) -> object:
        if len(fetches) >= code.fetches:
            raise Failure(f"more than {code.fetches} fetches in one run")
        fetches.append(read_call(url, options))
        return dict(next(answers))

    effects: dict[str, Callable[..., Any]] = {"fetch": fetch, "postHogCapture": captured.append}
    try:
        code.evaluate(effects, lambda: None)
    except hog.HogRuntimeError as error:
        return fetches, captured, f"the code: {error.message}"
    return fetches, captured, ""

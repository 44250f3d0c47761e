"""One evaluation of Hog as `offramp hog` makes it: nothing is sent, what would be is told.

A case is `{"source": …, "kind": "program" | "expression" | "template", "globals": {…}, "fetch": [{"status": …, "body":
…}, …]}`; the answers to its fetches are used in order, then each is `{"status": 200, "body": {}}`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

import hog
from destinations.fetch import read_call
from hog import json_text

LIMITS = hog.Limits(time_s=5.0)

_COMPILERS: Mapping[str, Callable[[str], hog.Program]] = {
    "program": hog.program,
    "expression": hog.expression,
    "template": hog.template,
}


class Case(msgspec.Struct, frozen=True):
    """What is to be evaluated."""

    source: str
    kind: Literal["program", "expression", "template"] = "program"
    globals: dict[str, Any] = {}
    fetch: list[Any] = []


class Problem(msgspec.Struct, frozen=True):
    """Why an evaluation came to no result."""

    phase: str
    """parse, compile, runtime or limit."""
    type: str
    message: str
    line: int
    column: int


_CASES = msgspec.json.Decoder(Case)


class Evaluation(msgspec.Struct):
    """What came of a case."""

    result: Any = None
    prints: list[str] = []
    fetches: list[dict[str, Any]] = []
    error: Problem | None = None


def evaluate(case: Case, printed: Callable[[str], None] = lambda _: None) -> Evaluation:
    """Evaluate; `printed` hears of each line at once. Raises nothing."""
    done = Evaluation()
    answers = iter(case.fetch)

    def note(line: str) -> None:
        done.prints.append(line)
        printed(line)

    def fetch(url: Any, options: Any) -> Any:
        request = read_call(url, options).request
        body = options.get("body") if options else None
        done.fetches.append({"url": url, "method": request.method, "headers": request.headers, "body": body})
        return next(answers, {"status": 200, "body": {}})

    effects: dict[str, Callable[..., Any]] = {
        "print": note,
        "fetch": fetch,
        "sleep": lambda _: None,
        "postHogCapture": lambda _: None,
    }
    try:
        program = _COMPILERS[case.kind](case.source)
        done.result = program(case.globals, hog.Run(LIMITS, effects))
    except hog.HogError as error:
        done.error = problem_of(error)
    return done


def evaluate_line(line: bytes) -> Evaluation:
    """Evaluate a case in JSON. A line that is none is answered like a case that cannot be parsed."""
    try:
        return evaluate(_CASES.decode(line))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return Evaluation(error=Problem("parse", "InputError", f"not a case: {error}", 1, 1))


def encoded(done: Evaluation) -> bytes:
    """As one line of JSON; what has no form in it is told as text."""
    fields = {name: getattr(done, name) for name in ("result", "prints", "fetches")}
    error = None if done.error is None else msgspec.structs.asdict(done.error)
    try:
        json_text.check_size(fields)
        return json_text.dumps(fields | {"error": error})
    except (json_text.JsonError, hog.Failure):
        # Such as what is nested too deeply, or a time outside the calendar: that may have no text either.
        return json_text.dumps({name: _told(value) for name, value in fields.items()} | {"error": error})


def _told(value: Any) -> Any:
    """The value, or its text, or that it has none."""
    try:
        json_text.check_size(value)
        return json_text.loads(json_text.dumps(value))
    except (json_text.JsonError, hog.Failure):
        pass
    try:
        return hog.to_text(value)
    except (RecursionError, ValueError, hog.Failure) as error:
        return f"<a value that cannot be shown: {error}>"


def problem_of(error: hog.HogError) -> Problem:
    """The phase, and for what the program threw its own type and message."""
    match error:
        case hog.HogThrownError():
            return Problem("runtime", error.type, error.error_message, error.line, error.column)
        case hog.HogSyntaxError():
            phase, kind = "parse", "SyntaxError"
        case hog.HogCompileError():
            phase, kind = "compile", "CompileError"
        case hog.HogLimitError():
            phase, kind = "limit", "LimitError"
        case _:
            phase, kind = "runtime", "RuntimeError"
    return Problem(phase, kind, error.message, error.line, error.column)

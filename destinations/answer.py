"""What an endpoint's answer says of itself, where its status does not: `delivery.failure`."""

from typing import Any, Final

import hog
from destinations.names import IN_ANSWER
from destinations.report import Report
from hog import json_text, to_text
from records import KEPT_BODY_BYTES, Refusal, Response

_PATH: Final = ("delivery", "failure")
_TOO_LONG: Final = f"whether it means a failure cannot be told: it is longer than {KEPT_BODY_BYTES // 1024} KiB"


class FailureTest:
    """Whether an answer says that it is none; see `records.Policy.failure`."""

    def __init__(self, program: hog.Program) -> None:
        """A template over `response`."""
        self._program = program

    def __call__(self, response: Response) -> Refusal | None:
        """None where the answer says nothing of the kind; raises nothing."""
        try:
            told = self._program({"response": answer_of(response)})
        except hog.HogRuntimeError as error:
            return Refusal(f"whether it means a failure cannot be told: {error.message}")
        retry = False
        failed: tuple[int, ...] = ()
        if isinstance(told, dict) and told.keys() <= {"reason", "retry", "failed"}:
            retry, failed = hog.truthy(told.get("retry")), _positions(told.get("failed"))
            told = told.get("reason", True)
        if told is None or told is False or told == "":
            # Half of an answer says nothing to a template that asks for a part of it.
            return Refusal(_TOO_LONG) if response.truncated and response.body.lstrip()[:1] in (b"{", b"[") else None
        return Refusal("it says so itself" if told is True else to_text(told).strip(), retry, failed)


def _positions(listed: Any) -> tuple[int, ...]:
    if not isinstance(listed, list | tuple) or not all(type(each) is int for each in listed):
        return ()
    return tuple(listed)


def answer_of(response: Response) -> dict[str, Any]:
    """`{status, headers, body}` as Hog sees it: names of headers in lower case, a body that is JSON parsed."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    try:
        body: Any = json_text.loads(response.body) if response.body else ""
    except json_text.JsonError:
        body = response.body.decode("utf-8", "replace")
    return {"status": response.status, "headers": headers, "body": body}


def compile_failure(text: str | None, report: Report) -> FailureTest | None:
    """Compile the template; what is wrong goes to the report."""
    if text is None:
        return None
    try:
        return FailureTest(hog.template(text, names=IN_ANSWER))
    except hog.HogError as error:
        report.of_hog(_PATH, error)
        return None

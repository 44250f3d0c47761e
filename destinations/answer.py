"""What an endpoint's answer says of itself, where its status does not: `delivery.failure`."""

from typing import Any, Final

import hog
from destinations.names import IN_ANSWER
from destinations.report import Report
from hog import json_text, to_text
from records import Response

_PATH: Final = ("delivery", "failure")


class FailureText:
    """The words in which an answer says that it is none; see `records.Policy.failure`."""

    def __init__(self, program: hog.Program) -> None:
        """A template over `response`."""
        self._program = program

    def __call__(self, response: Response) -> str:
        """Empty where the answer says nothing of the kind; raises nothing."""
        try:
            told = self._program({"response": answer_of(response)})
        except hog.HogRuntimeError as error:
            return f"whether it means a failure cannot be told: {error.message}"
        if told is None or told is False or told == "":
            return ""
        return "it says so itself" if told is True else to_text(told).strip()


def answer_of(response: Response) -> dict[str, Any]:
    """`{status, headers, body}` as Hog sees it: names of headers in lower case, a body that is JSON parsed."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    try:
        body: Any = json_text.loads(response.body) if response.body else ""
    except json_text.JsonError:
        body = response.body.decode("utf-8", "replace")
    return {"status": response.status, "headers": headers, "body": body}


def compile_failure(text: str | None, report: Report) -> FailureText | None:
    """Compile the template; what is wrong goes to the report."""
    if text is None:
        return None
    try:
        return FailureText(hog.template(text, names=IN_ANSWER))
    except hog.HogError as error:
        report.of_hog(_PATH, error)
        return None

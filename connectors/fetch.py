"""What a program's `fetch` gets back. Pure: it sends nothing.

Source: the behaviour of PostHog's `fetch` in destinations, as of 2026-11: `{status, body}`, with a status of 500 where
there was no answer at all.
"""

from typing import Any

from connectors.http_request import Refused
from hog import json_text
from records import Response


def answer_of(outcome: Response | Refused) -> dict[str, Any]:
    """What the program gets. A body that is JSON is parsed."""
    if isinstance(outcome, Refused):
        return {"status": 500, "body": f"{outcome.error}: {outcome.detail}"}
    text = outcome.body.decode("utf-8", "replace")
    try:
        body: Any = json_text.loads(outcome.body) if outcome.body else ""
    except json_text.JsonError:
        body = text
    return {"status": outcome.status, "body": body}

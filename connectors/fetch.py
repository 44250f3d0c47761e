"""What a program's `fetch` gets back. Pure: it sends nothing.

Source: the behaviour of PostHog's `fetch` in destinations, as of 2026-11: `{status, body}`, with a status of 500 where
there was no answer at all.
"""

from typing import Any

from connectors.http_request import Refused
from destinations import answer_of
from records import Response


def fetched(outcome: Response | Refused) -> dict[str, Any]:
    """What the program gets."""
    if isinstance(outcome, Refused):
        return {"status": 500, "headers": {}, "body": f"{outcome.error}: {outcome.detail}"}
    return answer_of(outcome)

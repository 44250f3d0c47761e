"""What one attempt says of its endpoint. 5xx, timeouts, network errors and errors of a program speak against it; a 4xx
does not: it says that the request is not wanted, not that the endpoint is ill.
"""

from enum import StrEnum
from typing import Final

from records import Attempt, ErrorKind, Quarantine

REFUSALS: Final = frozenset({401, 403, 404, 410})
"""Answers that mean a wrong credential or address when nearly every answer is one of them."""
_ERRORS: Final = frozenset({ErrorKind.TIMEOUT, ErrorKind.CONNECT, ErrorKind.RESET, ErrorKind.CODE})


class Finding(StrEnum):
    """What one attempt says of its endpoint."""

    GOOD = "good"
    ERROR = "error"
    SLOW = "slow"
    """A good answer that took long."""
    REFUSED = "refused"
    """The endpoint, or our own guard, will have nothing to do with such requests."""
    OTHER = "other"
    """Any other 4xx: an answer about one request."""


def finding_of(attempt: Attempt, delivered: bool, limits: Quarantine) -> Finding:
    """Judge one attempt, which delivered what it was to deliver or did not."""
    if attempt.error is not None:
        return Finding.ERROR if attempt.error in _ERRORS else Finding.REFUSED
    status = attempt.response.status if attempt.response is not None else 0
    if status >= 500 and not delivered:
        return Finding.ERROR
    if attempt.duration_ms >= limits.slow_s * 1000:
        return Finding.SLOW
    if delivered:
        return Finding.GOOD
    # A good status whose body says that it failed is most often a wrong credential.
    return Finding.REFUSED if status in REFUSALS or status < 300 else Finding.OTHER

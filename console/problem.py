"""An error as RFC 9457 has it: `application/problem+json`."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import JSONResponse

MEDIA_TYPE: Final = "application/problem+json"


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, problems: Sequence[str] = ()
) -> JSONResponse:
    """One error."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": sendable(detail),
    }
    if problems:
        content["problems"] = [sendable(each) for each in problems]
    return JSONResponse(content, status, dict(headers or {}), MEDIA_TYPE)


def sendable(text: str) -> str:
    """The text as an answer can have it: what was sent as JSON may hold half a surrogate pair."""
    return text.encode("utf-8", "replace").decode()

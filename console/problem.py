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
        "detail": _sendable(detail),
    }
    if problems:
        content["problems"] = [_sendable(each) for each in problems]
    return JSONResponse(content, status, dict(headers or {}), MEDIA_TYPE)


def _sendable(text: str) -> str:
    # A key in JSON may have half a surrogate pair, which no answer can have.
    return text.encode("utf-8", "replace").decode()

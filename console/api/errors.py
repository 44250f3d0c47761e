"""Every error of the API as `application/problem+json`."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from connectors.journal import JournalError
from console.workspace import NoJournalError

MEDIA_TYPE = "application/problem+json"


def add_errors(app: FastAPI) -> None:
    """Answer errors in one form."""

    @app.exception_handler(HTTPException)
    async def _known(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def _unreadable(_: Request, error: RequestValidationError) -> JSONResponse:
        found = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        return problem(422, found)

    @app.exception_handler(NoJournalError)
    async def _no_journal(_: Request, error: NoJournalError) -> JSONResponse:
        return problem(409, str(error))

    @app.exception_handler(JournalError)
    async def _journal(_: Request, error: JournalError) -> JSONResponse:
        return problem(503, str(error))


def problem(status: int, detail: str, headers: Any = None) -> JSONResponse:
    """One error."""
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(content, status, dict(headers or {}), MEDIA_TYPE)

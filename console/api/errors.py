"""Every error of the API as `application/problem+json`. None repeats what was sent, but for the names of keys."""

from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from connectors.journal import JournalError
from connectors.state_file import StateFileError
from console.drafts import DraftError, Why
from console.problem import problem
from console.workspace import NoJournalError
from flows.event_views import NoEventError

_MOST_KEY: Final = 100
"""Characters of a key that is shown."""
STATUSES: Final = {
    Why.REFUSED: 422,
    Why.CONFLICT: 412,
    Why.TAKEN: 409,
    Why.UNKNOWN: 404,
    Why.UNUSABLE: 503,
}


def add_errors(app: FastAPI) -> None:
    """Answer errors in one form."""

    @app.exception_handler(HTTPException)
    async def _known(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def _unreadable(_: Request, error: RequestValidationError) -> JSONResponse:
        # Not `input`: it is what was sent, and that may be a secret.
        found = [f"{'.'.join(str(each)[:_MOST_KEY] for each in one['loc'])}: {one['msg']}" for one in error.errors()]
        return problem(422, "; ".join(found))

    @app.exception_handler(DraftError)
    async def _not_done(_: Request, error: DraftError) -> JSONResponse:
        return problem(STATUSES[error.why], str(error), problems=error.problems)

    @app.exception_handler(NoEventError)
    async def _no_event(_: Request, error: NoEventError) -> JSONResponse:
        return problem(409, str(error))

    @app.exception_handler(NoJournalError)
    async def _no_journal(_: Request, error: NoJournalError) -> JSONResponse:
        return problem(409, str(error))

    @app.exception_handler(JournalError)
    async def _journal(_: Request, error: JournalError) -> JSONResponse:
        return problem(503, str(error))

    @app.exception_handler(StateFileError)
    async def _state_file(_: Request, error: StateFileError) -> JSONResponse:
        return problem(503, str(error))

    @app.exception_handler(Exception)
    async def _unexpected(_: Request, error: Exception) -> JSONResponse:
        # What it says is for the log, where it goes by itself: nobody knows what is in it.
        return problem(500, "something is wrong with the console itself; its log says what")

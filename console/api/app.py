"""Puts the API together: routes, errors, and who may use what."""

from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import HTTPBearer

from console.access import Access
from console.api import catalogue, commands, destinations, files, secrets, trials, versions
from console.api.docs import add_docs, name_roles
from console.api.errors import add_errors
from console.api.models import Me, Problem
from console.api.roles import Viewer
from console.gatekeeper import Gatekeeper
from console.workspace import Workspace

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text}
    for status, text in (
        (400, "The body cannot be read"),
        (401, "Nobody is known by this token or session"),
        (403, "The account may not do this"),
        (404, "There is no such thing"),
        (409, "It does not go with how things are now"),
        (422, "The request is not as it has to be"),
        (421, "The console is not known by that name"),
        (503, "A file of the state directory cannot be used"),
    )
}
_DESCRIPTION = """Destinations: how they are, what they say, what they are to do, and their files.

Every error is application/problem+json. Lists come in pages: give `next` of one as `after` for what comes behind it. A
destination's file has an ETag, without which it cannot be replaced. Each operation names the role that it needs.
"""
# The gatekeeper asks for it; here it is only told.
_TOKEN = HTTPBearer(auto_error=False, description="A token of OFFRAMP_CONSOLE_ACCOUNTS.")


def create_api(workspace: Workspace, access: Access, hosts: frozenset[str] = frozenset()) -> FastAPI:
    """The application, with the gatekeeper in front of it."""
    app = FastAPI(
        title="Offramp",
        version="1",
        description=_DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.workspace = workspace
    app.state.access = access
    add_errors(app)
    router = APIRouter(prefix="/api/v1", responses=_ERRORS, dependencies=[Depends(_TOKEN)])

    @router.get("/me", summary="Who asks")
    async def me(account: Viewer) -> Me:
        return Me(name=account.name, role=account.role.name.lower())

    for part in (destinations, files, versions, trials, commands, catalogue, secrets):
        name_roles(part.router)
        router.include_router(part.router)
    name_roles(router)
    app.include_router(router)
    add_docs(app)

    @app.get("/healthz", include_in_schema=False)
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    app.add_middleware(Gatekeeper, access=access, hosts=hosts)
    return app

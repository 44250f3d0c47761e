"""Puts the API together: routes, errors, and who may use what."""

from typing import Any

from fastapi import APIRouter, FastAPI

from console.access import Access
from console.api import catalogue, commands, destinations
from console.api.errors import add_errors
from console.api.models import Me, Problem
from console.api.roles import Viewer
from console.gatekeeper import Gatekeeper
from console.workspace import Workspace

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}, "description": text}
    for status, text in (
        (401, "Nobody is known by this token or session"),
        (403, "The account may not do this"),
        (404, "There is no such thing"),
        (409, "It does not go with how things are now"),
        (422, "The request is not as it has to be"),
        (503, "The journal cannot be read"),
    )
}


def create_api(workspace: Workspace, access: Access, hosts: frozenset[str] = frozenset()) -> FastAPI:
    """The application, with the gatekeeper in front of it."""
    app = FastAPI(
        title="Offramp",
        version="1",
        description="Destinations: how they are, what they say, and what they are to do.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.workspace = workspace
    app.state.access = access
    add_errors(app)
    router = APIRouter(prefix="/api/v1", responses=_ERRORS)

    @router.get("/me", summary="Who asks")
    async def me(account: Viewer) -> Me:
        return Me(name=account.name, role=account.role.name.lower())

    for part in (destinations.router, commands.router, catalogue.router):
        router.include_router(part)
    app.include_router(router)

    @app.get("/healthz", include_in_schema=False)
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    app.add_middleware(Gatekeeper, access=access, hosts=hosts)
    return app

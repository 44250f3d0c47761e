"""The description of the API, and a page that shows it: text alone, with nothing from anywhere else."""

from html import escape
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from console.api.roles import Needs, Viewer
from console.problem import MEDIA_TYPE

_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code{font:13px ui-monospace,monospace}h3{margin:1.6rem 0 0}p,ul{margin:.3rem 0}.quiet{opacity:.65}"
)
_HEADERS: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


def add_docs(app: FastAPI) -> None:
    """Complete the description by the form of errors, and serve the page."""
    router = APIRouter(prefix="/api/v1")

    @router.get("/docs", include_in_schema=False)
    async def docs(_: Viewer) -> HTMLResponse:
        return HTMLResponse(page(app.openapi()), headers=_HEADERS)

    app.include_router(router)
    described = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(described())
        return described()

    app.openapi = openapi  # type: ignore[method-assign]


def page(schema: dict[str, Any]) -> str:
    """All operations, as HTML."""
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Offramp API</title>',
        f"<style>{_STYLE}</style><h1>Offramp API</h1><p>{escape(schema['info']['description'])}</p>",
        '<p>As a schema: <a href="openapi.json"><code>openapi.json</code></a>.</p>',
    ]
    for path, methods in schema["paths"].items():
        parts += [_operation(method, path, each) for method, each in methods.items()]
    return "".join(parts)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parameters = [
        f"<li><code>{escape(one['name'])}</code> ({escape(one['in'])}{', required' if one.get('required') else ''})"
        f" {escape(one.get('description', ''))}</li>"
        for one in operation.get("parameters", ())
    ]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        parameters.append(f"<li>body: JSON, <code>{escape(name)}</code></li>")
    answers = ", ".join(code for code in operation["responses"] if code.startswith("2"))
    return (
        f"<h3><code>{method.upper()} {escape(path)}</code></h3><p>{escape(operation.get('summary', ''))}"
        f' <span class="quiet">({escape(operation.get("x-role", ""))}; {answers})</span></p>'
        f"<p>{escape(operation.get('description', ''))}</p><ul>{''.join(parameters)}</ul>"
    )


def name_roles(router: APIRouter) -> None:
    """Put the role that each of its routes needs into the description, as `x-role`."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            for dependency in route.dependant.dependencies:
                if isinstance(dependency.call, Needs):
                    route.openapi_extra = {"x-role": dependency.call.role.name.lower()}


def _complete(schema: dict[str, Any]) -> None:
    """Errors have another type than answers, which the framework takes for the same."""
    for methods in schema["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                if not status.startswith("2"):
                    answer["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}

"""The catalogue: what events can be sent to."""

from typing import Any, Final

from fastapi import Request
from nicegui import ui

from catalog import Template
from console.pages.frame import heading, page
from console.workspace import Workspace

_ALL: Final = "All"


def add(workspace: Workspace) -> None:
    """Serve it at `/new`."""

    @ui.page("/new")
    def gallery(request: Request) -> None:
        with page(request, "New destination"):
            Gallery(workspace).build()


class Gallery:
    """The templates, searched and by category."""

    def __init__(self, workspace: Workspace) -> None:
        self._templates = sorted(workspace.catalog.values(), key=lambda one: one.spec.name.lower())
        self._search: dict[str, Any] = {"text": "", "category": _ALL}

    def build(self) -> None:
        """Put it together."""
        heading("New destination")
        categories = [_ALL, *dict.fromkeys(sorted(str(one.spec.category) for one in self._templates))]
        with ui.element("div").classes("row"):
            ui.input("Search").props("outlined dense clearable autofocus").bind_value(
                self._search, "text"
            ).on_value_change(self._show)
            ui.select(categories, label="Category").props("outlined dense").bind_value(
                self._search, "category"
            ).on_value_change(self._show).style("min-width: 200px")
        self._body = ui.element("div")
        self._show()

    def _show(self) -> None:
        text, category = (self._search["text"] or "").lower(), self._search["category"]
        chosen = [one for one in self._templates if _has(one, text) and category in (_ALL, one.spec.category)]
        self._body.clear()
        with self._body:
            ui.label(f"{len(chosen)} of {len(self._templates)}").classes("quiet small")
            with ui.element("div").classes("cards"):
                for one in chosen:
                    _show_card(one)


def _show_card(template: Template) -> None:
    with ui.element("div").classes("card").mark(f"template-{template.slug}"):
        ui.link(template.spec.name, f"/new/{template.slug}").classes("brand")
        ui.label(template.spec.description).classes("text")
        ui.label(f"{template.spec.category} · {template.spec.status}").classes("quiet small")


def _has(template: Template, text: str) -> bool:
    spec = template.spec
    return text in f"{template.slug} {spec.name} {spec.category} {spec.description}".lower()

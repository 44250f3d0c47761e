"""One destination: its state, and a tab for everything that can be known of it or done to it."""

from typing import Final, Protocol

from fastapi import Request
from nicegui import run, ui

from console.access import Account
from console.pages.backlog import Backlog
from console.pages.banner import show_banner
from console.pages.configuration import Configuration
from console.pages.frame import heading, page, show_state
from console.pages.history import History
from console.pages.logs import Logs
from console.pages.metrics import Metrics
from console.pages.testing import Testing
from console.pages.words import milliseconds, moment, share, span
from console.workspace import ILL, Row, Workspace

REFRESH_S: Final = 2.0


def add(workspace: Workspace) -> None:
    """Serve it at `/destinations/{id}`."""

    @ui.page("/destinations/{id}")
    async def destination(request: Request, id: str) -> None:
        with page(request, id) as account:
            await DestinationPage(workspace, account, id).build()


class Part(Protocol):
    """One tab."""

    async def build(self) -> None:
        """Put it together, and keep it up to date."""


class DestinationPage:
    """One look at it, by one person."""

    def __init__(self, workspace: Workspace, account: Account, id: str) -> None:
        self._workspace = workspace
        self._account = account
        self._id = id
        self._shown: Row | None = None

    async def build(self) -> None:
        """Put it together, and keep it up to date."""
        row = await run.io_bound(self._workspace.row, self._id)
        if row is None:
            heading("There is no such destination")
            ui.link("All destinations", "/")
            return
        self._head = ui.element("div").style("display: grid; gap: 12px")
        self._show(row)
        self._parts: dict[str, Part] = {
            "Metrics": Metrics(self._workspace, self._id),
            "Logs": Logs(self._workspace, self._account, self._id),
            "Testing": Testing(self._workspace, self._account, self._id),
            "Configuration": Configuration(self._workspace, self._account, self._id),
            "Backlog": Backlog(self._workspace, self._account, self._id),
            "History": History(self._workspace, self._account, self._id),
        }
        with ui.tabs().props("no-caps align=left dense").classes("tabs") as tabs:
            for name in self._parts:
                ui.tab(name)
        panels = ui.tab_panels(tabs, value="Metrics", animated=False).props("keep-alive")
        with panels.style("background: transparent"):
            self._panels = {name: ui.tab_panel(name).style("padding: 0") for name in self._parts}
        panels.on_value_change(lambda event: self._open(event.value))
        await self._open("Metrics")
        ui.timer(REFRESH_S, self._refresh)

    async def _open(self, name: str) -> None:
        """Put a tab together when somebody looks at it first: most visits are to one or two of them."""
        part = self._parts.pop(name, None)
        if part is not None:
            with self._panels[name]:
                await part.build()

    async def _refresh(self) -> None:
        row = await run.io_bound(self._workspace.row, self._id)
        if row is not None and row != self._shown:
            self._show(row)

    def _show(self, row: Row) -> None:
        self._shown = row
        status = row.status
        self._head.clear()
        with self._head:
            with ui.element("div").classes("row"):
                heading(row.name)
                show_state(row.state)
                ui.label(f"{row.id} · {row.template}").classes("quiet")
            if row.state in ILL or status.attention:
                show_banner(row, with_link=False)
            with ui.element("div").classes("numbers"):
                for name, value in (
                    ("Delivered", f"{status.delivered:,}"),
                    ("Failed", f"{status.failed:,}"),
                    ("Success", share(status.delivered, status.delivered + status.failed)),
                    ("Owed", f"{status.owed:,}"),
                    ("Waiting for a retry", f"{status.waiting_retry:,}"),
                    ("p50", milliseconds(status.p50_ms)),
                    ("p99", milliseconds(status.p99_ms)),
                    ("Oldest owed", span(status.lag_s) if status.owed else "–"),
                ):
                    with ui.element("div"):
                        ui.label(name).classes("quiet small")
                        ui.label(value).classes("number").mark(f"number-{name}")
            if status.last_error:
                ui.label(f"Last error: {status.last_error}").classes("small text")
            if status.at:
                ui.label(f"As of {moment(status.at)} UTC").classes("quiet small")

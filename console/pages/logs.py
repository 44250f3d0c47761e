"""The log of one destination as it grows, what failed for good, and sending that again."""

from typing import Any, Final

from nicegui import run, ui

from connectors.commands import Wish, spans_of_failed
from connectors.journal_ledger import StoredFailure
from connectors.journal_reader import StoredLine
from console.access import Account, Role
from console.pages.frame import heading, may
from console.pages.words import moment
from console.workspace import NoJournalError, Workspace
from records import CommandKind, Span

REFRESH_S: Final = 1.0
LINES: Final = 200
_BODY_CHARS: Final = 2000
_LEVELS: Final = {"debug": "Everything", "info": "Info and worse", "warn": "Warnings and errors", "error": "Errors"}


class Logs:
    """The newest lines, the newest first."""

    def __init__(self, workspace: Workspace, account: Account, id: str) -> None:
        self._workspace = workspace
        self._account = account
        self._id = id
        self._search: dict[str, Any] = {"text": "", "level": "debug", "live": True}
        self._last: int | None = None
        self._chosen: set[str] = set()

    async def build(self) -> None:
        """Put it together, and keep it up to date."""
        with ui.element("div").classes("row").style("margin: 12px 0"):
            ui.input("Search the log").props("outlined dense clearable debounce=300").bind_value(
                self._search, "text"
            ).on_value_change(self._again)
            ui.select(_LEVELS, label="Level").props("outlined dense").bind_value(self._search, "level").on_value_change(
                self._again
            ).style("min-width: 190px")
            ui.switch("Live").bind_value(self._search, "live")
        self._failures = ui.element("div")
        self._body = ui.element("div").props('role=log aria-label="Log"')
        await self._again()
        ui.timer(REFRESH_S, self._refresh)

    async def _again(self) -> None:
        self._last = None
        self._body.clear()
        with self._body:
            self._none = ui.label("Nothing has been logged yet.").classes("quiet")
        self._shown: list[ui.element] = []
        await self._show_failures()
        await self._refresh(asked=True)

    async def _refresh(self, asked: bool = False) -> None:
        if not (asked or self._search["live"]):
            return
        lines = await run.io_bound(
            self._workspace.logs,
            self._id,
            after=self._last,
            level=self._search["level"],
            text=self._search["text"] or "",
            limit=LINES,
        )
        if not lines:
            return
        self._last = lines[-1].id
        self._none.set_visibility(False)
        with self._body:
            for stored in lines:
                element = _show_line(stored)
                element.move(self._body, 0)
                self._shown.append(element)
        for old in self._shown[:-LINES]:
            old.delete()
        self._shown = self._shown[-LINES:]
        if not asked:
            await self._show_failures()

    async def _show_failures(self) -> None:
        failures = await run.io_bound(self._workspace.failures, self._id, text=self._search["text"] or "", limit=50)
        self._failures.clear()
        if not failures:
            return
        with self._failures, ui.element("div").classes("card").style("margin-bottom: 12px"):
            with ui.element("div").classes("row"):
                heading("Failed for good", 2)
                if may(self._account, Role.OPERATOR):
                    ui.button("Retry all", on_click=self._retry_all).props("no-caps outline dense").classes("push")
                    ui.button("Retry selected", on_click=self._retry_chosen).props("no-caps outline dense")
            for stored in reversed(failures):
                self._show_failure(stored)

    def _show_failure(self, stored: StoredFailure) -> None:
        failure = stored.failure
        with ui.element("div").classes("row").style("flex-wrap: nowrap; align-items: flex-start"):
            if may(self._account, Role.OPERATOR):
                ui.checkbox(
                    value=failure.invocation in self._chosen,
                    on_change=lambda event: (self._chosen.add if event.value else self._chosen.discard)(
                        failure.invocation
                    ),
                ).props(f'dense aria-label="Select {failure.event_uuid}"')
            with ui.element("div"):
                ui.label(f"{failure.event_name} · {failure.event_uuid}").classes("text")
                ui.label(f"{moment(failure.at)} · {failure.reason}").classes("quiet small text")

    async def _retry_all(self) -> None:
        positions = await run.io_bound(self._workspace.failed_positions, self._id, "", self._search["text"] or "")
        await self._tell([Wish(CommandKind.REPLAY, self._account.name, spans=spans, failed=True)
                          for spans in spans_of_failed(positions or {})])  # fmt: skip

    async def _retry_chosen(self) -> None:
        failures = await run.io_bound(self._workspace.failures, self._id, limit=1000) or []
        spans = [
            Span(one.stream, one.partition, one.offset, one.offset, [one.offset], one.mapping)
            for one in (stored.failure for stored in failures)
            if one.invocation in self._chosen
        ]
        self._chosen.clear()
        await self._tell([Wish(CommandKind.REPLAY, self._account.name, spans=spans, failed=True)] if spans else [])

    async def _tell(self, wishes: list[Wish]) -> None:
        if not wishes:
            ui.notify("Nothing is selected")
            return
        try:
            for wish in wishes:
                await run.io_bound(self._workspace.tell, self._id, wish)
        except NoJournalError as error:
            ui.notify(str(error), type="negative")
            return
        ui.notify("They are sent again")


def _show_line(stored: StoredLine) -> ui.element:
    line = stored.line
    with ui.element("div").classes(f"line {line.level}") as element:
        ui.label(moment(line.timestamp)).classes("mono quiet")
        ui.label(line.level).classes("level")
        ui.label(line.message).classes("text")
        if line.body:
            ui.label(line.body[:_BODY_CHARS].decode("utf-8", "replace")).classes("mono answer")
    return element

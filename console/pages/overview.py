"""The first page: every destination, how it is, and what to do about it."""

from typing import Any, Final

from fastapi import Request
from nicegui import run, ui

from connectors.commands import Wish
from console.access import Account, Role
from console.pages.banner import show_banner
from console.pages.frame import heading, may, page, show_state, state_word
from console.pages.words import milliseconds, share, sparkline
from console.workspace import ILL, NoJournalError, Row, Workspace
from records import CommandKind

REFRESH_S: Final = 2.0
_SPARK_MINUTES: Final = 60
_SORTS: Final = {
    "name": "Name",
    "state": "State",
    "owed": "Owed",
    "failed": "Failed",
    "p99": "Slowest",
}
_WORST: Final = ("invalid", "disabled", "quarantined", "probing", "degraded", "behind", "paused", "live")
_SENDING: Final = frozenset({"live", "behind", "degraded"})
_STOPPED: Final = frozenset({"paused", "disabled", "quarantined", "probing"})
SHOWN: Final = 100
"""Rows of one page."""


def add(workspace: Workspace) -> None:
    """Serve it at `/`."""

    @ui.page("/")
    async def overview(request: Request) -> None:
        with page(request, "Destinations") as account:
            await Overview(workspace, account).build()


class Overview:
    """One look at it, by one person."""

    def __init__(self, workspace: Workspace, account: Account) -> None:
        self._workspace = workspace
        self._account = account
        self._search: dict[str, Any] = {"text": "", "state": "", "sort": "name", "page": 1}
        self._shown: object = None
        self._numbers: dict[str, list[ui.label]] = {}

    async def build(self) -> None:
        """Put it together, and keep it up to date."""
        with ui.element("div").classes("row"):
            heading("Destinations")
            ui.button("New destination", on_click=lambda: ui.navigate.to("/new")).props("no-caps unelevated").classes(
                "push"
            )
        with ui.element("div").classes("row"):
            ui.input("Search by name").props("outlined dense clearable").bind_value(
                self._search, "text"
            ).on_value_change(self._again)
            states = {"": "Every state"} | {state: state_word(state) for state in (*_WORST, "off", "new")}
            ui.select(states, label="State").props("outlined dense").bind_value(self._search, "state").on_value_change(
                self._again
            ).style("min-width: 170px")
            ui.select(_SORTS, label="Sort by").props("outlined dense").bind_value(self._search, "sort").on_value_change(
                self._again
            ).style("min-width: 130px")
        self._body = ui.element("div").props("aria-live=off")
        await self._refresh()
        ui.timer(REFRESH_S, self._refresh)

    async def _again(self) -> None:
        self._search["page"] = 1
        self._shown = None
        await self._refresh()

    async def _refresh(self) -> None:
        rows = await run.io_bound(self._workspace.rows)
        minutes = await run.io_bound(
            self._workspace.delivered_by_minute, self._workspace.now() - 60 * (_SPARK_MINUTES - 1)
        )
        running = await run.io_bound(self._workspace.is_running)
        if rows is None or minutes is None:
            return  # The console is being ended.
        # Numbers change all the time: they are set where they stand, so that a button is not taken away under a click.
        # The curves of the last hour gain a point a minute.
        minute = int(self._workspace.now() // 60)
        seen = ([_frame_of(row) for row in rows], minute, running, dict(self._search))
        if seen == self._shown:
            for row in rows:
                if row.id in self._numbers:
                    for label, text in zip(self._numbers[row.id], _numbers_of(row), strict=True):
                        label.set_text(text)
            return
        self._shown = seen
        self._numbers.clear()
        self._body.clear()
        with self._body:
            self._show(rows, minutes, bool(running))

    def _show(self, rows: list[Row], minutes: Any, running: bool) -> None:
        if not running:
            with ui.element("div").classes("banner calm"):
                ui.label("No job is running on this state directory. Start one with: offramp run")
        for row in rows:
            if row.state in ILL or row.status.attention:
                show_banner(row, with_link=True)
        chosen = _chosen(rows, self._search)
        if not rows:
            self._show_nothing()
        elif not chosen:
            ui.label("No destination is like that.").classes("quiet")
        else:
            self._show_table(chosen, minutes)

    def _show_nothing(self) -> None:
        with ui.element("div").classes("card"):
            heading("There is no destination yet", 2)
            ui.label(f"Each is a file in {self._workspace.folder}.").classes("quiet text")
            ui.link("Choose what to send events to", "/new")

    def _show_table(self, rows: list[Row], minutes: Any) -> None:
        at = self._search["page"]
        first = (at - 1) * SHOWN
        with ui.element("div").classes("wide"), ui.element("table").classes("grid"):
            with ui.element("thead"), ui.element("tr"):
                for name, classes in _COLUMNS:
                    with ui.element("th").classes(classes):
                        ui.label(name)
            with ui.element("tbody"):
                for row in rows[first : first + SHOWN]:
                    self._show_row(row, minutes.get(row.id, {}))
        if len(rows) > SHOWN:
            ui.pagination(1, -(-len(rows) // SHOWN), value=at, on_change=self._turn)

    async def _turn(self, event: Any) -> None:
        self._search["page"] = event.value
        await self._refresh()

    def _show_row(self, row: Row, minutes: dict[int, int]) -> None:
        status = row.status
        with ui.element("tr").mark(f"row-{row.id}"):
            with ui.element("td"):
                ui.link(row.name, f"/destinations/{row.id}")
                ui.label(f"{row.id} · {row.template}").classes("quiet small")
            with ui.element("td"):
                show_state(row.state)
            with ui.element("td").classes("optional"):
                now = int(self._workspace.now() // 60) * 60
                counts = [minutes.get(now - 60 * back, 0) for back in range(_SPARK_MINUTES - 1, -1, -1)]
                ui.html(sparkline(counts), sanitize=False)
            self._numbers[row.id] = labels = []
            for text in _numbers_of(row):
                with ui.element("td").classes("n"):
                    labels.append(ui.label(text))
            with ui.element("td").classes("optional"):
                ui.label((status.last_error or status.problem)[:160]).classes("small text")
            with ui.element("td"):
                self._show_actions(row)

    def _show_actions(self, row: Row) -> None:
        if not may(self._account, Role.OPERATOR):
            return
        if row.state in _SENDING:
            self._button("Pause", row, CommandKind.PAUSE)
        elif row.state in _STOPPED:
            self._button("Enable", row, CommandKind.ENABLE)

    def _button(self, word: str, row: Row, kind: CommandKind) -> None:
        async def tell() -> None:
            try:
                await run.io_bound(self._workspace.tell, row.id, Wish(kind, self._account.name))
            except NoJournalError as error:
                ui.notify(str(error), type="negative")
                return
            ui.notify(f"{row.name}: the job has been told")

        ui.button(word, on_click=tell).props(f'flat dense no-caps aria-label="{word} {row.id}"')


_COLUMNS: Final = (
    ("Destination", ""),
    ("State", ""),
    ("Last hour", "optional"),
    ("Delivered", "n"),
    ("Success", "n"),
    ("p99", "n"),
    ("Owed", "n"),
    ("Last error", "optional"),
    ("", ""),
)


def _numbers_of(row: Row) -> tuple[str, str, str, str]:
    status = row.status
    done = share(status.delivered, status.delivered + status.failed)
    return f"{status.delivered:,}", done, milliseconds(status.p99_ms), f"{status.owed:,}"


def _frame_of(row: Row) -> tuple[object, ...]:
    """What the page is built anew for."""
    status = row.status
    own = (row.id, row.name, row.template, row.state, row.problems)
    return (*own, status.reason, status.until, status.attention, status.last_error)


def _chosen(rows: list[Row], search: dict[str, Any]) -> list[Row]:
    text = (search["text"] or "").lower()
    chosen = [
        row
        for row in rows
        if search["state"] in ("", row.state) and text in f"{row.id} {row.name} {row.template}".lower()
    ]
    keys: dict[str, Any] = {
        "name": lambda row: row.name.lower(),
        "state": lambda row: _WORST.index(row.state) if row.state in _WORST else len(_WORST),
        "owed": lambda row: -row.status.owed,
        "failed": lambda row: -row.status.failed,
        "p99": lambda row: -(row.status.p99_ms or 0.0),
    }
    return sorted(chosen, key=keys[search["sort"]])

"""What is owed to one destination, and sending again what the log still has."""

import time
from collections import deque
from typing import Final

from nicegui import run, ui

from connectors.commands import Answer, Wish
from console.access import Account, Role
from console.pages.frame import heading, may
from console.pages.words import span
from console.workspace import NoJournalError, Row, Workspace
from records import CommandKind

REFRESH_S: Final = 1.0
_WAIT_S: Final = 90.0
_RATE_S: Final = 30.0
_AGO: Final = {3_600: "the last hour", 86_400: "the last day", 604_800: "the last 7 days"}


class Backlog:
    """Owed, at what rate it goes down, and the replays under way."""

    def __init__(self, workspace: Workspace, account: Account, id: str) -> None:
        self._workspace = workspace
        self._account = account
        self._id = id
        self._ago: dict[str, int] = {"value": 3_600}
        self._seen: deque[tuple[float, int]] = deque()

    async def build(self) -> None:
        """Put it together, and keep it up to date."""
        self._body = ui.element("div").style("display: grid; gap: 12px; margin: 12px 0")
        await self._refresh()
        if may(self._account, Role.OPERATOR):
            with ui.element("div").classes("card"):
                heading("Send again", 2)
                ui.label(
                    "Every event of that time that matches is sent once more, also what was delivered; the receiver"
                    " knows it by its webhook-id."
                ).classes("quiet text")
                with ui.element("div").classes("row"):
                    ui.select(_AGO, label="Events of").props("outlined dense").bind_value(self._ago, "value").style(
                        "min-width: 170px"
                    )
                    ui.button("Count them", on_click=self._count).props("no-caps outline")
                    ui.button("Start", on_click=self._start).props("no-caps unelevated")
                self._counted = ui.label("").props("role=status")
        ui.timer(REFRESH_S, self._refresh)

    async def _refresh(self) -> None:
        row = await run.io_bound(self._workspace.row, self._id)
        if row is None:
            return
        rate = self._rate(row)
        self._body.clear()
        with self._body:
            self._show(row, rate)

    def _rate(self, row: Row) -> float:
        """How many a second have left it of late."""
        now = time.monotonic()
        self._seen.append((now, row.status.delivered + row.status.failed))
        while self._seen and now - self._seen[0][0] > _RATE_S:
            self._seen.popleft()
        (began, before), (ended, after) = self._seen[0], self._seen[-1]
        return (after - before) / (ended - began) if ended > began else 0.0

    def _show(self, row: Row, rate: float) -> None:
        status = row.status
        left = f"{span(status.backlog / rate)} at this rate" if rate and status.backlog else "–"
        with ui.element("div").classes("numbers"):
            for name, value in (
                ("Owed", f"{status.owed:,}"),
                ("Of these in the log", f"{status.backlog:,}"),
                ("Leaving it a second", f"{rate:,.1f}"),
                ("Time to catch up", left),
            ):
                with ui.element("div"):
                    ui.label(name).classes("quiet small")
                    ui.label(value).classes("number")
        for replay in status.replays:
            done = 1 - replay.left / replay.total if replay.total else 1.0
            with ui.element("div").classes("card"):
                paused = ", paused" if replay.paused else ""
                ui.label(f"Replay {replay.id}: {done:.0%} of {replay.total:,} read, {replay.matched:,} matched{paused}")
                ui.linear_progress(done, show_value=False)
                if may(self._account, Role.OPERATOR):
                    with ui.element("div").classes("row"):
                        steer = CommandKind.RESUME_REPLAYS if replay.paused else CommandKind.PAUSE_REPLAYS
                        self._button("Go on" if replay.paused else "Pause", steer)
                        self._button("Cancel", CommandKind.CANCEL_REPLAYS)

    def _button(self, word: str, kind: CommandKind) -> None:
        async def tell() -> None:
            await self._tell(Wish(kind, self._account.name))

        ui.button(word, on_click=tell).props("flat dense no-caps")

    async def _count(self) -> None:
        answer = await self._tell(self._wish(dry=True), wait=True)
        if answer is not None:
            self._counted.text = answer.error or f"{answer.positions:,} positions of the log"

    async def _start(self) -> None:
        answer = await self._tell(self._wish(dry=False), wait=True)
        if answer is not None:
            self._counted.text = answer.error or f"{answer.positions:,} positions are read again"

    def _wish(self, dry: bool) -> Wish:
        since = self._workspace.now() - self._ago["value"]
        return Wish(CommandKind.REPLAY, self._account.name, since=since, dry=dry)

    async def _tell(self, wish: Wish, wait: bool = False) -> Answer | None:
        """Give it to the job, and if asked to wait for what it says."""
        try:
            number = await run.io_bound(self._workspace.tell, self._id, wish)
            if not wait or number is None:
                return None
            self._counted.text = "Looking into the log…"
            return await run.io_bound(self._workspace.wait_for_answer, number, _WAIT_S)
        except NoJournalError as error:
            ui.notify(str(error), type="negative")
            return None

"""Who changed a destination's file, when and why; what was different; and the way back."""

from typing import Final

from nicegui import run, ui

from connectors.config_history import Version
from console.access import Account, Role
from console.drafts import DraftError
from console.pages.frame import may
from console.pages.words import moment
from console.workspace import Workspace

_SHOWN: Final = 50


class History:
    """The versions, the newest first."""

    def __init__(self, workspace: Workspace, account: Account, id: str) -> None:
        self._workspace = workspace
        self._account = account
        self._id = id

    async def build(self) -> None:
        """Put it together."""
        with ui.element("div").classes("row").style("margin-top: 12px"):
            ui.button("Refresh", on_click=self.load).props("no-caps outline dense")
        self._body = ui.element("div").style("display: grid; gap: 8px; margin: 12px 0")
        await self.load()

    async def load(self) -> None:
        """Show them as they are now."""
        try:
            versions = await run.io_bound(self._workspace.drafts.versions, self._id)
        except DraftError as error:
            ui.notify(str(error), type="negative")
            return
        self._body.clear()
        with self._body:
            for count, version in enumerate((versions or [])[:_SHOWN]):
                self._show(version, is_current=count == 0)

    def _show(self, version: Version, is_current: bool) -> None:
        card = ui.element("div").classes("card").mark(f"version-{version.number}")
        with card, ui.element("div").classes("row"):
            ui.label(f"Version {version.number}").classes("brand")
            by = "by hand" if version.author == "file" else f"by {version.author}"
            ui.label(f"{moment(version.at)} UTC {by}").classes("quiet")
            if version.text is None:
                ui.label("deleted").classes("state bad")
            if version.note:
                ui.label(version.note).classes("text")
            with ui.element("div").classes("row push"):
                ui.button("Differences", on_click=lambda: self._compare(version.number)).props("flat dense no-caps")
                if not is_current and version.text is not None and may(self._account, Role.EDITOR):
                    ui.button("Go back to it", on_click=lambda: self._go_back(version.number)).props(
                        f'flat dense no-caps aria-label="Go back to version {version.number}"'
                    )

    async def _compare(self, number: int) -> None:
        text = await run.io_bound(self._workspace.drafts.diff, self._id, number - 1, number)
        with ui.dialog() as dialog, ui.card().style("max-width: 90vw; width: 900px"):
            ui.label(text or "Nothing is different.").classes("mono text")
            ui.button("Close", on_click=dialog.close).props("flat no-caps")
        dialog.open()

    async def _go_back(self, number: int) -> None:
        note = f"back to version {number}"
        try:
            await run.io_bound(self._workspace.drafts.roll_back, self._id, number, self._account.name, note)
        except DraftError as error:
            ui.notify(" ".join([str(error), *error.problems]), type="negative", multi_line=True)
            return
        self._workspace.look_again()
        ui.notify(f"It is as in version {number} again")
        await self.load()

"""A destination's file: what it says, and changing it."""

from nicegui import run, ui

from console.access import Account, Role
from console.drafts import DraftError
from console.pages.frame import may
from console.workspace import Workspace


class Configuration:
    """The file as text. What cannot be loaded is not written, and nobody overwrites what somebody else has written."""

    def __init__(self, workspace: Workspace, account: Account, id: str) -> None:
        self._workspace = workspace
        self._account = account
        self._id = id
        self._version = 0

    async def build(self) -> None:
        """Put it together."""
        with ui.element("div").style("display: grid; gap: 12px; margin: 12px 0"):
            self._told = ui.element("div").props("role=alert")
            self._editor = ui.codemirror("", language="YAML", line_wrapping=True).classes("editor")
            if may(self._account, Role.EDITOR):
                with ui.element("div").classes("row"):
                    self._note = ui.input("Why (for the history)").props("outlined dense")
                    ui.button("Save", on_click=self._save).props("no-caps unelevated")
                    ui.button("Check", on_click=self._check).props("no-caps outline")
                    ui.button("Read it again", on_click=self.load).props("no-caps flat")
            else:
                self._editor.disable()
        await self.load()

    async def load(self) -> None:
        """Show the file as it is now."""
        current = await run.io_bound(self._workspace.drafts.current, self._id)
        self._version = 0 if current is None else current.number
        self._editor.set_value("" if current is None else current.text or "")
        self._told.clear()

    async def _check(self) -> None:
        problems = await run.io_bound(self._workspace.drafts.problems, self._id, self._editor.value or "")
        self._tell("It can be loaded." if not problems else "It cannot be loaded.", problems or (), bool(problems))

    async def _save(self) -> None:
        try:
            version = await run.io_bound(
                self._workspace.drafts.save,
                self._id,
                self._editor.value or "",
                self._account.name,
                self._note.value or "",
                self._version,
            )
        except DraftError as error:
            self._tell(str(error), error.problems, True)
            return
        if version is not None:
            self._version = version.number
            self._note.set_value("")
            self._workspace.look_again()
            self._tell(f"Saved as version {version.number}; it takes effect within two seconds.", (), False)

    def _tell(self, text: str, problems: tuple[str, ...], is_bad: bool) -> None:
        self._told.clear()
        with self._told, ui.element("div").classes("banner" if is_bad else "banner calm"):
            ui.label(text).classes("text")
            for problem in problems:
                ui.label(problem).classes("mono text")

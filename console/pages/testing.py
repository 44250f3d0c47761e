"""Trying a destination out with a real event: what its filter says, what it would send, and what is answered."""

import json
from typing import Any, Final

from nicegui import run, ui

from console.access import Account, Role
from console.pages.frame import heading, may
from console.workspace import Workspace
from destinations import EventView
from destinations.explain import Clause, InputValue
from flows.event_views import NoEventError
from flows.trial_result import Ending, Step, Trial, TrialResult

_SHOWN: Final = 20
_CHARS: Final = 20_000
_COLOURS: Final = {
    Ending.DELIVERED: "good",
    Ending.WOULD_DELIVER: "good",
    Ending.RETRIED: "warn",
    Ending.FAILED: "bad",
}


class Testing:
    """Choose an event, try it, see every step."""

    def __init__(self, workspace: Workspace, account: Account, id: str) -> None:
        self._workspace = workspace
        self._account = account
        self._id = id
        self._search: dict[str, Any] = {"name": "", "person": "", "matching": True}
        self._chosen: EventView | None = None
        self._written = ""

    async def build(self) -> None:
        """Put it together; nothing is looked for before somebody asks."""
        if not may(self._account, Role.EDITOR):
            ui.label("Editors try destinations out: events hold what people have done.").classes("quiet")
            return
        with ui.element("div").style("display: grid; gap: 12px; margin: 12px 0"):
            with ui.element("div").classes("card").style("display: grid; gap: 10px"):
                heading("With which event", 2)
                with ui.element("div").classes("row"):
                    ui.input("Name of the event").props("outlined dense clearable").bind_value(self._search, "name")
                    ui.input("Distinct id").props("outlined dense clearable").bind_value(self._search, "person")
                    ui.checkbox("Only those that match").bind_value(self._search, "matching")
                    ui.button("Find the newest", on_click=self._find).props("no-caps outline")
                self._found = ui.element("div").props("role=status")
                with ui.expansion("Or edit and paste one"):
                    self._editor = ui.codemirror("", language="JSON", line_wrapping=True).classes("editor")
            with ui.element("div").classes("row"):
                ui.button("Dry run", on_click=lambda: self._try(send=False)).props("no-caps unelevated")
                ui.button("Really send it", on_click=lambda: self._try(send=True)).props("no-caps outline")
                self._anyway = ui.checkbox("Even if it does not match")
            self._result = ui.element("div").style("display: grid; gap: 12px").props("aria-live=polite")

    async def _find(self) -> None:
        self._found.clear()
        with self._found:
            ui.label("Looking into the newest events…").classes("quiet")
        search = self._search
        try:
            views = await run.io_bound(
                self._workspace.recent,
                self._id,
                _SHOWN,
                search["name"] or "",
                search["person"] or "",
                search["matching"],
            )
        except NoEventError as error:
            self._tell(str(error))
            return
        self._found.clear()
        with self._found:
            if not views:
                ui.label("None of the newest events is like that.").classes("quiet")
                return
            options = {n: _named(view) for n, view in enumerate(views)}
            ui.select(options, label="Event", value=0, on_change=lambda event: self._choose(views[event.value])).props(
                "outlined dense"
            ).style("min-width: min(520px, 80vw)")
            self._choose(views[0])

    def _choose(self, view: EventView) -> None:
        self._chosen = view
        event = view.event
        shown = {
            "uuid": event.uuid,
            "event": event.event,
            "distinct_id": event.distinct_id,
            "timestamp": event.timestamp,
            "properties": _properties(view),
        }
        self._written = json.dumps(shown, indent=2, ensure_ascii=False)
        self._editor.set_value(self._written)

    def _tell(self, problem: str) -> None:
        self._found.clear()
        with self._found, ui.element("div").classes("banner warn"):
            ui.label(problem).classes("text")

    async def _try(self, send: bool) -> None:
        self._result.clear()
        with self._result:
            ui.spinner()
        try:
            result = await run.io_bound(self._tried, send, bool(self._anyway.value))
        except NoEventError as error:
            self._result.clear()
            with self._result, ui.element("div").classes("banner"):
                ui.label(str(error)).classes("text")
            return
        self._result.clear()
        if result is not None:
            with self._result:
                show_result(result)

    def _tried(self, send: bool, anyway: bool) -> TrialResult:
        text = (self._editor.value or "").strip()
        if not text and self._chosen is None:
            # What somebody would mean who has chosen none.
            views = self._workspace.recent(self._id, 1, matching=True)
            if not views:
                raise NoEventError("none of the newest events matches; find one that does not, or write one")
            return self._workspace.try_out(self._id, views[0], send=send, anyway=anyway)
        if self._chosen is not None and text in ("", self._written.strip()):
            return self._workspace.try_out(self._id, self._chosen, send=send, anyway=anyway)
        view = self._workspace.event(self._id, text=text)
        return self._workspace.try_out(self._id, view, send=send, anyway=anyway)


def show_result(result: TrialResult) -> None:
    """Every step of it."""
    with ui.element("div").classes("card"):
        with ui.element("div").classes("row"):
            ui.label(result.ending.capitalize()).classes(f"state {_COLOURS.get(result.ending, '')}").mark("ending")
            ui.label(f"{result.event} of {result.distinct_id}").classes("text")
            ui.label(result.position).classes("quiet small")
        if result.reason:
            ui.label(result.reason).classes("text")
        for note in (*result.notes, result.sample, result.cap):
            if note:
                ui.label(note).classes("quiet small text")
        _show_clauses(result.clauses)
    for trial in result.trials:
        _show_trial(trial)


def _show_trial(trial: Trial) -> None:
    with ui.element("div").classes("card").style("display: grid; gap: 8px"):
        if trial.mapping:
            with ui.element("div").classes("row"):
                heading(trial.mapping, 2)
                ui.label(trial.ending.capitalize()).classes(f"state {_COLOURS.get(trial.ending, '')}")
            if trial.reason:
                ui.label(trial.reason).classes("text")
        _show_clauses(trial.clauses)
        if trial.inputs:
            with ui.expansion("Inputs as rendered"):
                for one in trial.inputs:
                    _show_input(one)
        for number, step in enumerate(trial.steps, 1):
            _show_step(number, step)
        for line in trial.logs:
            ui.label(f"{line.level}: {line.message}").classes("mono text")


def _show_clauses(clauses: list[Clause]) -> None:
    for clause in clauses:
        with ui.element("div").classes("row"):
            word, colour = ("holds", "good") if clause.holds else ("does not hold", "bad")
            ui.label(word).classes(f"state {colour}")
            ui.label(clause.text).classes("mono text")
            for name, value in clause.reads.items():
                ui.label(f"{name} is {json.dumps(value, ensure_ascii=False)}").classes("quiet small text")
            if clause.error:
                ui.label(clause.error).classes("small text")


def _show_input(one: InputValue) -> None:
    with ui.element("div").classes("line").style("grid-template-columns: 180px 1fr"):
        ui.label(one.name).classes("quiet")
        ui.label(one.error or one.value[:_CHARS]).classes("mono text")


def _show_step(number: int, step: Step) -> None:
    request, answer = step.request, step.answer
    with ui.element("div").style("display: grid; gap: 6px").mark(f"step-{number}"):
        with ui.element("div").classes("row"):
            ui.label(f"{number}. {request.method} {request.url}").classes("mono text")
            if step.duration_ms:
                ui.label(f"{step.duration_ms:,.0f} ms").classes("quiet small")
        headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
        ui.label(f"{headers}\n\n{request.body[:_CHARS]}").classes("mono text card")
        if step.note:
            ui.label(step.note).classes("quiet small text")
        if answer is not None:
            made_up = " (made up: nothing was sent)" if answer.scripted else ""
            ui.label(f"Answer: {answer.status}{made_up}").classes("small")
            if answer.body:
                ui.label(answer.body[:_CHARS]).classes("mono text card")
        if step.reason:
            ui.label(step.reason).classes("text")


def _named(view: EventView) -> str:
    event = view.event
    return f"{event.event} · {event.distinct_id} · {event.timestamp}"


def _properties(view: EventView) -> Any:
    found = view.invocation(frozenset({"event.properties"}))["event"]["properties"]
    return found if isinstance(found, dict) else {}

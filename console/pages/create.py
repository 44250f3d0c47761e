"""A new destination from a template: who it is, which events, what is sent."""

from typing import Any, Final

from fastapi import Request
from nicegui import run, ui

from catalog import Template
from catalog.spec import TAKES_ALL, InputSpec
from console.access import Account, Role
from console.drafts import Draft, DraftError
from console.pages.fields import Field, FieldError, field
from console.pages.frame import heading, may, page
from console.workspace import Workspace
from destinations.posthog.names import free_id

GLOBALS: Final = (
    ("{event.event}", "the event's name"),
    ("{event.properties.plan}", "one of its properties"),
    ("{event.distinct_id}", "whose it is"),
    ("{event.timestamp}", "when it was"),
    ("{event.url}", "where people look at it"),
    ("{person.properties.email}", "a property of the person as they are now"),
    ("{person.name}", "the person's name"),
    ("{groups.company.properties.name}", "a property of a group"),
    ("{event.properties.plan ?? 'none'}", "with something for where it is missing"),
)


def add(workspace: Workspace) -> None:
    """Serve it at `/new/{slug}`."""

    @ui.page("/new/{slug}")
    async def create(request: Request, slug: str) -> None:
        with page(request, "New destination") as account:
            template = workspace.template(slug)
            if template is None:
                heading("There is no such template")
                ui.link("All templates", "/new")
            elif not may(account, Role.EDITOR):
                heading("Only editors make destinations")
            else:
                await CreatePage(workspace, account, template).build()


class CreatePage:
    """One form."""

    def __init__(self, workspace: Workspace, account: Account, template: Template) -> None:
        self._workspace = workspace
        self._account = account
        self._template = template
        self._fields: dict[str, Field] = {}
        self._secrets: dict[str, ui.input] = {}
        self._seen: list[str] = []

    async def build(self) -> None:
        """Put it together."""
        spec = self._template.spec
        self._seen = await run.io_bound(self._workspace.seen_names) or []
        taken = {row.id for row in await run.io_bound(self._workspace.rows) or []}
        heading(f"New: {spec.name}")
        ui.label(spec.description).classes("quiet")
        with ui.element("div").classes("form"):
            with ui.element("div").classes("card").style("display: grid; gap: 14px"):
                heading("Name", 2)
                self._name = ui.input("Name", value=spec.name).props("outlined dense")
                self._id = ui.input("Id *", value=free_id(spec.name, self._template.slug, taken)).props(
                    "outlined dense hint='Letters a-z, digits and hyphens; it stays the same for ever.'"
                )
            with ui.element("div").classes("card").style("display: grid; gap: 14px"):
                heading("Which events", 2)
                self._show_filter()
            with ui.element("div").classes("card").style("display: grid; gap: 18px"):
                heading("What is sent", 2)
                for key, one in spec.inputs.items():
                    if not one.hidden:
                        self._show_input(key, one)
                _show_globals()
            self._problems = ui.element("div").props("role=alert")
            with ui.element("div").classes("row"):
                ui.button("Create", on_click=self._create).props("no-caps unelevated")
                ui.label("It begins to deliver within two seconds.").classes("quiet small")
        if self._template.readme:
            with ui.expansion("About this destination: where its credentials are found, its limits, what errors mean"):
                ui.markdown(self._template.readme)

    def _show_filter(self) -> None:
        spec = self._template.spec
        names = [str(each["id"]) for each in spec.filters.get("events") or [] if each.get("id")]
        seen = list(dict.fromkeys([*names, *self._seen]))
        self._events = ui.select(
            seen, label="Names of events", value=names, multiple=True, with_input=True, new_value_mode="add-unique"
        ).props("outlined dense use-chips hint='Choose, or type a name and press Enter: one or another of them.'")
        self._when = ui.input("Only when (HogQL)", value=spec.filters.get("when") or "").props(
            "outlined dense placeholder=\"properties.plan = 'pro'\""
        )
        self._all = ui.checkbox("Every event", value=not names and spec.category in TAKES_ALL)
        with ui.element("div").classes("row"):
            ui.button("How many would that be?", on_click=self._count).props("no-caps outline dense")
            self._counted = ui.label("").classes("quiet").props("role=status")

    def _show_input(self, key: str, spec: InputSpec) -> None:
        with ui.element("div"):
            if spec.secret and "{connections." not in str(spec.example):
                self._secrets[key] = (
                    ui.input(spec.label + (" *" if spec.required else ""), password=True, password_toggle_button=True)
                    .props("outlined dense autocomplete=off")
                    .mark(f"secret-{key}")
                )
                ui.label(spec.description).classes("quiet small")
            else:
                # An example that is a single text would be sent by whoever overlooks it; its hint shows it.
                shows = spec.default is None and spec.required and isinstance(spec.example, dict | list)
                self._fields[key] = field(key, spec, spec.example if shows else spec.default)

    async def _count(self) -> None:
        try:
            wanted, of = await run.io_bound(self._would_match, self._filters()) or (0, 0)
        except DraftError as error:
            self._counted.set_text(" ".join([str(error), *error.problems]))
            return
        newest = f"the newest {of:,} events" if of else "the newest events, of which none can be seen here,"
        self._counted.set_text(f"{wanted:,} of {newest} would have matched.")

    def _would_match(self, filters: dict[str, Any]) -> tuple[int, int]:
        return self._workspace.would_match(self._workspace.drafts.wanting(filters))

    async def _create(self) -> None:
        self._problems.clear()
        try:
            draft = self._draft()
            replace_secrets = may(self._account, Role.OPERATOR)
            await run.io_bound(
                self._workspace.drafts.create, draft, self._account.name, replace_secrets=replace_secrets
            )
        except FieldError as error:
            self._tell([str(error)])
            return
        except DraftError as error:
            self._tell([str(error), *error.problems])
            return
        self._workspace.look_again()
        ui.navigate.to(f"/destinations/{draft.id}")

    def _filters(self) -> dict[str, Any]:
        spec = self._template.spec
        filters: dict[str, Any] = {key: each for key, each in spec.filters.items() if key not in ("events", "when")}
        names = [str(name).strip() for name in self._events.value or [] if str(name).strip()]
        when = (self._when.value or "").strip()
        if not (names or when or filters or spec.mappings or self._all.value):
            raise DraftError("Of which events? Name some, say when, or choose every event.")
        if names:
            filters["events"] = [
                next((each for each in spec.filters.get("events") or [] if each.get("id") == name), {"id": name})
                for name in names
            ]
        if when:
            filters["when"] = when
        return filters

    def _draft(self) -> Draft:
        filters, spec = self._filters(), self._template.spec
        inputs = {
            key: value
            for key, one in self._fields.items()
            if (value := one.value()) is not None and value != spec.inputs[key].default
        }
        secrets = {key: one.value for key, one in self._secrets.items() if one.value}
        return Draft(self._id.value or "", self._name.value or "", self._template, filters, inputs, secrets)

    def _tell(self, problems: list[str]) -> None:
        with self._problems, ui.element("div").classes("banner"):
            for problem in problems:
                ui.label(problem).classes("text")


def _show_globals() -> None:
    with ui.expansion("What can stand in a text"), ui.element("table").classes("grid"):
        for written, meaning in GLOBALS:
            with ui.element("tr"):
                with ui.element("td").classes("mono"):
                    ui.label(written)
                with ui.element("td"):
                    ui.label(meaning)

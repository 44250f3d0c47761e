"""What all pages have in common: the bar above them, the words and colours of states, and who looks at them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fastapi import Request
from nicegui import ui

from console.access import Account, Role

_COLOURS: Final = {
    "live": "good",
    "behind": "warn",
    "degraded": "warn",
    "probing": "warn",
    "quarantined": "bad",
    "disabled": "bad",
    "invalid": "bad",
}
_WORDS: Final = {
    "live": "Live",
    "behind": "Catching up",
    "degraded": "Degraded",
    "probing": "Trying it out",
    "quarantined": "Quarantined",
    "disabled": "Disabled",
    "invalid": "File has errors",
    "paused": "Paused",
    "off": "Switched off",
    "new": "Not started",
    "removed": "Removed",
}


@contextmanager
def page(request: Request, title: str) -> Iterator[Account]:
    """The frame of a page; gives who looks at it."""
    account: Account = request.scope["account"]
    ui.add_head_html('<link rel="stylesheet" href="/static/console.css">')
    # White on it, and it on white, can be read by everybody.
    ui.colors(primary="#1a5fb4")
    ui.page_title(f"{title} · Offramp")
    with ui.header(elevated=False).classes("bar").props("role=banner"):
        ui.link("Offramp", "/").classes("brand")
        ui.link("Destinations", "/")
        ui.link("New", "/new")
        ui.label(f"{account.name} ({account.role.name.lower()})").classes("push small")
        if account.name != "local":
            ui.link("Sign out", "/logout").classes("small")
    yield account


def may(account: Account, role: Role) -> bool:
    """Whether somebody may do what needs this role."""
    return account.role >= role


def state_word(state: str) -> str:
    """A state as people say it."""
    return _WORDS.get(state, state)


def show_state(state: str) -> None:
    """A state as word and colour."""
    ui.label(state_word(state)).classes(f"state {state_colour(state)}").mark(f"state-{state}")


def state_colour(state: str) -> str:
    """The class of its colour."""
    return _COLOURS.get(state, "")


def heading(text: str, level: int = 1) -> None:
    """A heading, which is one for screen readers, too."""
    with ui.element(f"h{level}"):
        ui.label(text)

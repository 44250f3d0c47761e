"""What is wrong with a destination: since when, why, what its first bad answer was, and what to do."""

from typing import Final

from nicegui import ui

from console.pages.frame import state_word
from console.pages.words import moment
from console.workspace import Row

_ADVICE: Final = {
    "quarantined": "It is left alone until then, and tried out by itself; what matches meanwhile is owed.",
    "disabled": "It stays so until somebody enables it. Mend the endpoint first; what it missed can be sent then.",
    "invalid": "What it did before stays in effect until its file can be read again.",
    "attention": "Look at its address and its credentials.",
}


def show_banner(row: Row, with_link: bool) -> None:
    """For a destination that somebody has to look at."""
    status = row.status
    ill = row.state in ("quarantined", "disabled", "invalid")
    with ui.element("div").classes("banner" if ill else "banner warn").props("role=status").mark(f"banner-{row.id}"):
        with ui.element("div").classes("row"):
            if with_link:
                ui.link(row.name, f"/destinations/{row.id}").classes("state")
            ui.label(_what(row)).classes("text")
        reason = "; ".join(row.problems) if row.state == "invalid" else status.reason if ill else status.attention
        if reason:
            ui.label(f"Why: {reason}").classes("text")
        if status.response and row.state != "invalid":
            ui.label(f"Its first answer: {status.response[:400]}").classes("mono text")
        ui.label(_ADVICE[row.state if ill else "attention"]).classes("quiet text")


def _what(row: Row) -> str:
    status = row.status
    if row.state == "invalid":
        return "its file has errors"
    if row.state in ("quarantined", "disabled"):
        until = f", until {moment(status.until)}" if status.until else ""
        return f"{state_word(row.state).lower()} since {moment(status.since)}{until} (UTC)"
    return "needs attention: nearly everything is refused"

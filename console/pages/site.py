"""All pages, added to the application that serves them."""

from pathlib import Path

from fastapi import FastAPI
from nicegui import app as gui
from nicegui import ui

from console.access import Access
from console.pages import create, destination, gallery, login, overview
from console.workspace import Workspace

_STATIC = Path(__file__).with_name("static")


def add_pages(app: FastAPI, workspace: Workspace, access: Access) -> None:
    """Serve the pages of this workspace; once in a process."""
    gui.add_static_files("/static", _STATIC)
    overview.add(workspace)
    gallery.add(workspace)
    create.add(workspace)
    destination.add(workspace)
    login.add(app, access)
    ui.run_with(app, title="Offramp", dark=None, language="en-US", show_welcome_message=False, tailwind=False)

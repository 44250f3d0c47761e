"""A real Chromium, and a console and a job for it to look at."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.integration.stand import Job, Stand

# A busy machine takes its time; nothing here says how long anything may take.
expect.set_options(timeout=30_000)

_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
]
_SIZES = {"wide": (1280, 800), "narrow": (390, 800)}


def chromium() -> str:
    """Where it is; skips where it cannot be had, and fails there when `CI=true`."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        missing = "browser tests need Chromium: chromium is not on the PATH"
        if os.environ.get("CI") == "true":
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    return found


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def start_console(stand: Stand, *arguments: object, env: dict[str, str] | None = None) -> tuple[Job, str]:
    """`offramp console` on a stand, and its address."""
    folders = ("--destinations", stand.destinations, "--state", stand.state, "--console-address", "127.0.0.1:0")
    job = stand.start_module("cli.main", "console", *folders, *arguments, env=env)
    job.until("the console's address", lambda: "console at" in job.out)
    found = re.search(r"http://\S+", job.out)
    assert found is not None
    return job, found[0]


class Visit:
    """One person with one browser window; what the page's scripts complain about is an error of the test."""

    def __init__(self, browser: Browser, url: str, size: str = "wide", dark: bool = False) -> None:
        width, height = _SIZES[size]
        scheme = "dark" if dark else "light"
        self._context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, base_url=url
        )
        self._context.set_default_timeout(30_000)
        self.page: Page = self._context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.outside: list[str] = []
        self.page.on("request", lambda request: self._note(url, request.url))

    def close(self) -> None:
        self._context.close()

    def _note(self, home: str, asked: str) -> None:
        if not asked.startswith((home, "data:", "blob:")):
            self.outside.append(asked)


def picture(page: Page, name: str) -> None:
    """Keep a picture of the page where CI keeps what it has made."""
    if folder := os.environ.get("CONSOLE_PICTURES"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)

"""Who is told when a destination's health changes, read from its file. It tells nobody."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from catalog.yaml_file import Steps
from destinations.report import Report
from destinations.spec import NotifySpec
from destinations.templates import TextCompiler
from records.hidden import Hidden

_URL: Final[Steps] = ("notify", "url")
WEBHOOK: Final = re.compile(r"https?://[^/?#\s\\]+([/?#]\S*)?", re.IGNORECASE)
"""A whole URL that can be told."""


class Notify(Hidden, frozen=True):
    """A webhook. Its URL and headers mostly hold what lets one write to it."""

    url: str
    headers: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])


def compile_notify(spec: NotifySpec | None, texts: TextCompiler, report: Report) -> Notify | None:
    """The webhook that the file names; what is wrong goes to the report, without the URL, which may hold a secret."""
    if spec is None or not spec.url:
        return None
    url = texts.setting(spec.url.strip(), _URL)
    if url is not None and not WEBHOOK.fullmatch(url):
        report.at(_URL, "expected the whole URL of a webhook, http:// or https://")
    headers = {name: texts.setting(text, ("notify", "headers", name)) for name, text in spec.headers.items()}
    return Notify(url or "", {name: value for name, value in headers.items() if value is not None})

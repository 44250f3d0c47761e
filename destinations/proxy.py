"""The proxy of a destination, read from its URL. It connects to nothing, and judges no address."""

import base64
import re
from typing import Final
from urllib.parse import quote, unquote

from catalog.yaml_file import Steps
from destinations.report import Report
from destinations.templates import Piece, TextCompiler
from records.hidden import Proxy

_PATH: Final[Steps] = ("delivery", "proxy")
_URL: Final = re.compile(r"(\w+)://(?:([^/?#]*)@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?/?", re.ASCII)


def compile_proxy(written: str | None, texts: TextCompiler, report: Report) -> Proxy | None:
    """The proxy at a URL; what is wrong goes to the report, without the URL, which may hold a password."""
    if written is None:
        return None
    pieces = texts.setting_pieces(written, _PATH)
    if pieces is None:
        return None
    # A line that holds a password as it stands is not shown.
    hide = any(piece.written and "@" in piece.text for piece in pieces)
    found = _URL.fullmatch(_joined(pieces))
    if found is None:
        report.at(_PATH, "expected http://host:port or http://user:password@host:port", hide=hide)
        return None
    scheme, userinfo, host, port = found.groups()
    if scheme.lower() != "http":
        report.at(_PATH, f"a proxy is spoken to by http://, not {scheme}://; https:// requests pass it, too", hide=hide)
        return None
    if port is None or not 1 <= int(port) <= 65535:
        report.at(_PATH, "a proxy needs its port, 1 to 65535: http://host:port", hide=hide)
        return None
    return Proxy(host.strip("[]"), int(port), None if userinfo is None else _basic(userinfo, texts))


def _joined(pieces: list[Piece]) -> str:
    """The URL: values put in before its `@` are percent-encoded there, so that a password may hold anything."""
    at = max((index for index, piece in enumerate(pieces) if piece.written and "@" in piece.text), default=0)
    return "".join(
        quote(piece.text, safe="") if index < at and not piece.written else piece.text.strip()
        for index, piece in enumerate(pieces)
    )


def _basic(userinfo: str, texts: TextCompiler) -> str:
    user, colon, password = userinfo.partition(":")
    pair = f"{unquote(user)}:{unquote(password)}"
    if not colon and ":" in unquote(user):
        pair = unquote(user)  # One secret that is both.
    texts.masked |= {secret for secret in (pair, pair.partition(":")[2], password) if secret}
    return f"Basic {base64.b64encode(pair.encode()).decode()}"

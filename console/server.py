"""Serves the console: pages and API in one process of its own, which the job does not notice."""

import ipaddress
import socket

import uvicorn

from console.access import Access, AccessError, read_accounts
from console.api import create_api
from console.gatekeeper import HERE
from console.pages import add_pages
from console.workspace import Workspace
from flows.settings import Settings


class ConsoleError(Exception):
    """The console cannot be served like this; the text says why and what to do."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C; says its address once it can be used. The settings are those of the job.

    Errors: ConsoleError.
    """
    host, port = settings.console_address
    try:
        access = Access(read_accounts(settings.console_accounts), settings.console_session_key)
    except AccessError as error:
        raise ConsoleError(f"OFFRAMP_CONSOLE_ACCOUNTS: {error}") from None
    if access.is_open and not _is_loopback(host):
        raise ConsoleError(
            f"on {host} everybody in the network could use it: set OFFRAMP_CONSOLE_ACCOUNTS to NAME:ROLE:SECRET, where"
            " SECRET is what `offramp console-hash` makes of a password"
        )
    listening = _bound(host, port)
    named = frozenset({*settings.console_names, *HERE, _shown(host)})
    workspace = Workspace(settings)
    app = create_api(workspace, access, named)
    add_pages(app, workspace, access)
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="on")
    print(f"console at http://{_shown(host)}:{listening.getsockname()[1]}", flush=True)  # noqa: T201 - for people
    try:
        uvicorn.Server(config).run([listening])
    finally:
        workspace.close()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise ConsoleError(
            f"cannot listen at {host}:{port}: {error.strerror}; --console-address takes another one"
        ) from None
    return listening


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host

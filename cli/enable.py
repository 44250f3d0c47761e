"""`offramp enable`: lets a destination be sent to again, whatever the reason was that it was not."""

import sys
from typing import Annotated

import typer

from cli.destination import IdArgument, events, line_to, person, report
from cli.options import ApiOption, StateOption
from cli.output import fail
from connectors.commands import Wish
from records import CommandKind, Status

MISSED = typer.Option(
    "--send-missed/--skip-missed",
    help="What becomes of what was missed meanwhile: it is sent now, or given up. Without either you are asked.",
    show_default=False,
)
_SENT_ANYWAY = ("live", "behind", "degraded")


def enable(
    destination: IdArgument,
    send_missed: Annotated[bool | None, MISSED] = None,
    state: StateOption = None,
    api: ApiOption = None,
) -> None:
    """Let a destination be sent to again. Ends a pause, a quarantine, and that it was disabled.

    What was missed meanwhile is owed: say whether it is to be sent or given up.
    """
    with line_to(state, api, destination) as line:
        status = line.status
        if send_missed is None and status.owed and status.state not in _SENT_ANYWAY:
            send_missed = _ask(status)
        wish = Wish(CommandKind.ENABLE, person(), skip_missed=send_missed is False)
        report(line.tell(wish), f"{destination} will be enabled")


def _ask(status: Status) -> bool:
    owed = f"{events(status.owed)} owed to '{status.id}'"
    if not sys.stdin.isatty():
        fail(f"{owed}: add --send-missed to send them now, or --skip-missed to give them up", 2)
    typer.echo(f"{owed}.")
    while True:
        answer = input("Send them now, or skip them for good? (send/skip) ").strip().lower()
        if answer in ("send", "skip"):
            return answer == "send"

"""`offramp disable`: sends a destination nothing until somebody enables it."""

from cli.destination import IdArgument, carry_out, person
from cli.options import ApiOption, StateOption
from connectors.commands import Wish
from records import CommandKind


def disable(destination: IdArgument, state: StateOption = None, api: ApiOption = None) -> None:
    """Send a destination nothing until somebody enables it. What matches meanwhile is owed; nothing is lost.

    The destination's file stays as it is. offramp enable ends it.
    """
    carry_out(state, api, destination, Wish(CommandKind.DISABLE, person()), f"{destination} will be disabled")

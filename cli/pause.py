"""`offramp pause`: sends a destination nothing for now."""

from cli.destination import IdArgument, carry_out, person
from cli.options import ApiOption, StateOption
from connectors.commands import Wish
from records import CommandKind


def pause(destination: IdArgument, state: StateOption = None, api: ApiOption = None) -> None:
    """Send a destination nothing for now. What matches meanwhile is owed, as positions in the log; nothing is lost.

    What is known of its health stays. offramp enable ends it.
    """
    carry_out(state, api, destination, Wish(CommandKind.PAUSE, person()), f"{destination} will be paused")

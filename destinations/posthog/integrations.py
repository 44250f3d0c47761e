"""An input of type `integration`: in PostHog the tokens of a login at a vendor, here a mapping of secrets.

Only what the function reads of it is asked for, such as `inputs.slack_workspace.access_token`.
"""

from collections.abc import Callable, Collection
from typing import Any

from destinations.values import Chain


def integration_value(key: str, reads: Collection[Chain], secret: Callable[..., str]) -> dict[str, Any] | None:
    """The mapping, empty where nothing is read of it; None where it is read as a whole, and so cannot be made.

    `secret` gives the name of a secret that is made of the words.
    """
    made: dict[str, Any] = {}
    for chain in sorted({chain[1:] for chain in reads if chain[:2] == ("inputs", key)}, key=len, reverse=True):
        fields = chain[1:]
        if not fields or not all(isinstance(field, str) for field in fields):
            return None
        inner = made
        for field in fields[:-1]:
            inner = inner.setdefault(field, {})
        # The longest chains come first: `oauth.team` may be read beside `oauth.team.id`, and is then that mapping.
        if fields[-1] not in inner:
            inner[fields[-1]] = f"{{secrets.{secret(key, *fields)}}}"
    return made

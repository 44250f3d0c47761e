"""What a program does outside of itself. Each of these is a call of its host, which may not have it.

`print` alone is always there; where nobody listens it does nothing. Names that only PostHog's cloud can serve are
known, so that a program which has them is told why it cannot run.
"""

from typing import Any, Final

from hog.runtime.concat import join
from hog.runtime.errors import Failure
from hog.runtime.run import current_run
from hog.runtime.text import print_text
from hog.stdlib.registry import function

CLOUD: Final = (
    "run",
    "import",
    "sendEmail",
    "sendPushNotification",
    "generateMessagingPreferencesUrl",
)


@function("print", (0, None), ("print('a', 1, null)", "null"), effect=True)
def print_(*values: Any) -> None:
    """Write a log line: the arguments as text, with blanks between them."""
    run = current_run()
    if run is not None and run.has("print"):
        pieces = [piece for value in values for piece in (" ", print_text(value))]
        run.effect("print", join(tuple(pieces[1:])))


@function("fetch", (1, 2), ("typeof(fetch)", "'function'"), effect=True)
def fetch(url: Any, options: Any = None) -> Any:
    """Send an HTTP request: `{'status': 200, 'body': …}`. Options: `method` (POST), `headers`, `body`, signatures."""
    return _effect("fetch", url, options)


@function("postHogCapture", 1, ("typeof(postHogCapture)", "'function'"), effect=True)
def post_hog_capture(event: Any) -> Any:
    """Emit an event: `{'event': …, 'distinct_id': …, 'properties': {…}}`."""
    return _effect("postHogCapture", event)


@function("sleep", 1, ("typeof(sleep)", "'function'"), effect=True)
def sleep(seconds: Any) -> Any:
    """Wait."""
    return _effect("sleep", seconds)


def _effect(name: str, *arguments: Any) -> Any:
    run = current_run()
    if run is None:
        raise Failure(f"{name} is not available here")
    return run.effect(name, *arguments)


def _cloud_only(name: str) -> None:
    def refuse(*_: Any) -> None:
        """Only PostHog's cloud has this."""
        raise Failure(f"{name} needs PostHog's cloud and does not exist here")

    function(name, (0, None), (f"typeof({name})", "'function'"), effect=True)(refuse)


for _name in CLOUD:
    _cloud_only(_name)

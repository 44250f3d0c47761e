"""What a program's `fetch(url, options)` asks for. Pure: it sends nothing.

Source: the behaviour of PostHog's `fetch` in destinations, as of 2026-11: POST by default, text bodies as they are and
anything else as JSON.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hog import Failure, json_text, to_text
from records import Request

_NO_BODY: Final = frozenset({"GET", "HEAD"})
_OPTIONS: Final = ("method", "headers", "body", "aws_sigv4", "standard_webhooks", "secret_headers_input")


class Fetch(msgspec.Struct, frozen=True):
    """One call of `fetch`."""

    request: Request
    signing: Mapping[str, Any]
    """The options about signatures and secret headers, as they were given."""


def read_call(url: Any, options: Any) -> Fetch:
    """What the arguments mean; raises Failure, which ends the program."""
    if not isinstance(url, str):
        raise Failure("fetch needs a URL as its first argument")
    if options is None:
        options = {}
    if not isinstance(options, Mapping):
        raise Failure("the options of fetch must be a dictionary")
    method = options.get("method") or "POST"
    if not isinstance(method, str):
        raise Failure("the option 'method' of fetch must be text")
    method = method.upper()
    body = b"" if method in _NO_BODY else _body(options.get("body"))
    signing = {name: options[name] for name in _OPTIONS[3:] if options.get(name) is not None}
    return Fetch(Request(method, url, _headers(options.get("headers")), body), signing)


def _headers(given: Any) -> dict[str, str]:
    """JSON where none are given. Values that are no text are left out, as they are there."""
    if given is None:
        return {"Content-Type": "application/json"}
    if not isinstance(given, Mapping):
        raise Failure("the option 'headers' of fetch must be a dictionary")
    return {to_text(name): value for name, value in given.items() if isinstance(value, str)}


def _body(given: Any) -> bytes:
    if given is None:
        return b""
    if isinstance(given, str):
        return json_text.without_lone_surrogates(given).encode()
    try:
        json_text.check_size(given)
        return json_text.dumps(given)
    except json_text.JsonError as error:
        raise Failure(f"the option 'body' of fetch cannot be written as JSON: {error}") from None

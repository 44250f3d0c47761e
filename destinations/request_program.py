"""A template's `request.hog`: a program that returns the request for an event, or nothing where none is to be sent.

It makes no request itself, so what it returns is delivered like any other: retried, put together with others, judged by
the same rules.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

import hog
from destinations.errors import InputError
from destinations.kinds import kind_of
from destinations.names import IN_REQUEST
from destinations.report import Report
from destinations.request import NO_BODY, checked_headers, checked_method, encoded_body, request_of
from destinations.signing import aws_keys
from destinations.url import checked_url
from hog import json_text
from records import Request

_WHERE: Final = "the request"
_LIMITS: Final = hog.Limits(fetches=0)
_PARTS: Final = frozenset({"url", "method", "headers", "body", "aws_sigv4"})


class RequestProgram:
    """The compiled program."""

    def __init__(self, program: hog.Program) -> None:
        self.chains = program.chains
        self._program = program

    def render(self, globals: Mapping[str, Any]) -> Request | None:
        """The request for globals that hold the rendered inputs; None where there is nothing to send.

        Raises InputError, also with the words of an error that the program throws.
        """
        try:
            made = self._program(globals, hog.Run(_LIMITS))
            json_text.check_size(made)
        except hog.HogRuntimeError as error:
            raise InputError(_WHERE, error.message) from None
        except json_text.JsonError as error:
            raise InputError(_WHERE, f"what the program returns cannot be written as JSON: {error}") from None
        if made is None:
            return None
        if not isinstance(made, dict):
            raise InputError(_WHERE, f"the program must return {{'url': …}} or null, got {kind_of(made)}")
        if unknown := made.keys() - _PARTS:
            raise InputError(_WHERE, f"it has no part '{min(map(str, unknown))}': only {', '.join(sorted(_PARTS))}")
        method = checked_method(made.get("method") or "POST", f"{_WHERE}'s method")
        url = checked_url(made.get("url"), f"{_WHERE}'s url")
        headers = checked_headers(made.get("headers"), f"{_WHERE}'s headers")
        body = None if method in NO_BODY else encoded_body(made.get("body"), f"{_WHERE}'s body")
        request = request_of(method, url, headers, body)
        if (aws := made.get("aws_sigv4")) is None:
            return request
        try:
            return msgspec.structs.replace(request, aws=aws_keys(aws, globals["inputs"]))
        except hog.Failure as failure:
            raise InputError(_WHERE, str(failure)) from None


def compile_request_program(source: str, report: Report) -> RequestProgram | None:
    """Compile the source; what is wrong goes to the report."""
    try:
        return RequestProgram(hog.program(source, names=IN_REQUEST))
    except hog.HogError as error:
        report.at(("template",), f"the template's request.hog ({error.line},{error.column}): {error.message}")
        return None

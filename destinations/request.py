"""From rendered inputs to the request that is sent: the template's four parts, each checked before anything leaves."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from catalog.problem import path_text
from catalog.spec import RequestSpec
from catalog.yaml_file import Steps
from destinations.errors import InputError
from destinations.inputs import Inputs
from destinations.kinds import kind_of
from destinations.report import Report
from destinations.templates import TextCompiler
from destinations.text import text_of
from destinations.url import checked_url
from destinations.values import CompileText, Constant, Template, Value, compiled, known
from hog import json_text, nodes
from records import CONNECTION_HEADERS, Request

T = TypeVar("T")

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
NO_BODY = frozenset({"GET", "HEAD"})


class Part(Generic[T]):
    """One part of the request: its value, and the check that brings it into the form that is sent."""

    def __init__(self, value: Value, where: str, only_input: str | None, check: Callable[[Any, str], T]) -> None:
        """`only_input` is the input that it consists of, where it is one input and nothing else."""
        self.chains = value.chains
        self._value = value
        self._where = where
        self._only_input = only_input
        self._check = check
        self._settled: T | None = None

    def render(self, globals: Mapping[str, Any]) -> T:
        """The part for these globals; raises InputError."""
        if self._settled is not None:
            return self._settled
        return self._check(self._value.render(globals), self._where)

    def settle(self, inputs: Inputs, report: Report) -> None:
        """Check now what is the same for every event: once for all if that is the whole part."""
        value = inputs.values.get(self._only_input or "")
        path = inputs.place(self._only_input or "")
        if value is None or known(value) is None or report.has_problem_at(path):
            return
        try:
            checked = self._check(known(value), self._where)
        except InputError as error:
            report.at(path, error.message)
            return
        if isinstance(value, Constant):
            self._settled = checked


class RequestTemplate:
    """The compiled request of a template."""

    def __init__(self, spec: RequestSpec, inputs: Inputs, texts: TextCompiler, report: Report) -> None:
        """Compile the parts; those that are known already are checked, into the report."""
        self._method = _part(spec.method, ("request", "method"), texts.text, checked_method)
        self._url = _part(spec.url, ("request", "url"), texts.url, checked_url)
        self._headers = _part(spec.headers, ("request", "headers"), texts.text, checked_headers)
        self._body = _part(spec.body, ("request", "body"), texts.text, encoded_body)
        parts = (self._method, self._url, self._headers, self._body)
        self.chains = frozenset(chain for part in parts for chain in part.chains)
        for part in parts:
            part.settle(inputs, report)

    def render(self, globals: Mapping[str, Any]) -> Request:
        """The request for globals that hold the rendered inputs; raises InputError."""
        method = self._method.render(globals)
        url = self._url.render(globals)
        headers = dict(self._headers.render(globals))
        return request_of(method, url, headers, None if method in NO_BODY else self._body.render(globals))


def _part(written: Any, path: Steps, text: CompileText, check: Callable[[Any, str], T]) -> Part[T]:
    value = compiled(written, path, text)
    if isinstance(value, Template):
        match value.program.node:
            case nodes.Field(chain=["inputs", str(key)]):
                return Part(value, f"input '{key}'", key, check)
    return Part(value, path_text(path), None, check)


def request_of(method: str, url: str, headers: dict[str, str], encoded: tuple[bytes, str] | None) -> Request:
    """The request of its checked parts; `headers` may be changed. `encoded` is as `encoded_body` makes it."""
    body, content_type = encoded or (b"", "")
    if body and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = content_type
    return Request(method, url, headers, body)


def checked_method(value: Any, where: str) -> str:
    """The method in upper case; raises InputError unless it is an HTTP token."""
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        # Not escaped: a secret in it would no longer be recognised by what masks it.
        shown = f"'{value}'" if isinstance(value, str) else kind_of(value)
        raise InputError(where, f"the method must be a word such as POST, got {shown}")
    return value.upper()


def checked_headers(value: Any, where: str) -> dict[str, str]:
    """Names and values that can be sent: null leaves a header out, of two spellings of a name the later one wins."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InputError(where, f"headers must be a mapping, got {kind_of(value)}")
    headers: dict[str, tuple[str, str]] = {}
    for key, content in value.items():
        name = text_of(key, where)
        if not _TOKEN.fullmatch(name):
            raise InputError(where, f"'{name}' is not a header name")
        if name.lower() in CONNECTION_HEADERS:
            raise InputError(where, f"header '{name}' is set by the connection itself; leave it out")
        if content is None:
            continue
        text = text_of(content, where)
        if _NOT_IN_A_HEADER.search(text):
            raise InputError(where, f"header '{name}' has a line break or another control character in its value")
        headers[name.lower()] = (name, text)
    return dict(headers.values())


def encoded_body(value: Any, where: str) -> tuple[bytes, str]:
    """The bytes, and the content type that goes with them; raises InputError."""
    if value is None:
        return b"", ""
    if isinstance(value, str):
        return json_text.without_lone_surrogates(value).encode(), "text/plain; charset=utf-8"
    try:
        return json_text.dumps(value), "application/json"
    except json_text.JsonError as error:
        raise InputError(where, f"the body cannot be written as JSON: {error}") from None

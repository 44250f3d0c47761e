"""What a template of the catalogue has to have beside what its form demands. Pure but for reading its folder."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import urlsplit

import hog
from catalog.cases import Case, CaseError, read_cases
from catalog.spec import InputSpec, Template

README: Final = "README.md"
_SECRET: Final = re.compile(r"(^|_)(secret|token|password|api_?key|private_key|access_key|routing_key|credentials?)$")
_NAMED: Final = re.compile(r"'\w+_input':\s*'(\w+)'")
_DATE: Final = re.compile(r"\b20\d\d-\d\d\b")
_LINE: Final = 120


def problems_of(template: Template) -> list[str]:
    """Everything that is wrong with it; empty where all is well."""
    return [*_of_spec(template), *_of_inputs(template), *_of_readme(template), *_of_cases(template)]


def _of_spec(template: Template) -> Iterator[str]:
    spec = template.spec
    if "\n" in spec.description.strip() or len(spec.description) > _LINE or not spec.description.endswith("."):
        yield f"`description` is one sentence of at most {_LINE} characters, with its full stop"
    if not spec.docs.startswith("https://"):
        yield "`docs` is the https address of the vendor's own description"
    if not _DATE.search(spec.source):
        yield "`source` says what the requests were made from, with the month: 2026-11"
    if not spec.hosts:
        yield "`hosts` names whom it calls"


def _of_inputs(template: Template) -> Iterator[str]:
    try:
        used = used_inputs(template)
    except hog.HogError as error:
        yield f"an expression or the code is not Hog: {error.message}"
        return
    for key, spec in template.spec.inputs.items():
        if key not in used:
            yield f"input '{key}' is used by nothing"
        if _SECRET.search(_snake(key)) and not spec.secret:
            yield f"input '{key}' looks like a secret: mark it `secret: true`, or give it another name"
        if not spec.label or not spec.description:
            yield f"input '{key}' needs a `label` and a `description` for the people who fill it in"
        if spec.required and spec.default is None and spec.example is None and not spec.choices:
            yield f"input '{key}' has to be filled in: show by an `example` how"


def used_inputs(template: Template) -> set[str]:
    """The inputs that its request or its code reads, or that other inputs read."""
    spec = template.spec
    chains = {chain for text in _texts(spec.request) for chain in hog.template(text).chains}
    named: set[str] = set()
    if template.code is not None:
        chains |= hog.program(template.code).chains
        # The options of `fetch` about signatures name the inputs that hold the keys.
        named = set(_NAMED.findall(template.code))
    if template.request_code is not None:
        chains |= hog.program(template.request_code).chains
    for value in spec.inputs.values():
        chains |= {chain for text in _texts(value.default) for chain in _chains(text, value)}
    read = {chain[1:2] for chain in chains if chain[0] == "inputs"}
    if () in read:
        return set(spec.inputs)
    return {key for keys in read for key in keys} | named


def _chains(text: str, spec: InputSpec) -> frozenset[tuple[str, ...]]:
    if spec.templating in (False, "liquid"):
        return frozenset(("inputs", name) for name in re.findall(r"\binputs\.(\w+)", text))
    return frozenset(hog.template(text).chains)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif value is not None and hasattr(value, "__struct_fields__"):
        for name in value.__struct_fields__:
            yield from _texts(getattr(value, name))


def _of_readme(template: Template) -> Iterator[str]:
    try:
        text = (template.folder / README).read_text("utf-8", "replace")
    except OSError:
        yield f"{README} is missing: what it does, where each credential is found, limits, what an error means"
        return
    for key in template.spec.inputs:
        if f"`{key}`" not in text:
            yield f"{README} does not name the input `{key}`"


def _of_cases(template: Template) -> Iterator[str]:
    try:
        cases = read_cases(template.folder)
    except CaseError as error:
        yield str(error)
        return
    if not any(case.requests and not case.fails for case in cases):
        yield "no case delivers anything"
    if not any(case.fails and case.requests for case in cases):
        yield "no case shows a failure that the vendor really gives"
    for case in cases:
        yield from _of_case(template, case)


def _of_case(template: Template, case: Case) -> Iterator[str]:
    for unknown in sorted(set(case.inputs) - set(template.spec.inputs)):
        yield f"case {case.name!r} has an input that the template has not: '{unknown}'"
    for request in case.requests:
        if not is_declared(template, request.url):
            yield f"case {case.name!r} calls {_host(request.url)}, which is not among `hosts`"


def is_declared(template: Template, url: str) -> bool:
    """Whether the template says that it calls this host."""
    return any(fnmatchcase(_host(url), pattern) for pattern in template.spec.hosts)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()

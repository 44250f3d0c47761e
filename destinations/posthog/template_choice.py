"""Whether a template of the catalogue does what the code of a function does; where not, the code is kept.

Which template stands for which of PostHog's is said by its own `template.yaml`, under `posthog`.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from catalog.loading import Catalog
from catalog.spec import Template
from destinations.destination import Destination
from destinations.dry_run import DryRun, dry_run
from destinations.file_text import file_text
from destinations.filters import Project
from destinations.loading import compile_bytes
from destinations.posthog.made_up import made_up_events
from destinations.posthog.plain_code import PlainFetch, plain_fetch, same_request
from destinations.secrets import Secrets
from destinations.values import Chain

_FOR_PRINTS: Final = frozenset({"debug"})
"""Inputs by which PostHog's templates print more."""
_SUCCESS: Final[Mapping[int, list[int | str]]] = {300: ["2xx"], 400: ["2xx", "3xx"]}
"""Statuses of success, by the least one for which the code throws."""


class Chosen(NamedTuple):
    """`values` with the template in place of the code, or why it is not the same."""

    values: dict[str, Any] | None
    why_not: str = ""


class Candidate(NamedTuple):
    """A function that was made of a template."""

    values: dict[str, Any]
    """The destination file with `code`, or without any where the answer has none."""
    original: str | None
    """The code of PostHog's template, where the answer has it."""
    reads: Collection[Chain]
    secrets: Mapping[str, str]
    """Placeholders."""


def template_of(posthog_id: str, catalog: Catalog) -> Template | None:
    """The template that stands for one of PostHog's."""
    return next((template for template in catalog.values() if posthog_id in template.spec.posthog_ids), None)


def choose(candidate: Candidate, template: Template, catalog: Catalog) -> Chosen:
    """Put the template in place of the code if their requests are the same."""
    code = candidate.values.get("code")
    plain = None if code is None else plain_fetch(code, _unset(candidate.values))
    if code is not None and not _is_known(code, candidate.original, plain, template):
        return Chosen(None, "its code is not that of the template")
    values = _with_template(candidate.values, template, plain)
    for variant, original in zip(_variants(values), _variants(candidate.values), strict=True):
        found = _compiled(variant, candidate, catalog)
        if found is None:
            return Chosen(None, "the template does not take these inputs")
        before = None if code is None else _compiled(original, candidate, catalog)
        if before is not None and not _agree(before, found, candidate.reads):
            return Chosen(None, "the template would send another request for some events")
    return Chosen(values)


def _is_known(code: str, original: str | None, plain: PlainFetch | None, template: Template) -> bool:
    if original is not None and code.split() == original.split():
        return True
    request = template.spec.request
    if plain is None or request is None or plain.fails_from not in _SUCCESS:
        return False
    parts = {"url": request.url, "method": request.method, "headers": request.headers, "body": request.body}
    return same_request(plain, parts)


def _with_template(values: Mapping[str, Any], template: Template, plain: PlainFetch | None) -> dict[str, Any]:
    chosen = {key: value for key, value in values.items() if key not in ("code", "inputs_schema")}
    chosen["template"] = template.slug
    known = template.spec.inputs
    unset = _unset(values)
    droppable = unset | _FOR_PRINTS if plain is None else {*values.get("inputs", {}), *values.get("inputs_schema", {})}
    # An input that is not there is null to PostHog, whatever its default: that only fills in a form.
    inputs = {key: None for key, spec in known.items() if spec.default is not None}
    inputs |= {key: value for key, value in values.get("inputs", {}).items() if key in known or key not in droppable}
    if inputs.get("method", "") is None:
        # `fetch` without a method is a POST, as the template is without that input.
        del inputs["method"]
    chosen["inputs"] = {key: inputs[key] for key in (*known, *inputs) if key in inputs}
    if "mappings" in values:
        chosen["mappings"] = [
            {key: value for key, value in mapping.items() if key != "inputs_schema"} for mapping in values["mappings"]
        ]
    success = _SUCCESS.get(plain.fails_from or 0, ["2xx"]) if plain is not None else ["2xx"]
    given = values.get("delivery", {}).get("success", ["2xx"])
    if success != ["2xx"]:
        chosen["delivery"] = {"success": [*success, *(each for each in given if each not in success)]}
    return chosen


def _unset(values: Mapping[str, Any]) -> set[str]:
    """The inputs that are null, false or empty for every event."""
    schema, inputs = values.get("inputs_schema", {}), values.get("inputs", {})
    given = {key for mapping in values.get("mappings", ()) for key in mapping.get("inputs", {})}
    names = {*schema, *inputs, *_FOR_PRINTS}
    return {key for key in names if inputs.get(key) in (None, False, "") and key not in given}


def _variants(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A destination for each mapping, with its inputs laid over those of all; without filters, which are the same."""
    plain = {key: value for key, value in values.items() if key not in ("filters", "mappings", "masking")}
    for mapping in values.get("mappings") or [{}]:
        variant = plain | {"inputs": plain.get("inputs", {}) | mapping.get("inputs", {})}
        if "inputs_schema" in plain or "inputs_schema" in mapping:
            variant["inputs_schema"] = plain.get("inputs_schema", {}) | mapping.get("inputs_schema", {})
        yield variant


def _compiled(values: Mapping[str, Any], candidate: Candidate, catalog: Catalog) -> Destination | None:
    path = Path(f"{values['id']}.yaml")
    secrets = Secrets(candidate.secrets.get)
    return compile_bytes(path, file_text(values).encode(), secrets, catalog, Project()).destination


def _agree(before: Destination, after: Destination, reads: Collection[Chain]) -> bool:
    return all(_same(dry_run(before, view), dry_run(after, view)) for view in made_up_events(reads))


def _same(before: DryRun, after: DryRun) -> bool:
    if before.error or after.error:
        return bool(before.error) and bool(after.error)
    return _sent(before) == _sent(after)


def _sent(run: DryRun) -> list[Any]:
    return [
        (request.method, request.url, {name.lower(): value for name, value in request.headers.items()}, request.body)
        for request in run.requests
    ] + [run.signing, run.captured]

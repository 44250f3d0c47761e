"""One function object to the text of a destination file, with a truthful account of what became of it."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from catalog.loading import Catalog
from catalog.yaml_file import parse
from destinations.file_text import file_text
from destinations.loading import compile_bytes
from destinations.posthog.exported import is_exported, restored
from destinations.posthog.filters import converted_filters, note_needs
from destinations.posthog.findings import Findings, Needs
from destinations.posthog.inputs import InputsConverter
from destinations.posthog.mappings import converted_mappings
from destinations.posthog.masking import converted_masking
from destinations.posthog.names import free_id
from destinations.posthog.project import standing_in
from destinations.posthog.reads import reads_of
from destinations.posthog.refused import why_not
from destinations.posthog.template_choice import Candidate, choose, template_of
from destinations.secrets import Secrets
from destinations.values import Chain

ORIGIN: Final = "PostHog: "
"""What stands in the comment of a file before the function's id."""
_STOPPED: Final = (3, 12)
"""States of a function that PostHog has disabled by itself, or that its staff has."""
_PLACEHOLDER: Final = "placeholder-of-a-secret-in-the-file"
_NOT_IN_LISTS: Final = ("inputs", "inputs_schema", "mappings", "masking")


class Imported(msgspec.Struct, frozen=True):
    """What became of one function."""

    name: str
    """As people know it."""
    id: str
    """The destination's; the file is named by it."""
    text: str = ""
    """The file; empty where it cannot be carried over."""
    because: str = ""
    """Why it cannot be carried over; empty where it can."""
    differences: list[str] = []
    """What is not as it was; empty where it is carried over whole."""
    secrets: dict[str, str] = {}
    """Placeholders, by the names of the secrets that have to be set."""
    needs: Needs = msgspec.field(default_factory=Needs)
    """What the filters need in project.yaml."""
    reads: frozenset[Chain] = frozenset()
    """Which globals its requests are made of."""


def import_functions(functions: Iterable[Mapping[str, Any]], catalog: Catalog) -> list[Imported]:
    """All of them, in order, each with an id of its own. Raises nothing."""
    taken: set[str] = set()
    imported: list[Imported] = []
    for function in functions:
        fallback = _template_id(function) or str(function.get("id") or "")
        wanted = str(function["offramp"]["id"]) if is_exported(function) else str(function.get("name") or "")
        id = free_id(wanted, fallback, taken)
        try:
            one = _imported(function, id, catalog)
        except Exception as error:  # noqa: BLE001 - one that is not as the API gives it must not stop the others
            one = Imported(str(function.get("name") or id), id, because=f"it is not as the API gives it: {error}")
        if not one.because:
            taken.add(id)
        imported.append(one)
    return imported


def _imported(function: Mapping[str, Any], id: str, catalog: Catalog) -> Imported:
    name = str(function.get("name") or function.get("id") or id)
    findings = Findings(id)
    because = why_not(function, _template_id(function))
    if because:
        return Imported(name, id, because=because)
    if is_exported(function):
        values = {**restored(function), "id": id}
        note_needs(values, findings)
    else:
        values = _values(function, id, findings, catalog)
    if findings.reasons:
        return Imported(name, id, because="; ".join(findings.reasons))
    text = file_text(values, _comment(function))
    _verify(text, values, findings, catalog)
    if findings.reasons:
        return Imported(name, id, because="; ".join(findings.reasons))
    return Imported(name, id, text, "", findings.differences, findings.secrets, findings.needs, findings.reads)


def _values(function: Mapping[str, Any], id: str, findings: Findings, catalog: Catalog) -> dict[str, Any]:
    reads = reads_of(function)
    _check_whole(function, reads, findings)
    inputs = InputsConverter(findings, reads)
    inputs.convert(function.get("inputs_schema"), function.get("inputs"))
    name, code = str(function.get("name") or ""), _code(function.get("hog"))
    values: dict[str, Any] = {
        "id": id,
        "name": name if name != id else "",
        "enabled": None if function.get("enabled", True) else False,
        "filters": converted_filters(function.get("filters"), findings),
        "masking": converted_masking(function.get("masking"), findings),
        "inputs_schema": inputs.schema,
        "inputs": inputs.values,
        "mappings": converted_mappings(function.get("mappings"), findings, reads),
        "code": code,
        "delivery": {"success": ["2xx", *inputs.success]} if inputs.success else None,
    }
    values = {key: value for key, value in values.items() if value not in (None, "", {}, [])}
    _note_surroundings(function, reads, findings)
    return _by_template(function, values, reads, findings, catalog)


def _by_template(
    function: Mapping[str, Any], values: dict[str, Any], reads: Collection[Chain], findings: Findings, catalog: Catalog
) -> dict[str, Any]:
    """With the catalogue's template where it makes the same requests."""
    posthog_id = _template_id(function)
    template = template_of(posthog_id, catalog)
    why = f"the catalogue has no template for '{posthog_id}'" if posthog_id else "it has no template"
    if template is not None and not findings.reasons:
        original = function.get("template")
        code = original.get("code") or original.get("hog") if isinstance(original, Mapping) else None
        chosen = choose(Candidate(values, _code(code), reads, findings.secrets), template, catalog)
        if chosen.values is not None:
            return chosen.values
        why = chosen.why_not
    if "code" not in values:
        findings.refuse(f"the answer has no code, and {why}")
    return values


def _check_whole(function: Mapping[str, Any], reads: Collection[Chain], findings: Findings) -> None:
    """A list that the API answers leaves out most of each function."""
    missing = [key for key in _NOT_IN_LISTS if key not in function]
    needs_inputs = any(chain[0] == "inputs" for chain in reads) or not function.get("hog")
    if {"inputs", "inputs_schema"} <= set(missing) and needs_inputs:
        findings.refuse(
            "the answer leaves out its inputs, as lists of functions do; ask the API for the function by its id, "
            "or for the list with ?full=true"
        )
    elif len(missing) == len(_NOT_IN_LISTS):
        findings.differs("the answer has no inputs, mappings and masking, as lists leave them out: taken as if none")


def _note_surroundings(function: Mapping[str, Any], reads: Collection[Chain], findings: Findings) -> None:
    """What a function can tell from where it runs."""
    status = function.get("status")
    if isinstance(status, Mapping) and status.get("state") in _STOPPED and function.get("enabled", True):
        findings.differs("PostHog has stopped it because it failed; here it begins anew")
    if {("source",), ("source", "url")} & set(reads):
        findings.differs("`source.url` is the link of the destination here, not of the function")
    if "postHogCapture" in str(function.get("hog") or ""):
        findings.differs("its code calls postHogCapture: `offramp run --capture` says where such events go")


def _verify(text: str, values: Mapping[str, Any], findings: Findings, catalog: Catalog) -> None:
    """Refuse what the loader does not take, with its own words."""
    data = text.encode()
    secrets = Secrets(lambda name: findings.secrets.get(name, _PLACEHOLDER))
    compiled = compile_bytes(Path(f"{values['id']}.yaml"), data, secrets, catalog, standing_in(findings.needs))
    for problem in compiled.problems:
        findings.refuse(f"{problem.path}: {problem.message}" if problem.path else problem.message)
    if compiled.destination is not None:
        findings.reads = compiled.destination.reads
        for name in sorted(compiled.destination.secret_names):
            findings.secrets.setdefault(name, _PLACEHOLDER)
        if parse(data).values != values:
            findings.refuse("a text in it cannot be written as YAML that reads the same")


def _template_id(function: Mapping[str, Any]) -> str:
    """The API answers the template itself; its id alone stands in what is sent to it."""
    template = function.get("template")
    nested = template.get("id") if isinstance(template, Mapping) else None
    return str(function.get("template_id") or nested or "")


def _code(written: Any) -> str | None:
    if not isinstance(written, str) or not written.strip():
        return None
    return written.replace("\r\n", "\n").strip() + "\n"


def _comment(function: Mapping[str, Any]) -> str:
    origin = "".join(char for char in str(function.get("id") or "") if char.isprintable())
    lines = [f"{ORIGIN}{origin}"] if origin else []
    description = str(function.get("description") or "").splitlines()
    lines += ["".join(char for char in line if char.isprintable()).rstrip() for line in description]
    return "\n".join(lines).rstrip()

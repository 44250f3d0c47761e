"""Compiles what a destination makes of events: one thing, or several mappings laid over it."""

from collections.abc import Iterator

import msgspec

from catalog.spec import InputSpec, InputType, Template
from catalog.yaml_file import Steps
from destinations.branch import Branch
from destinations.code import CodeTemplate, compile_code
from destinations.fields import fitted
from destinations.filter import Filter
from destinations.filters import Project, compile_filters
from destinations.inputs import Inputs, compile_inputs
from destinations.kinds import kind_of
from destinations.report import Report
from destinations.request import RequestTemplate
from destinations.request_program import RequestProgram, compile_request_program
from destinations.schema import compile_schema
from destinations.spec import DestinationSpec, MappingSpec
from destinations.templates import TextCompiler
from records import Source


def compile_branches(
    spec: DestinationSpec, template: Template | None, project: Project, texts: TextCompiler, report: Report
) -> list[Branch]:
    """The branches of one file; what is wrong goes to the report. `template` is None for code without one."""
    schema = _schema(spec, template, report)
    program = _program(spec, template, report)
    if not spec.mappings:
        texts = texts.knowing(list(schema))
        inputs = compile_inputs(schema, spec.inputs, texts, report)
        return _branch("", Filter(None), inputs, template, program, texts, report)
    branches: list[Branch] = []
    for path, mapping in _mappings(spec, report):
        if mapping.filters.source not in (None, spec.filters.source or Source.EVENTS):
            report.at((*path, "filters", "source"), "where events come from is said in the destination's own filters")
        own = _own_schema(mapping, spec, (*path, "inputs_schema"), report)
        whole = schema | own if template is None or spec.code is not None else schema
        if spec.inputs_schema is None and template is None:
            # Code without a schema takes whatever it is given.
            whole |= {key: InputSpec(InputType.JSON, key) for key in mapping.inputs if key not in whole}
        texts = texts.knowing(list(whole))
        filter = compile_filters(mapping.filters, project, report, (*path, "filters"))
        places = {key: (*path, "inputs", key) for key in mapping.inputs}
        inputs = compile_inputs(whole, spec.inputs | mapping.inputs, texts, report, places)
        branch = _branch(mapping.name, filter, inputs, template, program, texts, report)
        branches += branch if mapping.enabled else []
    return branches


def _mappings(spec: DestinationSpec, report: Report) -> Iterator[tuple[Steps, MappingSpec]]:
    names: set[str] = set()
    for index, written in enumerate(spec.mappings):
        path = ("mappings", index)
        if not isinstance(written, dict):
            report.at(path, f"expected a mapping with `name`, `filters` and `inputs`, got {kind_of(written)}")
            continue
        mapping = fitted(written, MappingSpec, path, report)
        name = mapping.name.strip()
        if not name and "name" in written:
            report.at((*path, "name"), "a mapping needs a name")
        elif name in names:
            report.at((*path, "name"), f"two mappings have the name '{name}', by which the ledger knows them")
        names.add(name)
        yield path, msgspec.structs.replace(mapping, name=name)


def _own_schema(mapping: MappingSpec, spec: DestinationSpec, path: Steps, report: Report) -> dict[str, InputSpec]:
    if mapping.inputs_schema is None:
        return {}
    if spec.code is not None:
        return compile_schema(mapping.inputs_schema, report, path)
    report.at_key(path, "`inputs_schema` goes with `code`: a template has a schema of its own")
    return {}


def _schema(spec: DestinationSpec, template: Template | None, report: Report) -> dict[str, InputSpec]:
    """The file's own schema, or the template's; code without either takes whatever inputs its file gives."""
    if spec.inputs_schema is not None and spec.code is not None:
        return compile_schema(spec.inputs_schema, report)
    if spec.inputs_schema is not None:
        report.at_key(("inputs_schema",), "`inputs_schema` goes with `code`: a template has a schema of its own")
    return {key: InputSpec(InputType.JSON, key) for key in spec.inputs} if template is None else template.spec.inputs


def _program(spec: DestinationSpec, template: Template | None, report: Report) -> CodeTemplate | RequestProgram | None:
    """The file's own code goes before what the template has."""
    code = spec.code if template is None or spec.code is not None else template.code
    if code is not None:
        return compile_code(code, spec.limits, report)
    if template is None or template.request_code is None:
        return None
    return compile_request_program(template.request_code, report)


def _branch(
    name: str,
    filter: Filter,
    inputs: Inputs,
    template: Template | None,
    program: CodeTemplate | RequestProgram | None,
    texts: TextCompiler,
    report: Report,
) -> list[Branch]:
    """None where its program does not compile."""
    if program is not None:
        return [Branch(name, filter, inputs, program)]
    if template is None or template.spec.request is None:
        return []
    return [Branch(name, filter, inputs, RequestTemplate(template.spec.request, inputs, texts, report))]

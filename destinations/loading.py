"""Reads destination files and compiles them. One file that does not load never stops another one."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from catalog.loading import Catalog
from catalog.problem import Problem, excerpt, suggestion
from catalog.scalar import YamlError
from catalog.spec import InputSpec, InputType, Template
from catalog.yaml_file import lines_of, parse, read
from destinations.code import CodeTemplate, compile_code
from destinations.destination import Destination
from destinations.fields import fitted
from destinations.filters import Project, compile_filters
from destinations.inputs import Inputs, compile_inputs
from destinations.notify import compile_notify
from destinations.policy import compile_policy
from destinations.project import FILES as PROJECT_FILES
from destinations.project import CompiledProject, compile_project, project_file
from destinations.report import Report
from destinations.request import RequestTemplate
from destinations.sample import compile_sample
from destinations.schema import compile_schema
from destinations.secrets import Secrets
from destinations.spec import ID, DestinationSpec
from destinations.templates import TextCompiler

SUFFIXES = (".yaml", ".yml")
DEFAULT_TEMPLATE = "webhook"


class Loaded(NamedTuple):
    """What the files of a directory say."""

    destinations: dict[str, Destination]
    """By id, those that can run."""
    problems: list[Problem]
    """Everything that is wrong, in the order of the files."""


class CompiledFile(NamedTuple):
    """One file: its destination if there is nothing wrong with it, else what is wrong."""

    file: str
    destination: Destination | None
    problems: tuple[Problem, ...]


def load(directory: Path, secrets: Secrets, catalog: Catalog) -> Loaded:
    """Compile every `*.yaml` and `*.yml` of the directory."""
    try:
        paths = destination_files(directory)
    except OSError as error:
        return Loaded({}, [Problem(str(directory), "", 1, 1, f"cannot be read: {error.strerror}")])
    found = load_project(directory)
    project = found.project or Project(broken=True)
    return assembled((compile_path(path, secrets, catalog, project) for path in paths), found.problems)


def load_project(directory: Path) -> CompiledProject:
    """Read and compile the directory's `project.yaml`."""
    path = project_file(directory)
    if path is None:
        return CompiledProject(Project())
    try:
        data = read(path)
    except OSError as error:
        return CompiledProject(None, (unreadable_project(path, error),))
    return compile_project(path, data)


def unreadable_project(path: Path, error: OSError) -> Problem:
    """What is wrong with a `project.yaml` that is there and cannot be read."""
    return Problem(str(path), "", 1, 1, f"cannot be read: {error.strerror}")


def assembled(files: Iterable[CompiledFile], of_project: Iterable[Problem] = ()) -> Loaded:
    """Put compiled files together; of two files with one id the first stays.

    `of_project` is what is wrong with `project.yaml`.
    """
    destinations: dict[str, Destination] = {}
    owners: dict[str, str] = {}
    problems: list[Problem] = list(of_project)
    for file in files:
        problems += file.problems
        stem = Path(file.file).stem
        if stem in owners:
            message = f"duplicate id '{stem}': {Path(owners[stem]).name} has it too; delete one of the files"
            problems.append(Problem(file.file, "id", 1, 1, message, "", stem))
            continue
        owners[stem] = file.file
        if file.destination is not None:
            destinations[file.destination.id] = file.destination
    return Loaded(destinations, problems)


def destination_files(directory: Path) -> list[Path]:
    """The files in the order of their names; hidden ones belong to editors. Raises OSError."""
    return sorted(
        path
        for path in directory.iterdir()
        if path.suffix in SUFFIXES and path.name[0] != "." and path.name not in PROJECT_FILES and path.is_file()
    )


def compile_path(path: Path, secrets: Secrets, catalog: Catalog, project: Project) -> CompiledFile:
    """Read and compile one file."""
    try:
        data = read(path)
    except OSError as error:
        problem = Problem(str(path), "", 1, 1, f"cannot be read: {error.strerror}", "", path.stem)
        return CompiledFile(str(path), None, (problem,))
    return compile_bytes(path, data, secrets, catalog, project)


def compile_bytes(path: Path, data: bytes, secrets: Secrets, catalog: Catalog, project: Project) -> CompiledFile:
    """Compile one file that has been read."""
    file = str(path)
    try:
        yaml = parse(data)
    except YamlError as error:
        line, column = error.place
        problem = Problem(file, "", line, column, error.message, excerpt(lines_of(data), line, column), path.stem)
        return CompiledFile(file, None, (problem,))
    report = Report(file, path.stem, yaml)
    destination = _compile(path.stem, report, secrets, catalog, project)
    return CompiledFile(file, None if report.problems else destination, tuple(report.problems))


def _compile(stem: str, report: Report, secrets: Secrets, catalog: Catalog, project: Project) -> Destination | None:
    spec = fitted(report.yaml.values, DestinationSpec, (), report)
    _check_id(spec.id, stem, report)
    filter = compile_filters(spec.filters, project, report)
    sample = compile_sample(spec, report)
    template = _template(spec, catalog, report)
    if template is None and spec.code is None:
        return None
    schema = _schema(spec, template, report)
    texts = TextCompiler(report, secrets, list(schema))
    inputs = compile_inputs(schema, spec.inputs, texts, report)
    work = _compile_work(spec, template, inputs, texts, report)
    policy = compile_policy(spec, texts, report)
    notify = compile_notify(spec.notify, texts, report)
    if work is None:
        return None
    return Destination(spec, filter, inputs, work, policy, texts.used_secrets, texts.masked, notify, sample)


def _template(spec: DestinationSpec, catalog: Catalog, report: Report) -> Template | None:
    if not spec.template and spec.code is not None:
        return None
    slug = spec.template or DEFAULT_TEMPLATE
    if slug not in catalog:
        report.at(("template",), f"unknown template '{slug}'{suggestion(slug, sorted(catalog))}")
    return catalog.get(slug)


def _schema(spec: DestinationSpec, template: Template | None, report: Report) -> dict[str, InputSpec]:
    """The file's own schema, or the template's; code without either takes whatever inputs its file gives."""
    if spec.inputs_schema is not None and spec.code is not None:
        return compile_schema(spec.inputs_schema, report)
    if spec.inputs_schema is not None:
        report.at_key(("inputs_schema",), "`inputs_schema` goes with `code`: a template has a schema of its own")
    return {key: InputSpec(InputType.JSON, key) for key in spec.inputs} if template is None else template.spec.inputs


def _compile_work(
    spec: DestinationSpec, template: Template | None, inputs: Inputs, texts: TextCompiler, report: Report
) -> RequestTemplate | CodeTemplate | None:
    """What is made of an event: the file's own code goes before what the template has."""
    code = spec.code if template is None or spec.code is not None else template.code
    if code is not None:
        return compile_code(code, spec.limits, report)
    assert template is not None
    assert template.spec.request is not None
    return RequestTemplate(template.spec.request, inputs, texts, report)


def _check_id(destination_id: str, stem: str, report: Report) -> None:
    if not destination_id:
        return
    if not ID.fullmatch(destination_id):
        report.at(("id",), f"id '{destination_id}' may only have a-z, 0-9 and '-'")
    elif destination_id != stem:
        report.at(("id",), f"id '{destination_id}' is not the file's name; write 'id: {stem}' or rename the file")

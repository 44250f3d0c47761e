"""Reads destination files and compiles them. One file that does not load never stops another one."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from catalog.loading import Catalog
from catalog.problem import Problem, excerpt, suggestion
from catalog.scalar import YamlError
from catalog.spec import Template
from catalog.yaml_file import lines_of, parse, read
from destinations.branches import compile_branches
from destinations.destination import Destination
from destinations.fields import fitted
from destinations.filters import Project, compile_filters
from destinations.masking import compile_masking
from destinations.notify import compile_notify
from destinations.policy import compile_policy
from destinations.project import FILES as PROJECT_FILES
from destinations.project import CompiledProject, compile_project, project_file
from destinations.report import Report
from destinations.sample import compile_sample
from destinations.secrets import Secrets
from destinations.spec import ID, DeliverySpec, DestinationSpec, given_of
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


def project_of(directory: Path) -> Project:
    """What the directory's `project.yaml` says; one that names nothing where it cannot be read."""
    return load_project(directory).project or Project(broken=True)


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
    if template is not None:
        try:
            spec = _with_delivery_of(template, spec)
        except msgspec.ValidationError as error:
            report.at(("template",), f"the template's `delivery`: {error}")
    texts = TextCompiler(report, secrets, [], project.connections)
    branches = compile_branches(spec, template, project, texts, report)
    masking = compile_masking(spec.masking, texts)
    runs_code = spec.code is not None or (template is not None and template.code is not None)
    policy = compile_policy(spec, runs_code, texts, report)
    notify = compile_notify(spec.notify, texts, report)
    policy = msgspec.structs.replace(policy, connections=tuple(texts.used_connections.values()))
    return Destination(spec, filter, branches, policy, texts.used_secrets, texts.masked, notify, sample, masking)


def _template(spec: DestinationSpec, catalog: Catalog, report: Report) -> Template | None:
    if not spec.template and spec.code is not None:
        return None
    slug = spec.template or DEFAULT_TEMPLATE
    if slug not in catalog:
        report.at(("template",), f"unknown template '{slug}'{suggestion(slug, sorted(catalog))}")
    return catalog.get(slug)


def _with_delivery_of(template: Template, spec: DestinationSpec) -> DestinationSpec:
    """What the file does not say of its delivery the template does, also of batches whose form it does not say."""
    beneath = msgspec.convert(template.spec.delivery, DeliverySpec)
    if spec.code is not None:
        # Both are about the requests that the template would make.
        beneath = msgspec.structs.replace(beneath, batch=None, failure=None)
    own = given_of(spec.delivery)
    batch = spec.delivery.batch
    if beneath.batch is not None and batch is not None and batch.form is None and batch.key is None:
        own["batch"] = msgspec.structs.replace(beneath.batch, **given_of(batch))
    return msgspec.structs.replace(spec, delivery=msgspec.structs.replace(beneath, **own))


def _check_id(destination_id: str, stem: str, report: Report) -> None:
    if not destination_id:
        return
    if not ID.fullmatch(destination_id):
        report.at(("id",), f"id '{destination_id}' may only have a-z, 0-9 and '-'")
    elif destination_id != stem:
        report.at(("id",), f"id '{destination_id}' is not the file's name; write 'id: {stem}' or rename the file")

"""Reads `project.yaml`: what is said once for all destinations of a directory: how the project is shown, and what their
filters may refer to. It is no destination.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec

import hog
from catalog.problem import Problem, excerpt, suggestion
from catalog.scalar import YamlError
from catalog.yaml_file import Steps, lines_of, parse
from destinations.connections import NAME as CONNECTION
from destinations.connections import ConnectionSpec, check_connection
from destinations.fields import fitted
from destinations.filters import Project
from destinations.filters.actions import ActionCompiler
from destinations.filters.cohorts import CohortCompiler, RefusedError
from destinations.filters.paths import cleaned_text
from destinations.filters.properties import PropertyCompiler
from destinations.kinds import kind_of
from destinations.notify import WEBHOOK
from destinations.report import Report
from destinations.site import DISPLAY_NAMES, Presentation
from hog.nodes import Expr

T = TypeVar("T")
FILES: Final = ("project.yaml", "project.yml")
_PLACES: Final = ("event", "person", *(f"group_{index}" for index in range(5)))
_TYPES: Final = ("Boolean", "String", "Numeric", "DateTime", "Duration")


class ProjectSpec(msgspec.Struct, frozen=True):
    """The file. A key that is absent or null says nothing."""

    id: int | None = None
    """The project whose name, url and display names these are; absent, every project's."""
    name: str = ""
    url: str = ""
    person_display_name_properties: list[str] | None = None
    timezone: str = "UTC"
    test_account_filters: list[Any] | None = None
    actions: Any = None
    """A list, or a mapping by id; so are the cohorts."""
    cohorts: Any = None
    property_types: dict[str, dict[str, str]] = msgspec.field(default_factory=dict[str, dict[str, str]])
    path_cleaning_filters: list[Any] = msgspec.field(default_factory=list[Any])
    connections: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    """By name, each a `ConnectionSpec`."""


class _ActionSpec(msgspec.Struct, frozen=True):
    id: int | str | None = None
    name: str = ""
    steps: list[Any] = msgspec.field(default_factory=list[Any])
    description: Any = None
    """Not read, as `tags`."""
    tags: Any = None


class _CohortSpec(msgspec.Struct, frozen=True):
    id: int | str | None = None
    name: str = ""
    is_static: bool = False
    filters: Any = None
    description: Any = None


class _CleaningSpec(msgspec.Struct, frozen=True):
    regex: str
    alias: str = ""
    order: Any = None


class CompiledProject(NamedTuple):
    """The project if nothing is wrong with its file, else what is wrong."""

    project: Project | None
    problems: tuple[Problem, ...] = ()


def project_file(directory: Path) -> Path | None:
    """The directory's file, if it has one."""
    return next((path for name in FILES if (path := directory / name).is_file()), None)


def compile_project(path: Path, data: bytes) -> CompiledProject:
    """Compile the file that has been read."""
    file = str(path)
    try:
        yaml = parse(data)
    except YamlError as error:
        line, column = error.place
        return CompiledProject(
            None, (Problem(file, "", line, column, error.message, excerpt(lines_of(data), line, column)),)
        )
    report = Report(file, "", yaml)
    project = _Compiler(report).project(fitted(yaml.values, ProjectSpec, (), report))
    return CompiledProject(None if report.problems else project, tuple(report.problems))


class _Compiler:
    def __init__(self, report: Report) -> None:
        self._report = report

    def project(self, spec: ProjectSpec) -> Project:
        project = Project(
            presentation=self._presentation(spec),
            timezone=self._timezone(spec.timezone),
            booleans=frozenset(self._booleans(spec.property_types)),
            path_cleaning=tuple(self._path_cleaning(spec.path_cleaning_filters)),
            connections=dict(self._connections(spec.connections)),
        )
        cohorts, refused = self._cohorts(spec.cohorts, PropertyCompiler(project, self._report))
        project = replace(project, cohorts=cohorts, refused_cohorts=refused)
        properties = PropertyCompiler(project, self._report)
        filters = spec.test_account_filters
        return replace(
            project,
            actions=self._actions(spec.actions, properties),
            test_accounts=None if filters is None else properties.all(filters, ("test_account_filters",)),
        )

    def _presentation(self, spec: ProjectSpec) -> Presentation:
        if spec.url and WEBHOOK.fullmatch(spec.url) is None:
            self._report.at(("url",), f"expected a URL such as https://offramp.example.com/project/1, got '{spec.url}'")
        names = spec.person_display_name_properties
        return Presentation(spec.id, spec.name, spec.url.rstrip("/"), DISPLAY_NAMES if names is None else tuple(names))

    def _timezone(self, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, KeyError):
            self._report.at(("timezone",), f"unknown time zone '{name}'; write it as 'Europe/Oslo'")
            return "UTC"
        return name

    def _booleans(self, types: dict[str, dict[str, str]]) -> Iterator[tuple[str, str]]:
        for place, names in types.items():
            if place not in _PLACES:
                message = f"unknown kind of properties '{place}'{suggestion(place, _PLACES)}"
                self._report.at_key(("property_types", place), message)
            for name, kind in names.items():
                if kind not in _TYPES:
                    message = f"unknown type '{kind}'{suggestion(kind, _TYPES)}"
                    self._report.at(("property_types", place, name), message)
                if kind == "Boolean":
                    yield place, name

    def _path_cleaning(self, written: list[Any]) -> Iterator[tuple[str, str]]:
        for index, item in enumerate(written):
            path = ("path_cleaning_filters", index)
            if not isinstance(item, dict):
                self._report.at(path, f"expected a mapping with regex and alias, got {kind_of(item)}")
                continue
            spec = fitted(item, _CleaningSpec, path, self._report)
            at = "regex"
            try:
                cleaned_text("/", [(spec.regex, "")])
                at = "alias"
                # Nothing judges it before something is replaced by it: the place of nothing always is.
                cleaned_text("/", [(f"(?:{spec.regex})?", spec.alias)])
            except hog.HogError as error:
                self._report.at((*path, at), error.message)
            else:
                yield spec.regex, spec.alias

    def _connections(self, written: dict[str, Any]) -> Iterator[tuple[str, ConnectionSpec]]:
        for name, item in written.items():
            path = ("connections", name)
            if not CONNECTION.fullmatch(name):
                self._report.at_key(path, "a connection's name is of a-z, 0-9 and _, and begins with a letter")
            elif not isinstance(item, dict):
                self._report.at(path, f"expected a mapping with `kind`, got {kind_of(item)}")
            else:
                spec = fitted(item, ConnectionSpec, path, self._report)
                if not self._report.has_problem_at((*path, "kind")) and spec.kind:
                    check_connection(spec, path, self._report)
                yield name, spec

    def _actions(self, written: Any, properties: PropertyCompiler) -> dict[str, Expr]:
        compiler = ActionCompiler(properties, self._report)

        def compiled(item: dict[str, Any], path: Steps) -> tuple[int | str | None, Expr]:
            spec = fitted(item, _ActionSpec, path, self._report)
            return spec.id, compiler.steps(spec.steps, (*path, "steps"))

        return dict(self._by_id("actions", written, compiled))

    def _cohorts(self, written: Any, properties: PropertyCompiler) -> tuple[dict[str, Expr], dict[str, str]]:
        compiler = CohortCompiler(properties, self._report)

        def compiled(item: dict[str, Any], path: Steps) -> tuple[int | str | None, Expr | RefusedError]:
            spec = fitted(item, _CohortSpec, path, self._report)
            try:
                if spec.is_static:
                    raise RefusedError("is a list of persons")
                return spec.id, compiler.members(spec.filters, (*path, "filters"))
            except RefusedError as error:
                return spec.id, RefusedError(f"({spec.name}) {error}" if spec.name else str(error))

        cohorts: dict[str, Expr] = {}
        refused: dict[str, str] = {}
        for id, members in self._by_id("cohorts", written, compiled):
            if isinstance(members, RefusedError):
                refused[id] = f"cohort {id} {members}: only cohorts of person properties can be used"
            else:
                cohorts[id] = members
        return cohorts, refused

    def _by_id(
        self, key: str, written: Any, compiled: Callable[[dict[str, Any], Steps], tuple[int | str | None, T]]
    ) -> Iterator[tuple[str, T]]:
        """The entries of a list, or of a mapping by id."""
        if isinstance(written, dict):
            entries: list[tuple[str | int, Any]] = list(written.items())
        elif isinstance(written, list):
            entries = list(enumerate(written))
        else:
            if written is not None:
                self._report.at((key,), f"expected a list, or a mapping by id, got {kind_of(written)}")
            return
        seen: set[str] = set()
        for step, item in entries:
            path: Steps = (key, step)
            if not isinstance(item, dict):
                self._report.at(path, f"expected a mapping, got {kind_of(item)}")
                continue
            own, value = compiled(item, path)
            id = step if own is None and isinstance(step, str) else own
            if id is None:
                self._report.at(path, "key 'id' is missing")
            elif str(id) in seen:
                self._report.at((*path, "id"), f"duplicate id '{id}'")
            else:
                seen.add(str(id))
                yield str(id), value

"""A destination's inputs: what the file says over the template's defaults, each behind those that it needs."""

from collections.abc import Callable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from catalog.problem import suggestion
from catalog.spec import InputSpec, InputType
from catalog.yaml_file import Steps
from destinations.errors import InputError, part_at
from destinations.report import Report
from destinations.secret_inputs import check_secret, derived_secrets
from destinations.stored import Stored, stored
from destinations.templates import TextCompiler
from destinations.typed import checked_when_rendered, incomplete, misfit
from destinations.values import Chain, CompileText, Constant, LiquidText, Value, compiled


class Inputs:
    """Compiled inputs; each sees those before it."""

    def __init__(self, values: Mapping[str, Value], places: Mapping[str, Steps] | None = None) -> None:
        """`values` in an order in which each needs only earlier ones; `places` are those that are not `inputs.KEY`."""
        self.place = _places(places or {})
        """Where in the file an input stands, or would."""
        self._values = tuple(values.items())
        self.values = values
        self.chains: frozenset[Chain] = frozenset(chain for value in values.values() for chain in value.chains)

    def render_into(self, globals: dict[str, Any]) -> None:
        """Set `globals['inputs']`; raises InputError."""
        inputs: dict[str, Any] = {}
        globals["inputs"] = inputs
        for key, value in self._values:
            inputs[key] = value.render(globals)

    def one_by_one(self, globals: dict[str, Any]) -> Iterator[tuple[str, Any, InputError | None]]:
        """As `render_into`, but each is told, and one that fails is null for those behind it."""
        inputs: dict[str, Any] = {}
        globals["inputs"] = inputs
        for key, value in self._values:
            try:
                inputs[key] = value.render(globals)
                yield key, inputs[key], None
            except InputError as error:
                inputs[key] = None
                yield key, None, error


def compile_inputs(
    schema: Mapping[str, InputSpec],
    written: Mapping[str, Any],
    texts: TextCompiler,
    report: Report,
    places: Mapping[str, Steps] | None = None,
) -> Inputs:
    """Compile the inputs of one file against a schema; what is wrong goes to the report.

    `places` are those of inputs that stand somewhere else than under `inputs`.
    """
    place = _places(places or {})
    for key in written:
        if key not in schema:
            report.at_key(place(key), f"unknown input '{key}'{suggestion(key, list(schema))}")
    values = {key: _compile_one(key, spec, written, place(key), texts, report) for key, spec in schema.items()}
    return Inputs(_ordered(values, place, report), places)


def _places(others: Mapping[str, Steps]) -> Callable[[str], Steps]:
    return lambda key: others.get(key) or ("inputs", key)


def _compile_one(
    key: str, spec: InputSpec, written: Mapping[str, Any], path: Steps, texts: TextCompiler, report: Report
) -> Value:
    if spec.secret:
        report.hide(path)
    given = stored(written.get(key) if key in written else spec.default, path, spec, report)
    if report.has_problem_at(path):
        return Constant(None)
    if spec.required and given.value in (None, ""):
        report.at_key(path, f"required input '{key}' is missing")
        return Constant(None)
    text = _language(given, spec, texts)
    value = Constant(given.value) if text is None else compiled(given.value, given.path, text)
    problem = _problem(given.value, value, spec)
    if problem is not None and not report.has_problem_at(path):
        report.at(given.path, problem)
    if spec.secret:
        check_secret(value, path, report)
        texts.masked.update(derived_secrets(value, texts.used_secrets))
    return checked_when_rendered(value, part_at(path), spec)


def _language(given: Stored, spec: InputSpec, texts: TextCompiler) -> CompileText | None:
    if given.language is None:
        return None
    hog = texts.url if spec.type is InputType.URL else texts.text
    text = texts.liquid if given.language == "liquid" else hog
    if spec.type is not InputType.EMAIL:
        return text
    # The editor's own form of the email, full of braces that are no templates.
    design = (*given.path, "design")
    return lambda written, path: Constant(written) if path[: len(design)] == design else text(written, path)


def _problem(written: Any, value: Value, spec: InputSpec) -> str | None:
    """What can be said of the value before there is an event."""
    if isinstance(value, Constant):
        return misfit(value.value, spec) or incomplete(value.value, spec)
    if isinstance(value, LiquidText):
        return None if spec.type is InputType.CHOICE else misfit("", spec)
    return None if isinstance(written, str) else misfit(written, spec) or incomplete(written, spec)


def _ordered(values: Mapping[str, Value], place: Callable[[str], Steps], report: Report) -> dict[str, Value]:
    needs = {
        key: {chain[1] for chain in value.chains if chain[0] == "inputs" and len(chain) > 1}
        for key, value in values.items()
    }
    try:
        order = [key for key in TopologicalSorter(needs).static_order() if key in values]
    except CycleError as error:
        circle: list[str] = error.args[1]
        report.at(place(circle[0]), f"inputs need each other in a circle: {' → '.join(circle)}")
        return dict(values)
    return {key: values[key] for key in order}

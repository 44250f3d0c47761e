"""A destination's inputs: what the file says over the template's defaults, each behind those that it needs."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from catalog.problem import suggestion
from catalog.spec import InputSpec, InputType
from destinations.errors import InputError
from destinations.kinds import kind_of
from destinations.report import Report
from destinations.templates import TextCompiler
from destinations.values import Chain, Constant, Value, compiled

_EXPECTED: Mapping[InputType, tuple[type, str]] = {
    InputType.STRING: (str, "text"),
    InputType.URL: (str, "text"),
    InputType.DICTIONARY: (dict, "a mapping"),
    InputType.JSON: (object, "any value"),
}


class Inputs:
    """Compiled inputs; each sees those before it."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        """`values` in an order in which each needs only earlier ones."""
        self._values = tuple(values.items())
        self.values = values
        self.chains: frozenset[Chain] = frozenset(chain for value in values.values() for chain in value.chains)

    def render_into(self, globals: dict[str, Any]) -> None:
        """Set `globals['inputs']`; raises InputError."""
        inputs: dict[str, Any] = {}
        globals["inputs"] = inputs
        for key, value in self._values:
            inputs[key] = value.render(globals)

    def one_by_one(self, globals: dict[str, Any]) -> Iterator[tuple[str, Any, str]]:
        """As `render_into`, but each is told, and one that fails is null for those behind it."""
        inputs: dict[str, Any] = {}
        globals["inputs"] = inputs
        for key, value in self._values:
            try:
                inputs[key] = value.render(globals)
                yield key, inputs[key], ""
            except InputError as error:
                inputs[key] = None
                yield key, None, error.message


def compile_inputs(
    schema: Mapping[str, InputSpec], written: Mapping[str, Any], texts: TextCompiler, report: Report
) -> Inputs:
    """Compile the inputs of one file against the template's schema; what is wrong goes to the report."""
    for key in written:
        if key not in schema:
            report.at_key(("inputs", key), f"unknown input '{key}'{suggestion(key, list(schema))}")
    values = {key: _compile_one(key, spec, written, texts, report) for key, spec in schema.items()}
    return Inputs(_ordered(values, report))


def _compile_one(key: str, spec: InputSpec, written: Mapping[str, Any], texts: TextCompiler, report: Report) -> Value:
    path = ("inputs", key)
    given = written.get(key) if key in written else spec.default
    if spec.required and given in (None, ""):
        report.at_key(path, f"required input '{key}' is missing")
        return Constant(None)
    text = texts.url if spec.type is InputType.URL else texts.text
    value = compiled(given, path, text)
    if isinstance(value, Constant) and value.value is not None:
        expected, name = _EXPECTED[spec.type]
        if not isinstance(value.value, expected):
            report.at(path, f"expected {name}, got {kind_of(value.value)}")
    return value


def _ordered(values: Mapping[str, Value], report: Report) -> dict[str, Value]:
    needs = {
        key: {chain[1] for chain in value.chains if chain[0] == "inputs" and len(chain) > 1}
        for key, value in values.items()
    }
    try:
        order = [key for key in TopologicalSorter(needs).static_order() if key in values]
    except CycleError as error:
        circle: list[str] = error.args[1]
        report.at(("inputs", circle[0]), f"inputs need each other in a circle: {' → '.join(circle)}")
        return dict(values)
    return {key: values[key] for key in order}

import inspect
from inspect import Parameter

import pytest

import hog
from hog import functions_doc
from hog.runtime.text import nested_text

EXAMPLES = [
    pytest.param(expression, printed, id=expression)
    for function in hog.functions().values()
    for expression, printed in function.examples
]


@pytest.mark.parametrize(("source", "printed"), EXAMPLES)
def test_example_is_true(source: str, printed: str) -> None:
    assert nested_text(hog.expression(source)({})) == printed


@pytest.mark.parametrize("function", hog.functions().values(), ids=lambda function: function.name)
def test_function_says_what_it_is_for(function: hog.Function) -> None:
    assert function.examples
    assert function.prose.endswith((".", "…"))


@pytest.mark.parametrize("value", [None, True, -1, 2.5, "x", [], (1,), {"a": 1}])
@pytest.mark.parametrize("function", hog.functions().values(), ids=lambda function: function.name)
def test_any_value_gives_a_result_or_a_failure_with_a_reason(function: hog.Function, value: object) -> None:
    arguments = ", ".join(["v"] * max(1, function.needs)) if function.most != 0 else ""
    problem = ""
    try:
        hog.expression(f"{function.name}({arguments})")({"v": value})
    except hog.HogRuntimeError as error:
        problem = error.message
    assert not problem.startswith("cannot be evaluated")


def test_the_page_of_functions_is_made_from_the_library() -> None:
    assert functions_doc.FILE.read_text("utf-8") == functions_doc.page(), "run: python -m hog.functions_doc"


@pytest.mark.parametrize("function", hog.functions().values(), ids=lambda function: function.name)
def test_the_bounds_are_those_of_the_python_function(function: hog.Function) -> None:
    parameters = inspect.signature(function.call).parameters.values()
    positional = [parameter for parameter in parameters if parameter.kind is not Parameter.VAR_POSITIONAL]
    unbounded = len(positional) < len(parameters)
    assert (function.most is None) == unbounded
    assert function.most is None or function.most == len(positional)
    assert all(parameter.default is not Parameter.empty for parameter in positional[function.needs :])


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("now", "now([zone])"),
        ("substring", "substring(text, start[, count])"),
        ("HogError", "HogError(type[, message[, payload]])"),
        ("coalesce", "coalesce(values…)"),
        ("JSONHas", "JSONHas(value, path…)"),
        ("today", "today()"),
    ],
)
def test_signature_comes_from_the_python_function(name: str, signature: str) -> None:
    assert hog.functions()[name].signature == signature


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("arrayMap(x -> x)", "Function arrayMap requires exactly 2 arguments"),
        ("arrayReduce((a, b) -> a, [], 1, 2)", "Function arrayReduce requires exactly 3 arguments"),
        ("sortableSemver()", "Function sortableSemver requires exactly 1 argument"),
        ("inCohort(1)", "Function inCohort requires exactly 2 arguments"),
        ("upper()", "Function upper requires at least 1 argument"),
        ("upper(1, 2)", "Function upper requires at most 1 argument"),
    ],
)
def test_a_wrong_number_of_arguments_is_counted(source: str, message: str) -> None:
    with pytest.raises(hog.HogRuntimeError) as caught:
        hog.program(source)({})
    assert caught.value.message == message


@pytest.mark.parametrize("name", ["inCohort", "notInCohort"])
def test_cohorts_that_are_not_known_are_an_error_that_can_be_caught(name: str) -> None:
    program = hog.program(f"try {{ {name}(1, null) }} catch (e: Error) {{ return e.message }}")
    assert program({}) == f"{name}() requires cohort membership to be loaded for this evaluation"


def test_functions_that_call_functions_can_be_values() -> None:
    program = hog.program("let f := arrayMap let inCohorts := inCohort return [f(upper, ['a']), inCohorts(1, [1]), f]")
    result = program({})
    assert nested_text(result) == "[['A'], true, fn<arrayMap(2)>]"

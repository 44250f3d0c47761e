import pytest

import hog
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

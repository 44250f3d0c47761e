from collections import UserDict
from typing import Any

import pytest

import hog

NAMES = hog.Names({"event", "person", "properties"})


@pytest.mark.parametrize(
    ("source", "chains"),
    [
        ("1", set()),
        ("event", {("event",)}),
        ("person.properties.email == 'x'", {("person", "properties", "email")}),
        ("person['properties']['email']", {("person", "properties", "email")}),
        ('person."a b"?.c', {("person", "a b", "c")}),
        ("(person.properties).email", {("person", "properties", "email")}),
        ("properties[event]", {("properties",), ("event",)}),
        ("properties.a[1].b", {("properties", "a")}),
        ("arrayMap(event -> event.x, properties.list)", {("properties", "list")}),
        ("upper('x')", set()),
    ],
)
def test_chains_are_the_dotted_reads_of_globals(source: str, chains: set[tuple[str, ...]]) -> None:
    program = hog.expression(source, names=NAMES)
    assert program.chains == chains
    assert program.roots == {chain[0] for chain in chains}


@pytest.mark.parametrize(
    ("source", "constant"),
    [("1 + 2", True), ("lower('A')", True), ("event", False), ("now()", False), ("arrayMap(randomFloat, [1])", False)],
)
def test_constant_programs_always_give_the_same(source: str, constant: bool) -> None:
    assert hog.expression(source).constant is constant


def test_conjuncts_are_the_operands_of_a_top_level_and() -> None:
    program = hog.expression("event == 'a' and (person.x and properties.y > 1)", names=NAMES)
    parts = hog.conjuncts(program)
    assert [sorted(part.roots) for part in parts] == [["event"], ["person"], ["properties"]]
    assert [part({"event": "a", "person": {}, "properties": {"y": 2}}) for part in parts] == [True, None, True]


def test_conjuncts_of_anything_else_is_the_program_alone() -> None:
    program = hog.expression("event or person")
    assert hog.conjuncts(program) == [program]


def test_globals_may_be_any_mapping() -> None:
    globals_: Any = UserDict(properties=UserDict(a=1))
    assert hog.expression("properties.a")(globals_) == 1


def test_an_operand_that_cannot_fail_hides_nothing_when_it_is_skipped() -> None:
    program = hog.expression("event == 'a' and jsonParse(person) and properties.x", names=NAMES)
    with pytest.raises(hog.HogRuntimeError, match="jsonParse: not JSON"):
        program({"event": "b", "person": "{", "properties": {}})


def test_the_names_of_the_source_never_reach_python() -> None:
    globals_ = {"type": 1, "g": 2, "t1": 3, "__builtins__": 4, "k0": "x"}
    program = hog.expression("[type, g, t1, __builtins__, k0 =~ 'x', k0 || type]")
    assert program(globals_) == [1, 2, 3, 4, True, "x1"]


@pytest.mark.parametrize(
    "source",
    [
        "replaceAll(s, 'x', s)",
        f"concat({', '.join(['s'] * 70)})",
        "arrayStringConcat(arrayMap(x -> s, range(100)))",
        "jsonStringify(arrayMap(x -> s, range(100)))",
        "toString(arrayMap(x -> s, range(100)))",
        f"encodeURLComponent(concat({', '.join(['s'] * 30)}))",
    ],
)
def test_memory_bombs_are_refused(source: str) -> None:
    run = hog.Run(hog.Limits(time_s=10))
    with pytest.raises(hog.HogLimitError, match="the memory limit of 67108864 bytes"):
        hog.expression(source)({"s": "x" * 1_000_001}, run)


@pytest.mark.parametrize("source", ["splitByString('', s)", "range(1000001)", "range(0, 1e15)"])
def test_arrays_that_are_too_long_are_refused(source: str) -> None:
    with pytest.raises(hog.HogLimitError, match="items is too long"):
        hog.expression(source)({"s": "x" * 1_000_001})


def test_integers_that_are_too_large_are_refused() -> None:
    with pytest.raises(hog.HogRuntimeError, match="is too large"):
        hog.expression("arrayReduce((n, x) -> n * n, range(100), 3)")({})

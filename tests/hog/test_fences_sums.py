"""What is small by itself and large together: calls in one expression, work below what is counted, shared parts."""

import itertools
import random
import resource
import subprocess
import sys
from typing import Any

import pytest

import hog
from cli.hog_eval import encoded, evaluate_line
from destinations.fetch import read_call
from hog import json_text

NUMBERS = list(range(4000, 0, -1))
SHARED = "let a := [1] for (let i := 0; i < 60; i := i + 1) { a := [a, a] } return a"
"""Sixty arrays that print, and are written as JSON, as 2**60."""


class Counting(hog.Run):
    """Notes what library functions say that they have worked."""

    units = 0

    def spend(self, units: int) -> None:
        self.units += units
        super().spend(units)


@pytest.mark.parametrize(
    "call", ["upper(x)", "x == y", "x =~ 'b+$'", "x || y", "x in y", "x < y", "x + y", "x like y", "concat(y, x)"]
)
def test_many_calls_in_one_expression_tick(call: str) -> None:
    program = hog.expression(f"[{', '.join([call] * 400)}]")
    with pytest.raises(hog.HogLimitError, match="more than 100 steps"):
        program({"x": "a", "y": "b"}, hog.Run(hog.Limits(steps=100)))


def test_many_calls_in_one_expression_are_fenced_without_a_run() -> None:
    program = hog.expression(f"[{', '.join(['x == y'] * 400)}]")
    with pytest.raises(hog.HogLimitError, match=r"longer than 0\.1 s"):
        program({"x": list(range(300_000)), "y": [*range(299_999), 0]})


@pytest.mark.parametrize(
    "source",
    [
        "arraySort(v)",
        "arrayStringConcat(arrayMap(x -> [1, 2], [1, 2, 3]))",
        "toString(v)",
        "jsonStringify(v)",
        "jsonParse(t)",
        "encodeURLComponent(t)",
        "formatDateTime(toDateTime(0), replaceAll(substring(t, 1, 400), '[', '%Y'))",
        "v == w",
        "has(v, 0)",
        "t =~ '[ab]*a[ab]{90}c'",
    ],
)
def test_work_on_what_is_small_is_counted(source: str) -> None:
    run = Counting(hog.Limits())
    hog.expression(source)({"v": NUMBERS, "w": list(NUMBERS), "t": "[" * 1000 + "]" * 1000}, run)
    assert run.units > 0


def test_a_read_of_globals_that_is_copied_is_counted() -> None:
    run = Counting(hog.Limits())
    hog.program("let a := [v, v] a[1][1] := 1")({"v": NUMBERS}, run)
    assert run.units > 2 * len(NUMBERS)


def test_ticks_are_looked_at_often_however_quick_they_have_been() -> None:
    looks: list[float] = []

    def clock() -> float:
        looks.append(0.0)
        return 0.0

    hog.program("let i := 0 while (i < 100000) { i := i + 1 }")({}, hog.Run(hog.Limits(), clock=clock))
    assert len(looks) > 50


@pytest.mark.timeout(20)
def test_text_that_is_almost_a_number_is_read_in_linear_time() -> None:
    assert str(hog.expression("t * 1")({"t": "1" * 200_000 + "x"})) == "nan"
    assert hog.expression("'5.' * 1 + '.5' * 2 + '1.5e1' * 1 + '-2E+1' * 1")({}) == 1


def test_sums_of_integers_are_bounded() -> None:
    double = "let a := 1 for (let i := 0; i < n; i := i + 1) { a := a + a } return a"
    assert hog.program(double)({"n": 4095}) == 1 << 4095
    with pytest.raises(hog.HogRuntimeError, match="more than 4096 bits"):
        hog.program(double)({"n": 4096})
    with pytest.raises(hog.HogRuntimeError, match="more than 4096 bits"):
        hog.program("let a := 0 - 1 for (let i := 0; i < n; i := i + 1) { a := a - (0 - a) } return a")({"n": 4096})


@pytest.mark.parametrize("source", ["throw Error(t)", "throw HogError(t, 'x')", "t(1)", "let a := 1 a[t] := 1"])
def test_messages_are_cut(source: str) -> None:
    with pytest.raises(hog.HogError) as caught:
        hog.program(source)({"t": "x" * 1_000_000})
    assert len(str(caught.value)) < 5000


def test_large_patterns_of_one_source_are_refused() -> None:
    patterns = ", ".join(
        f"x =~ '{first}{second}.{{999}}'" for first in "abcdefghijklmno" for second in "abcdefghijklmno"
    )
    with pytest.raises(hog.HogCompileError, match="all the patterns of this source together are too large"):
        hog.expression(f"[{patterns}]")


def test_numbers_that_take_much_memory_are_weighed() -> None:
    power = "let a := 1 for (let i := 0; i < 4000; i := i + 1) { a := a + a } "
    fill = "let r := [] for (let i := 1; i < 300000; i := i + 1) { r[i] := a + i }"
    with pytest.raises(hog.HogLimitError, match="memory limit"):
        hog.program(power + fill)({}, hog.Run(hog.Limits(time_s=30)))


def test_memory_on_the_stack_is_found_although_the_program_pauses() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.hog.test_fences_sums"], capture_output=True, text=True, timeout=60
    )
    assert "the memory limit" in ended.stdout, ended.stdout + ended.stderr[-2000:]


@pytest.mark.parametrize(
    "source",
    [
        SHARED,
        "return toDateTime(1e300)",
        "return [toDateTime(1e300), 1]",
        "let a := [] for (let i := 0; i < 100000; i := i + 1) { a := [a] } return a",
        "let a := [] a[1] := a return a",
        "let d := {} d['d'] := d return d",
        "print(toDateTime(1e300))",
        "throw Error(toDateTime(1e300))",
        "return x -> x",
        "fetch('http://x', {'body': toDateTime(1e300)})",
        SHARED.replace("return a", "fetch('http://x', {'body': a})"),
        SHARED.replace("return a", "fetch('http://x', {'method': 'GET', 'body': a})"),
        "fetch('http://x', {'method': 'GET', 'body': toDateTime(1e300)})",
        "return 1 \0 '\\ud800'",
    ],
)
def test_a_case_is_answered_with_one_line_whatever_it_does(source: str) -> None:
    for kind in ("program", "expression", "template"):
        line = encoded(evaluate_line(json_text.dumps({"source": source, "kind": kind})))
        assert b"\n" not in line
        assert set(json_text.loads(line)) == {"result", "prints", "fetches", "error"}


@pytest.mark.parametrize(
    "line", [b"", b"\xff", b"1", b"[" * 100_000, b'{"source": 1}', b'{"source": "\\ud800"}', b"\0"]
)
def test_any_line_is_answered(line: bytes) -> None:
    assert json_text.loads(encoded(evaluate_line(line)))["error"]["phase"] == "parse"


def test_what_is_sent_is_measured_before_it_is_written() -> None:
    value = hog.program(SHARED)({})
    with pytest.raises(hog.Failure, match="memory limit"):
        read_call("http://x", {"body": value})


@pytest.mark.parametrize(
    "source",
    ["{{{0}}}", "{{[{0}]}}", "{{{{'a': {0}}}}}", "https://a.example/{{{0}}}"],
    ids=["bare", "array", "dict", "text"],
)
def test_what_an_expression_gives_is_measured_before_a_host_writes_it(source: str) -> None:
    shared = "arrayReduce((a, x) -> [a, a], range(n), [1])"
    program = hog.template(source.format(shared))
    with pytest.raises(hog.HogLimitError, match=r"memory limit|longer than 0\.1 s"):
        program({"n": 60})
    assert program({"n": 2}) is not None


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000))
    program: Any = hog.program(f"return [{', '.join(['range(1000000)'] * 100)}]")
    try:
        program({}, hog.Run(hog.Limits(time_s=30), pause=lambda: None))
    except hog.HogLimitError as error:
        print(error.message)  # noqa: T201


if __name__ == "__main__":
    main()


@pytest.mark.parametrize(
    "call",
    [
        "v =~ '[ab]*a[ab]{{{}}}c'",
        "encodeURLComponent(v || '{}')",
        "arraySort(w) == [{}]",
    ],
)
def test_a_few_dear_calls_in_one_expression_have_a_budget_without_a_run(call: str) -> None:
    program = hog.expression(f"[{', '.join(call.format(900 + number) for number in range(14))}]")
    values = {"v": "".join(random.Random(1).choices("ab", k=60_000)) * (1 if "=~" in call else 40), "w": NUMBERS * 100}
    with pytest.raises(hog.HogLimitError, match=r"longer than 0\.1 s"):
        program(values)


def test_what_is_large_and_cheap_is_evaluated_as_what_is_small() -> None:
    program = hog.expression("[length(t), upper(t) == t, t =~ 'b$', reverse(t) like 'bA%', 'x' in t]")
    assert program({"t": "A" * 200_000 + "b"}) == [200_001, False, True, True, False]


@pytest.mark.parametrize(
    "held",
    [[[n] for n in range(60_000)], list(range(600_000)), {f"key {n}": "x" * 40 for n in range(60_000)}],
    ids=["arrays", "numbers", "texts"],
)
def test_weighing_what_a_program_holds_lets_others_go_on(held: Any) -> None:
    ticking = itertools.count(step=0.001)
    pauses: list[float] = []
    run = hog.Run(hog.Limits(time_s=1e9), pause=lambda: pauses.append(1), clock=lambda: next(ticking))
    token = run.enter({})

    def holding(value: Any) -> None:
        run.reserve(hog.Limits().memory_bytes + len(value) - 1)

    try:
        with pytest.raises(hog.Failure, match="memory limit"):
            holding(held)
    finally:
        run.leave(token)
    assert len(pauses) > 3, "each look at this clock takes a millisecond, and two of them are a slice"

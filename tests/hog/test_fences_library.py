"""Every function of the library with hostile arguments, over and over, in a process that may not grow without bound."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from typing import Any

import hog

LIMITS = hog.Limits(time_s=0.1, memory_bytes=64 * 1024 * 1024)
ADDRESS_SPACE = 1_500_000_000
SLOW_S = 5.0
"""For one program: far more than any takes, far less than one that nothing stops."""
LONG = 5_000_000
MANY = 200_000


class Clock:
    """The time is over at the second look, however long that takes: what does not look is not stopped by it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.07
        return self.now


def hostile() -> dict[str, Any]:
    nested: Any = ["x", 1]
    pairs: Any = ("x", 1)
    for _ in range(30):
        nested = [nested, nested, nested, nested]
        pairs = (pairs, pairs)
    return {
        "ascii": "x" * LONG,
        "wide": "é%41," * (LONG // 5),
        "brackets": "[" + "[]," * (LONG // 3) + "[]]",
        "numbers": list(range(MANY)),
        "long_texts": ["x" * LONG, "x" * (LONG - 1) + "y"] * (MANY // 2),
        "keys": {f"{number:030}": number for number in range(MANY)},
        "nested": nested,
        "pairs": pairs,
    }


def calls(function: hog.Function) -> Iterator[str]:
    """The function with the hostile value `v` in each place, beside small ones."""
    if function.exact and function.name.startswith("array"):
        callbacks = ("upper", "x -> [x, v]") if function.needs == 2 else ("concat", "(all, x) -> [all, x]")
        yield from (f"{function.name}({', '.join([callback, 'v', 'v'][: function.needs])})" for callback in callbacks)
        return
    count = function.needs if function.most is None else min(3, function.most)
    if function.most is None and count < 2:
        count = 2
    rows = {("v",) * count, *(tuple("v" if place == at else "'x'" for place in range(count)) for at in range(count))}
    if count > 1:
        rows |= {("v", *["1"] * (count - 1)), (*["1"] * (count - 1), "v")}
    yield from (f"{function.name}({', '.join(row)})" for row in sorted(rows) if "v" in row)


TRICKY = [
    ("ascii", "match(v, '[ax]*x[ax]{900}c')"),
    ("ascii", "extractRegex(v, '((x+x+)+)y')"),
    ("ascii", "v =~ 'x.{200}x.{200}c'"),
    ("ascii", "v ilike '%x_x_x_x_x_x_x_x_x_x_x_x_x_x_x_x_x_x_x_y%'"),
    ("ascii", "match('x', concat('(a|b){900}', randomFloat()))"),
    ("ascii", "match(substring(v, 1, 4000), '(x{0,30}y?){0,30}z')"),
    ("ascii", "splitByString('', v)"),
    ("ascii", "replaceAll(v, 'x', 'xxxxxxxxxxxxxxxxxxxx')"),
    ("ascii", "all := all || v"),
    ("ascii", "all := arrayPushBack(all, reverse(v))"),
    ("ascii", "all := arrayPushBack(all, jsonParse('[[],[],[],[]]'))"),
    ("ascii", "formatDateTime(toDateTime(0), replaceAll(v, 'x', '%M'))"),
    ("ascii", "toInt('0x' || replaceAll(v, 'x', 'f'))"),
    ("ascii", "('0x' || replaceAll(v, 'x', 'f')) * ('0x' || replaceAll(v, 'x', 'f'))"),
    ("ascii", "v == reverse(v)"),
    ("ascii", "sha256HmacChain(arrayMap(x -> v, range(100000)))"),
    ("ascii", "multiSearchAnyCaseInsensitive(v, arrayMap(x -> 'y', range(100000)))"),
    ("wide", "jsonStringify([v, v, v, v], 10)"),
    ("wide", "toString([v, v, v, v])"),
    ("wide", "tryDecodeURLComponent(v)"),
    ("brackets", "all := arrayPushBack(all, jsonParse(substring(v, 1, 30000) || '1]'))"),
    ("brackets", "JSONExtractString(v, 1, 2, 3)"),
    ("numbers", "all := arrayPushBack(all, arrayPushBack(v, 1))"),
    ("numbers", "all := arrayPushBack(all, keys(v))"),
    ("numbers", "arrayMap(x -> range(1000), v)"),
    ("numbers", "v == arrayPushFront(arrayPopFront(v), 0)"),
    ("numbers", "arrayMap(md5Hex, arrayMap(toString, v))"),
    ("long_texts", "has(v, reverse(v[1]))"),
    ("long_texts", "v[2] in v"),
    ("long_texts", "arrayStringConcat(v, v[1])"),
    ("pairs", "all := {} all[v] := 1"),
    ("pairs", "return {'a': 1}[v] ?? jsonParse('1' || v)"),
    ("pairs", "v == 1 or v in v or v < v"),
    ("nested", "arrayMap(x -> jsonStringify(v), [1, 2, 3])"),
    ("nested", "throw Error('x', v)"),
]
"""Programs in which what is large is made, or where a small argument is what costs. They run by the real clock."""


@lru_cache(maxsize=1)
def endless(source: str) -> hog.Program:
    return hog.program(f"let all := [] while (true) {{ {source} }}")


def problem(source: str, values: dict[str, Any], clock: Callable[[], float]) -> str | None:
    """What is wrong with how the endless program ended, None when nothing is."""
    program, run = endless(source), hog.Run(LIMITS, clock=clock)
    began = time.perf_counter()
    try:
        program(values, run)
    except hog.HogRuntimeError as error:
        took = time.perf_counter() - began
        if took > SLOW_S:
            return f"took {took:.1f} s: {error.message}"
        unexpected = "out of memory" in error.message or error.message.startswith("cannot be evaluated")
        return error.message if unexpected else None
    return "ended by itself"


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    values = hostile()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    problems, slowest = {}, [(0.0, "")]
    programs = [
        (name, source, Clock())
        for function in hog.functions().values()
        if not function.effect
        for source, name in product(calls(function), values)
    ]
    for name, source, clock in [*programs, *((name, source, time.perf_counter) for name, source in TRICKY)]:
        began = time.perf_counter()
        found = problem(source, {"v": values[name]}, clock)
        slowest = sorted([*slowest, (time.perf_counter() - began, f"{name}: {source}")])[-5:]
        if found is not None:
            problems[f"{name}: {source}"] = found
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    json.dump({"problems": problems, "slowest": slowest, "grown_kb": grown}, sys.stdout)


def test_every_function_is_stopped_by_the_fences_whatever_it_is_given() -> None:
    command = [sys.executable, "-m", "tests.hog.test_fences_library"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr[-2000:]
    report = json.loads(ended.stdout)
    assert report["problems"] == {}
    assert report["grown_kb"] < 600_000, report


if __name__ == "__main__":
    main()

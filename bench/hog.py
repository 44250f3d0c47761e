"""How fast are Hog filters, templates and programs, beside PostHog's own machine?

Each piece of work runs here and on npm's `@posthog/hogvm` in the same process of node, turn by turn, the fastest of
several rounds each. First the two results are compared: nothing is timed that does not give the same. "compile" is from
source text to code, on a program of 100 lines in the shape of a CRM destination (`bench/hog_programs/crm.hog`).

    python -m bench.hog --rounds 5
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from pathlib import Path
from statistics import geometric_mean
from typing import Any, Final

import hog
from hog import nodes, parser
from hog.compiler import compile_tree
from hog.runtime.text import nested_text
from tests.hog.differential import machine
from tests.hog.differential.bytecode import compile_expression, compile_program

HERE: Final = Path(__file__).parent
LIMITS: Final = hog.Limits(time_s=60, memory_bytes=1 << 30)
EVENT: Final[dict[str, Any]] = {
    "event": {
        "event": "order placed",
        "distinct_id": "user-1",
        "properties": {
            "$browser": "Chrome",
            "$current_url": "https://shop.example/checkout?step=2",
            "price": 129.5,
            "currency": "EUR",
            "items": [{"sku": f"sku-{number}", "amount": number} for number in range(5)],
        },
    },
    "person": {"name": "Ada", "properties": {"email": "ada@example.com", "plan": "pro", "country": "AT"}},
}
RECORDS: Final = json.dumps([{"id": number, "name": f"name {number}", "tags": ["a", "b"]} for number in range(100)])


@dataclass(frozen=True)
class Work:
    """A piece of work; `aim` is how many times as fast as the other machine it ought to be."""

    group: str
    name: str
    kind: Callable[..., hog.Program]
    source: str
    globals: dict[str, Any] = field(default_factory=lambda: EVENT)

    def tree(self) -> nodes.Program | nodes.Expr:
        """Its syntax tree."""
        return self.kind(self.source).node


COUNTRIES: Final = ("DE", "FR", "IT", "ES", "PT", "NL", "BE", "PL", "CZ", "AT")
AIMS: Final = {"filter": 10.0, "template": 10.0, "loop": 3.0}
WORK: Final = (
    Work("filter", "one clause", hog.expression, "event.event == 'order placed'"),
    Work(
        "filter",
        "three clauses",
        hog.expression,
        "event.event == 'order placed' and event.properties.price > 100 and event.properties.$browser != 'Safari'",
    ),
    Work(
        "filter",
        "in, like and a pattern",
        hog.expression,
        "person.properties.plan in ('pro', 'team') and person.properties.email ilike '%@example.com'"
        " and event.properties.$current_url =~ 'checkout.step=[0-9]'",
    ),
    Work(
        "filter",
        "ten alternatives",
        hog.expression,
        " or ".join(f"person.properties.country == '{country}'" for country in COUNTRIES),
    ),
    Work("template", "two pieces", hog.template, "Hello {person.name}, thanks for {event.event}!"),
    Work("template", "one value", hog.template, "{event.properties.price}"),
    Work(
        "template",
        "with functions",
        hog.template,
        "{upper(event.properties.currency)} {round(event.properties.price)} by {person.properties.email ?? 'somebody'}",
    ),
    Work(
        "loop",
        "fib(20)",
        hog.program,
        "fun fib(n) { if (n < 2) { return n } return fib(n - 1) + fib(n - 2) } return fib(20)",
    ),
    Work(
        "loop",
        "sum of 10,000",
        hog.program,
        "let sum := 0 for (let i := 0; i < 10000; i := i + 1) { sum := sum + i % 7 } return sum",
    ),
    Work("loop", "arrayMap of 10,000", hog.program, "return length(arrayMap(x -> x * 2 + 1, range(10000)))"),
    Work("loop", "arrayFilter of 10,000", hog.program, "return length(arrayFilter(x -> x % 3 == 0, range(10000)))"),
    Work(
        "loop",
        "arraySort of 10,000",
        hog.program,
        "return arraySort(arrayMap(x -> f'{x * 7919 % 10007}', range(10000)))[1]",
    ),
    Work(
        "text",
        "2,000 concatenations",
        hog.program,
        "let out := '' for (let i := 0; i < 2000; i := i + 1) { out := concat(out, 'ab') } return length(out)",
    ),
    Work(
        "text",
        "split, upper, join",
        hog.program,
        f"let words := splitByString(' ', '{'some words to work on ' * 100}')"
        " return length(arrayStringConcat(arrayMap(w -> upper(w), words), '-'))",
    ),
    Work("text", "replaceAll", hog.program, f"return length(replaceAll('{'a-b-c-' * 300}', '-', ', '))"),
    Work("JSON", "parse 8 KB", hog.program, "return length(jsonParse(records))", {"records": RECORDS}),
    Work("JSON", "write 8 KB", hog.program, "return length(jsonStringify(rows))", {"rows": json.loads(RECORDS)}),
    Work("JSON", "one field", hog.program, "return JSONExtractString(records, 5, 'name')", {"records": RECORDS}),
)


class Other:
    """PostHog's machine: one process of node that times what it is given."""

    def __init__(self) -> None:
        folder = machine.package_folder()
        self._process = subprocess.Popen(
            ["node", str(HERE / "hogvm.mjs"), str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def time(self, work: Work, seconds: float) -> tuple[str, float]:
        """The result as it prints, and the microseconds of one run."""
        tree = work.tree()
        code = compile_program(tree) if isinstance(tree, nodes.Program) else compile_expression(tree)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(
            json.dumps({"bytecode": code, "globals": work.globals, "seconds": seconds}),
            file=self._process.stdin,
            flush=True,
        )
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"node ended while it ran {work.name!r}")
        found = json.loads(answer)
        return found["result"], found["microseconds"]

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=0.1, help="of each round")
    asked = options.parse_args()
    try:
        other = Other()
    except machine.MissingMachineError as error:
        sys.exit(str(error))
    ratios: dict[str, list[float]] = {}
    print(f"{'':<9} {'':<24} {'here, µs':>12} {'hogvm, µs':>12} {'ratio':>8}")
    try:
        for work in WORK:
            here, there = _measure(work, other, asked.rounds, asked.seconds)
            ratios.setdefault(work.group, []).append(there / here)
            print(f"{work.group:<9} {work.name:<24} {here:>12,.2f} {there:>12,.2f} {there / here:>7.1f}x")
    finally:
        other.close()
    for group, found in ratios.items():
        aim = f", aim {AIMS[group]:g}x" if group in AIMS else ""
        print(f"{group:<9} lowest {min(found):.1f}x, mean {geometric_mean(found):.1f}x{aim}")
    _print_compile(asked.rounds)


def _measure(work: Work, other: Other, rounds: int, seconds: float) -> tuple[float, float]:
    action = _action(work.kind(work.source), work.globals)
    here = there = float("inf")
    for _ in range(rounds):
        here = min(here, _timed(action, seconds))
        result, microseconds = other.time(work, seconds)
        there = min(there, microseconds)
    ours = nested_text(action())
    if ours != result:
        raise RuntimeError(f"{work.name!r} gives {ours} here and {result} there")
    return here, there


def _action(program: hog.Program, globals: dict[str, Any]) -> Callable[[], Any]:
    """One run, called as a host calls it: an expression by itself, a program in an environment of its own."""
    if isinstance(program.node, nodes.Program):
        return lambda: program(globals, hog.Run(LIMITS))
    return partial(program, globals)


def _timed(action: Callable[[], object], seconds: float) -> float:
    """Microseconds of one call: as many calls as take the time asked for."""
    count = 1
    while True:
        began = time.perf_counter()
        for _ in repeat(None, count):
            action()
        took = time.perf_counter() - began
        if took >= seconds:
            return took / count * 1e6
        count *= 2


def _print_compile(rounds: int) -> None:
    source = (HERE / "hog_programs/crm.hog").read_text()
    tree = parser.parse_program(source)
    parse = min(_timed(lambda: parser.parse_program(source), 0) for _ in range(rounds)) / 1e3
    lower = min(_timed(lambda: compile_tree(tree, None, source), 0) for _ in range(rounds)) / 1e3
    print(f"compile   {source.count(chr(10))} lines: parse {parse:.1f} ms, lower and build {lower:.1f} ms, aim 5 ms")


if __name__ == "__main__":
    main()

"""The checked examples of the language: those programs that are nothing but `print(…)` calls."""

import json
from pathlib import Path

import pytest

from hog import compile_node, nodes, parser
from hog.runtime.text import print_text

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())


def printed_arguments(program: str) -> list[list[nodes.Expr]] | None:
    calls = []
    for statement in parser.parse_program(program).declarations:
        call = statement.expr if isinstance(statement, nodes.ExprStatement) else None
        if not isinstance(call, nodes.Call) or call.name != "print":
            return None
        calls.append(call.args)
    return calls


ONLY_PRINTS = [vector for vector in VECTORS if printed_arguments(vector["program"]) is not None]


@pytest.mark.parametrize("vector", ONLY_PRINTS, ids=lambda vector: vector["name"])
def test_prints_what_the_other_implementations_print(vector: dict[str, str]) -> None:
    program = vector["program"]
    lines = [
        " ".join(print_text(compile_node(argument, source=program)({})) for argument in arguments)
        for arguments in printed_arguments(program) or []
    ]
    assert "".join(f"{line}\n" for line in lines) == vector["stdout"]


def test_every_vector_parses() -> None:
    for vector in VECTORS:
        assert parser.parse_program(vector["program"]).declarations

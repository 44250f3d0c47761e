"""The checked examples of the language: each prints here what it prints in the other implementations."""

import json
from pathlib import Path

import pytest

import hog

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_prints_what_the_other_implementations_print(vector: dict[str, str]) -> None:
    printed: list[str] = []
    hog.program(vector["program"])({}, hog.Run(hog.Limits(), {"print": printed.append}))
    assert "".join(f"{line}\n" for line in printed) == vector["stdout"]

"""Secrets that somebody has written into a destination file: found, and taken out of what is kept or shown of it."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from catalog.problem import Problem
from catalog.scalar import YamlError
from catalog.yaml_file import parse
from destinations.secret_inputs import LITERAL
from destinations.secrets import MASK


def literal_secrets(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those of the problems that say so, without the line, which holds it.

    Only inputs that a schema marks as secret are known to be such; a text that is no YAML is not known to have any.
    """
    return tuple(msgspec.structs.replace(problem, excerpt="") for problem in problems if problem.message == LITERAL)


def without_lines(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems as everybody may read them: where one of them is a secret in the file, none with its line.

    Another problem may be of the same line.
    """
    found = tuple(problems)
    if not literal_secrets(found):
        return found
    return tuple(msgspec.structs.replace(problem, excerpt="") for problem in found)


def without_literal_secrets(path: Path, data: bytes, found: Iterable[Problem]) -> bytes:
    """The file's bytes with `'***'` for each value that `literal_secrets` has found in them."""
    places = {(problem.line, problem.column) for problem in found}
    if not places:
        return data
    try:
        file = parse(data)
    except YamlError:
        return data
    text = data.decode("utf-8-sig")
    spans = {
        (node.start_mark.index, node.end_mark.index)
        for steps, node in file.nodes.items()
        if steps and tuple(file.key_place(steps)) in places
    }
    for start, end in sorted(spans, reverse=True):
        # A text of several lines ends with the break of its last one.
        line_end = "\n" if text[start:end].endswith("\n") else ""
        text = f"{text[:start]}'{MASK}'{line_end}{text[end:]}"
    return text.encode()

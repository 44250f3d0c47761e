"""One YAML scalar: its value by YAML 1.2's core schema, and which character of the file each of its characters was."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from ruamel.yaml.nodes import Node, ScalarNode

_SINGLE = re.compile(r"''|.", re.DOTALL)
_DOUBLE = re.compile(r"\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\.|.", re.DOTALL)
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Place(NamedTuple):
    """A position in a file, counted from 1."""

    line: int
    column: int


class YamlError(ValueError):
    """The file cannot be read as one YAML mapping."""

    def __init__(self, message: str, place: Place) -> None:
        """Keep the position beside the message."""
        super().__init__(message)
        self.message = message
        self.place = place


def place_of(node: Node) -> Place:
    """Where the node begins."""
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def tag_text(node: Node) -> str:
    """A tag as somebody would write it."""
    return str(node.tag).replace("tag:yaml.org,2002:", "!!")


def scalar_value(node: Node) -> bool | int | float | str | None:
    """The value by YAML 1.2's core schema; timestamps and `=` stay text."""
    text: str = node.value
    match str(node.tag).removeprefix("tag:yaml.org,2002:"):
        case "null":
            return None
        case "bool":
            return text.lower() in ("true", "yes", "on", "y")
        # ruamel.yaml also takes YAML 1.1's digit separators for numbers.
        case "int" if "_" not in text:
            return _integer(node)
        case "float" if "_" not in text:
            return _float(node)
        case "str" | "int" | "float" | "timestamp" | "value" | "merge":
            return well_formed(text)
        case _:
            raise YamlError(f"tag '{tag_text(node)}' is not supported", place_of(node))


def _integer(node: Node) -> int:
    prefixed = node.value.lstrip("+-")[:2].lower() in ("0x", "0o", "0b")
    try:
        return int(node.value, 0 if prefixed else 10)
    except ValueError:
        raise YamlError("not a whole number, or one with too many digits", place_of(node)) from None


def _float(node: Node) -> float:
    try:
        number = float(node.value)
    except ValueError:  # YAML's .inf and .nan, which Python spells differently and JSON cannot say.
        number = math.nan
    if not math.isfinite(number):
        raise YamlError("a number must be finite", place_of(node))
    return number


def split_lines(text: str) -> list[str]:
    """Lines as YAML counts them."""
    return _LINE_BREAK.split(text)


def well_formed(text: str) -> str:
    r"""Join escaped surrogate pairs (`"\ud83d\ude00"`); a lone surrogate becomes U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def position_in_scalar(node: ScalarNode, lines: Sequence[str], line: int, column: int) -> Place | None:
    """Line and column (from 1) in the file of line and column (from 1) in the value.

    None where lines were folded: a line of the value is then not a line of the file.
    """
    if node.style == "|":
        return _in_literal_block(node, lines, line, column)
    if node.style == ">" or node.start_mark.line != node.end_mark.line:
        return None
    start, end = node.start_mark.column, node.end_mark.column
    raw = lines[node.start_mark.line][start:end]
    index = _index(node.value, line, column)
    return Place(node.start_mark.line + 1, start + _raw_index(raw, node.style, index) + 1)


def _in_literal_block(node: ScalarNode, lines: Sequence[str], line: int, column: int) -> Place | None:
    of_value = node.value.split("\n")
    file_line = node.start_mark.line + line
    if line > len(of_value) or file_line >= len(lines) or not lines[file_line].endswith(of_value[line - 1]):
        return None
    indent = len(lines[file_line]) - len(of_value[line - 1])
    return Place(file_line + 1, indent + column)


def _index(value: str, line: int, column: int) -> int:
    before = value.split("\n")[: line - 1]
    return sum(len(text) + 1 for text in before) + column - 1


def _raw_index(raw: str, style: str | None, index: int) -> int:
    pattern = {"'": _SINGLE, '"': _DOUBLE}.get(style or "")
    if pattern is None:
        return index
    position = 1
    for piece in pattern.findall(raw[1:-1])[:index]:
        position += len(piece)
    return position

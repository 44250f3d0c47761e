"""Reads one YAML file into plain values and remembers where each of them stands.

YAML 1.2, so `no` is text and `2024-01-01` is text too. It refuses what a configuration file has no use for: several
documents, duplicate keys, merge keys, custom tags, and more values than a file of its size can hold without aliases.
It does not know what the values mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from catalog.scalar import (
    Place,
    YamlError,
    place_of,
    position_in_scalar,
    scalar_value,
    split_lines,
    tag_text,
    well_formed,
)

MAX_FILE_BYTES = 1 << 20
START = Place(1, 1)
# An alias costs a few bytes and may stand for a whole tree; nine nested ones make a thousand million values.
MAX_VALUES = 50_000

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlFile:
    """The values of one file, the place of each value, and the place of each key."""

    values: dict[str, Any]
    lines: Sequence[str]
    keys: dict[Steps, Place] = field(default_factory=dict)
    nodes: dict[Steps, Node] = field(default_factory=dict)

    def place(self, path: Steps) -> Place:
        """Where the value at `path` begins; of a path that is not in the file, where its nearest parent begins."""
        while path and path not in self.nodes:
            path = path[:-1]
        return place_of(self.nodes[path])

    def key_place(self, path: Steps) -> Place:
        """Where the key at `path` begins."""
        return self.keys.get(path) or self.place(path)

    def place_inside(self, path: Steps, line: int, column: int) -> Place | None:
        """Where line and column (from 1) of the text at `path` stand in the file; None if that cannot be told."""
        node = self.nodes.get(path)
        if not isinstance(node, ScalarNode):
            return None
        return position_in_scalar(node, self.lines, line, column)


def read(path: Path) -> bytes:
    """The bytes of a file, one more than `parse` takes at most; raises OSError."""
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def parse(data: bytes) -> YamlFile:
    """Parse the bytes of a file whose top level is a mapping; raises YamlError."""
    if len(data) > MAX_FILE_BYTES:
        raise YamlError("the file is larger than 1 MiB", START)
    text = _decode(data)
    lines = split_lines(text)
    root = _compose(text)
    if root is None or (isinstance(root, ScalarNode) and scalar_value(root) is None):
        raise YamlError("the file is empty; a mapping of keys is expected", START)
    if not isinstance(root, MappingNode):
        kind = "a list" if isinstance(root, SequenceNode) else "a single value"
        raise YamlError(f"the file holds {kind}; a mapping of keys is expected", place_of(root))
    reader = _Reader()
    values = reader.mapping(root, ())
    return YamlFile(values, lines, reader.keys, reader.nodes)


def lines_of(data: bytes) -> list[str]:
    """The lines of a file that may not be YAML, for an excerpt."""
    return split_lines(data.decode("utf-8", "replace"))


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise YamlError("the file is not UTF-8", Place(line, column)) from None


def _compose(text: str) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    try:
        node: Node | None = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else START
        raise YamlError(_message(error), place) from None
    except YAMLError as error:
        raise YamlError(_reader_message(text, error), _reader_place(text, error)) from None
    except RecursionError:
        raise YamlError("the values are nested too deeply", START) from None
    return node


def _message(error: MarkedYAMLError) -> str:
    message = " ".join(str(error.problem or error.context or "not YAML").split())
    if "'\\t'" in message:
        return "a tab cannot stand here; indent with spaces"
    if "mapping values are not allowed" in message:
        return "unexpected ': '; a value that contains it must be in quotes"
    if "single document" in str(error.context):
        return "more than one YAML document in the file"
    return message


def _reader_message(text: str, error: YAMLError) -> str:
    position = getattr(error, "position", None)
    if isinstance(position, int) and position < len(text):
        return f"character U+{ord(text[position]):04X} is not allowed in YAML"
    return " ".join(str(error).split())


def _reader_place(text: str, error: YAMLError) -> Place:
    position = getattr(error, "position", None)
    if not isinstance(position, int):
        return START
    before = text[:position]
    return Place(before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)


class _Reader:
    """Walks the composed nodes, counting every value that an alias repeats."""

    def __init__(self) -> None:
        self.keys: dict[Steps, Place] = {}
        self.nodes: dict[Steps, Node] = {}
        self._open: list[Node] = []

    def mapping(self, node: MappingNode, path: Steps) -> dict[str, Any]:
        _refuse_bare_template(node)
        self._enter(node, path)
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = _key(key_node)
            if key in found:
                raise YamlError(f"duplicate key '{key}'", place_of(key_node))
            here = (*path, key)
            self.keys[here] = place_of(key_node)
            found[key] = self._value(value_node, here)
        self._open.pop()
        return found

    def _value(self, node: Node, path: Steps) -> Any:
        if isinstance(node, MappingNode):
            _refuse_tag(node, "tag:yaml.org,2002:map")
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            _refuse_tag(node, "tag:yaml.org,2002:seq")
            self._enter(node, path)
            items = [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
            self._open.pop()
            return items
        self._note(node, path)
        return scalar_value(node)

    def _enter(self, node: Node, path: Steps) -> None:
        if any(node is outer for outer in self._open):
            raise YamlError("a value contains itself through an alias", place_of(node))
        self._open.append(node)
        self._note(node, path)

    def _note(self, node: Node, path: Steps) -> None:
        self.nodes[path] = node
        if len(self.nodes) > MAX_VALUES:
            raise YamlError(f"the file stands for more than {MAX_VALUES:,} values", place_of(node))


def _key(node: Node) -> str:
    if not isinstance(node, ScalarNode):
        raise YamlError("a key must be a single value", place_of(node))
    if node.tag == "tag:yaml.org,2002:merge":
        raise YamlError("merge keys (<<) are not supported; repeat the keys", place_of(node))
    return well_formed(node.value)


def _refuse_bare_template(node: MappingNode) -> None:
    """`body: {id: {person.id}}`: to YAML the inner braces are a mapping with one key and no value."""
    if not node.flow_style or len(node.value) != 1:
        return
    key, value = node.value[0]
    if isinstance(value, ScalarNode) and value.start_mark.index == key.end_mark.index:
        raise YamlError(f"'{{{key.value}}}' without quotes is a YAML mapping; put quotes around it", place_of(node))


def _refuse_tag(node: Node, allowed: str) -> None:
    if node.tag != allowed:
        raise YamlError(f"tag '{tag_text(node)}' is not supported", place_of(node))

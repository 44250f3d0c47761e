"""Changes values in the text of a destination file, as a person with an editor would: the rest stays byte for byte.

A value is cut out where it stands and the new one put there. Comments, blank lines, quotes, the order of keys and the
ends of lines are therefore kept wherever nothing is changed. What cannot be kept:

* comments within a list of which several parts change at once, or within a mapping that becomes something else;
* the comment behind a value that is removed, on its line. Those above it stay;
* how the new value itself is written, but for the quotes of a text that becomes another text of one line.

A file that uses anchors, or explicit keys (`? key`), in what is changed is written by ruamel.yaml from its round trip,
which keeps comments but not all blanks; if that gives other values than were wanted, it is written anew, without them.
The result is always read back: it holds the wanted values, or is not returned.
"""

import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError as RuamelError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from catalog.scalar import YamlError
from catalog.yaml_file import Steps, YamlFile, parse
from destinations.file_text import ORDER, comment_of, file_text, flow_entry, flow_item, yaml_text
from destinations.filters.spec import FiltersSpec
from destinations.spec import (
    BatchSpec,
    ClientCertSpec,
    DeliverySpec,
    LimitsSpec,
    MappingSpec,
    MaskingSpec,
    NotifySpec,
    QuarantineSpec,
    SampleSpec,
)

_MOST_STEPS: Final = 10_000
_BOM: Final = "\ufeff"
_COLON: Final = re.compile(r"[ \t]*:")
_BEHIND: Final = re.compile(r"[ \t]*(#[^\r\n]*)?")
_SPECS: Final[Mapping[Steps, type[msgspec.Struct]]] = {
    ("filters",): FiltersSpec,
    ("sample",): SampleSpec,
    ("masking",): MaskingSpec,
    ("limits",): LimitsSpec,
    ("delivery",): DeliverySpec,
    ("delivery", "batch"): BatchSpec,
    ("delivery", "client_cert"): ClientCertSpec,
    ("quarantine",): QuarantineSpec,
    ("notify",): NotifySpec,
}


class EditError(Exception):
    """A value cannot stand where it is to stand: one sentence saying why."""


def values_of(text: str) -> dict[str, Any]:
    """What a file says; nothing of one that is empty but for comments. Raises YamlError."""
    return {} if _is_empty(text) else parse(text.encode()).values


def with_value(text: str, path: str, value: Any) -> str:
    """The text with this value at a path such as `delivery.rate`; mappings on the way are made.

    A step that is a number counts within a list: `mappings.0.name`. A key with a dot in it cannot be named so.

    Raises YamlError where the text is no YAML, EditError where the path leads through something that has no keys.
    """
    values = values_of(text)
    return with_values(text, _replaced(values, path.split("."), value))


def without(text: str, path: str) -> str:
    """The text without the key at a path; as it is where there is none. Raises YamlError."""
    values = values_of(text)
    return with_values(text, _removed(values, path.split(".")))


def with_values(text: str, values: Mapping[str, Any]) -> str:
    """The text with these values, all of them: only what differs is changed, and keys that are not given are removed.

    A new key stands where readers look for it: behind those that `destinations.file_text` writes before it.

    Raises YamlError where the text is no YAML, EditError for values that no file can hold.
    """
    wanted = {key: _plain(value) for key, value in values.items()}
    if _is_empty(text):
        return _checked(text + ("" if text.endswith("\n") or not text else "\n") + file_text(wanted), wanted)
    bom, body = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    if same(parse(body.encode()).values, wanted):
        return text
    edited = _cut_in(body, wanted)
    if edited is None:
        edited = _round_trip(body, wanted)
    return bom + (_checked(file_text(wanted, comment_of(body)), wanted) if edited is None else edited)


def same(a: Any, b: Any) -> bool:
    """Whether two values are written alike: to Python `1`, `1.0` and `true` are equal."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(*pair) for pair in zip(a, b, strict=True))
    return type(a) is type(b) and (a == b or a != a)


def _plain(value: Any) -> Any:
    """Lists and dicts all the way down, as a file is read."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(each) for each in value]
    return value


def _is_empty(text: str) -> bool:
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.removeprefix(_BOM).splitlines())


def _replaced(values: Any, steps: Sequence[str], value: Any) -> Any:
    if not steps:
        return value
    first, *rest = steps
    if isinstance(values, list):
        index = int(first) if first.isdecimal() else -1
        if not 0 <= index < len(values):
            raise EditError(f"there is no item {first} in a list of {len(values)}")
        return [_replaced(each, rest, value) if number == index else each for number, each in enumerate(values)]
    if values is not None and not isinstance(values, Mapping):
        raise EditError(f"'{first}' has no place in what is not a mapping")
    inside = dict(values or {})
    inside[first] = _replaced(inside.get(first), rest, value)
    return inside


def _removed(values: Any, steps: Sequence[str]) -> Any:
    first, *rest = steps
    if isinstance(values, list) and first.isdecimal() and int(first) < len(values):
        index = int(first)
        inside = [_removed(values[index], rest)] if rest else []
        return [*values[:index], *inside, *values[index + 1 :]]
    if not isinstance(values, Mapping) or first not in values:
        return values
    if rest:
        return {**values, first: _removed(values[first], rest)}
    return {key: each for key, each in values.items() if key != first}


def _checked(text: str, wanted: Mapping[str, Any]) -> str:
    if not _holds(text, wanted):
        raise EditError("these values cannot be written as a destination file")
    return text


def _holds(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return same(parse(text.encode()).values, wanted)
    except (YamlError, UnicodeEncodeError):
        return False


def _cut_in(text: str, wanted: Mapping[str, Any]) -> str | None:
    """One difference after the other; None where that gives something else than is wanted."""
    try:
        # Each step removes one difference, or raises LookupError, so they end.
        while True:
            file = parse(text.encode())
            step = _Cut(text, file).first(file.values, wanted, ())
            if step is None:
                break
            text = step
    except (YamlError, LookupError, UnicodeEncodeError, RuamelError):
        return None
    return text if _holds(text, wanted) else None


def _round_trip(text: str, wanted: Mapping[str, Any]) -> str | None:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1 << 20
    out = io.StringIO()
    try:
        loaded = yaml.load(text)
        _merge(loaded, parse(text.encode()).values, wanted)
        yaml.dump(loaded, out)
    except (RuamelError, YamlError, ValueError, TypeError, AttributeError):
        return None
    return out.getvalue() if _holds(out.getvalue(), wanted) else None


def _merge(loaded: Any, old: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for key in old.keys() - wanted.keys():
        del loaded[key]
    for key, value in wanted.items():
        if key in old and isinstance(old[key], Mapping) and isinstance(value, Mapping):
            _merge(loaded[key], old[key], value)
        elif key not in old or not same(old[key], value):
            loaded[key] = value


class _Cut:
    """Finds the first difference of one text, and makes the text without it."""

    def __init__(self, text: str, file: YamlFile) -> None:
        self._text = text
        self._nodes = file.nodes
        self._newline = "\r\n" if "\r\n" in text else "\n"
        count = Counter(id(node) for node in file.nodes.values())
        self._shared = {node for node, times in count.items() if times > 1}
        """What an alias repeats: cut out in one place it would change in others, too."""

    def first(self, old: Any, wanted: Any, path: Steps) -> str | None:
        """None where there is no difference."""
        if isinstance(old, Mapping) and isinstance(wanted, Mapping):
            return self._in_mapping(old, wanted, path)
        for index, (a, b) in enumerate(zip(old, wanted, strict=True)):
            if not same(a, b):
                return self._changed(a, b, (*path, index))
        return None

    def _changed(self, old: Any, wanted: Any, path: Steps) -> str | None:
        """For two that differ."""
        if _alike(old, wanted):
            return self.first(old, wanted, path)
        if isinstance(old, list) and isinstance(wanted, list) and old and wanted:
            index = next((i for i, pair in enumerate(zip(old, wanted, strict=False)) if not same(*pair)), None)
            index = min(len(old), len(wanted)) if index is None else index
            more = len(wanted) - len(old)
            with suppress(LookupError):
                if more > 0 and same(old[index:], wanted[index + more :]):
                    return self._insert_item(path, index, wanted[index])
                if more < 0 and same(old[index - more :], wanted[index:]):
                    return self._remove_item(path, index)
        *parent, last = path
        return self._put(tuple(parent), last, wanted) if isinstance(last, str) else self._put_item(path, wanted)

    def _in_mapping(self, old: Mapping[str, Any], wanted: Mapping[str, Any], path: Steps) -> str | None:
        for key, value in wanted.items():
            if key not in old:
                return self._add(path, key, value)
            if not same(old[key], value):
                return self._changed(old[key], value, (*path, key))
        gone = next((key for key in old if key not in wanted), None)
        if gone is None:
            return None
        return self._remove(path, gone) if len(old) > 1 else self._emptied(path)

    def _put(self, path: Steps, key: str, value: Any) -> str:
        mapping, (name, node) = self._entry(path, key)
        end = self._end(name, node)
        if _is_flow(mapping):
            return self._spliced(name.start_mark.index, end, flow_entry(key, value, _quotes(node)))
        entry = self._block(yaml_text({key: value}, _quotes(node)), name.start_mark.column)
        return self._spliced_block(name.start_mark.index, end, entry)

    def _put_item(self, path: Steps, value: Any) -> str:
        node = self._own(path)
        parent = self._nodes[path[:-1]]
        end = self._leaf_end(node, parent.start_mark.column)
        # Also in a block list: it is in one line, so nothing has to be indented.
        return self._spliced(node.start_mark.index, end or node.start_mark.index, flow_item(value, _quotes(node)))

    def _insert_item(self, path: Steps, index: int, value: Any) -> str:
        items: list[Node] = self._own(path).value
        if _is_flow(self._nodes[path]):
            if index == 0:
                at = items[0].start_mark.index
                return self._spliced(at, at, f"{flow_item(value)}, ")
            at = items[index - 1].end_mark.index
            return self._spliced(at, at, f", {flow_item(value)}")
        column = self._nodes[path].start_mark.column
        text = flow_item(value)
        if isinstance(value, Mapping) and value and not any(_is_flow(each) for each in items):
            text = self._block(yaml_text(value), column + 2)
        if index == 0:
            at = self._dash(items[0])
            return self._spliced(at, at, f"- {text}{self._newline}{' ' * column}")
        at = self._line_end(self._leaf_end(items[index - 1], column) or items[index - 1].start_mark.index)
        return self._spliced(at, at, f"{self._newline}{' ' * column}- {text}")

    def _remove_item(self, path: Steps, index: int) -> str:
        items: list[Node] = self._own(path).value
        node = items[index]
        if _is_flow(self._nodes[path]):
            if index + 1 < len(items):
                return self._spliced(node.start_mark.index, items[index + 1].start_mark.index, "")
            return self._spliced(items[index - 1].end_mark.index, node.end_mark.index, "")
        column = self._nodes[path].start_mark.column
        return self._without_lines(self._dash(node) - column, self._leaf_end(node, column) or node.start_mark.index)

    def _dash(self, item: Node) -> int:
        """Where the dash of a list's item stands, if nothing else is before it on its line."""
        before = self._text[: item.start_mark.index].rstrip()
        line = before.rpartition("\n")[2]
        if line.strip() != "-":
            raise LookupError("no dash of its own")
        return len(before) - 1

    def _add(self, path: Steps, key: str, value: Any) -> str:
        mapping = self._own(path)
        entries = [(name, node) for name, node in _mapping(mapping).value]
        before = [index for index, (name, _) in enumerate(entries) if _rank(path, name.value) <= _rank(path, key)]
        if _is_flow(mapping):
            entry = flow_entry(key, value)
            if not entries:
                return self._spliced(mapping.start_mark.index, mapping.end_mark.index, f"{{{entry}}}")
            if not before:
                at = entries[0][0].start_mark.index
                return self._spliced(at, at, f"{entry}, ")
            at = self._end(*entries[before[-1]])
            return self._spliced(at, at, f", {entry}")
        column = entries[0][0].start_mark.column
        entry = self._block(yaml_text({key: value}), column)
        if not before:
            at = entries[0][0].start_mark.index
            return self._spliced(at, at, entry + self._newline + " " * column)
        at = self._line_end(self._end(*entries[before[-1]]))
        return self._spliced(at, at, self._newline + " " * column + entry)

    def _remove(self, path: Steps, key: str) -> str:
        mapping, (name, node) = self._entry(path, key)
        entries = _mapping(mapping).value
        number = next(index for index, (other, _) in enumerate(entries) if other is name)
        start, end = name.start_mark.index, self._end(name, node)
        if _is_flow(mapping):
            if number + 1 < len(entries):
                return self._spliced(start, entries[number + 1][0].start_mark.index, "")
            return self._spliced(self._end(*entries[number - 1]), end, "")
        line = start - name.start_mark.column
        if self._text[line:start].strip():
            # The first of a list's item, behind its dash: the next one takes its place.
            return self._spliced(start, entries[number + 1][0].start_mark.index, "")
        return self._without_lines(line, end)

    def _without_lines(self, start: int, end: int) -> str:
        """Without all lines from the one that begins at `start` to the one that holds `end`."""
        after = self._line_end(end)
        if after < len(self._text):
            after += 2 if self._text.startswith("\r\n", after) else 1
        return self._spliced(start, after, "")

    def _emptied(self, path: Steps) -> str:
        if not path:
            return self._spliced(0, len(self._text), "{}" + self._newline)
        *parent, last = path
        return self._put(tuple(parent), last, {}) if isinstance(last, str) else self._put_item(path, {})

    def _entry(self, path: Steps, key: str) -> tuple[Node, tuple[Node, Node]]:
        mapping = _mapping(self._own(path))
        self._own((*path, key))
        return mapping, next((name, node) for name, node in mapping.value if name.value == key)

    def _own(self, path: Steps) -> Node:
        """The node at a path; raises LookupError where it is one of an alias."""
        if any(id(self._nodes[path[:length]]) in self._shared for length in range(len(path) + 1)):
            raise LookupError("an alias")
        return self._nodes[path]

    def _block(self, text: str, column: int) -> str:
        """An entry at its column, without the end of its last line; its first line is indented by who puts it in."""
        first, *rest = text.removesuffix("\n").split("\n")
        return self._newline.join([first, *(" " * column + line if line else line for line in rest)])

    def _spliced(self, start: int, end: int, new: str) -> str:
        return self._text[:start] + new + self._text[end:]

    def _spliced_block(self, start: int, end: int, entry: str) -> str:
        """A comment behind the old value moves to the entry's first line: in a text of several it would be text."""
        behind = _BEHIND.match(self._text, end)
        if behind is None or not behind[1] or self._newline not in entry:
            return self._spliced(start, end, entry)
        first, rest = entry.split(self._newline, 1)
        return self._spliced(start, behind.end(), f"{first}{behind[0]}{self._newline}{rest}")

    def _end(self, name: Node, node: Node) -> int:
        """Where an entry ends; comments and blank lines behind it are not part of it."""
        colon = _COLON.match(self._text, name.end_mark.index)
        return max(self._leaf_end(node, name.start_mark.column), colon.end() if colon else 0)

    def _leaf_end(self, node: Node, column: int) -> int:
        if isinstance(node, ScalarNode):
            if node.style in ("|", ">"):
                return self._block_scalar_end(node, column)
            return int(node.end_mark.index) if node.end_mark.index > node.start_mark.index else 0
        if _is_flow(node) or not node.value:
            return int(node.end_mark.index)
        # The mark at the end of a block is where the next thing begins, behind comments and blank lines.
        if isinstance(node, SequenceNode):
            last = node.value[-1]
            end = self._leaf_end(last, node.start_mark.column)
            return end or int(last.start_mark.index)
        name, last = node.value[-1]
        return self._end(name, last)

    def _block_scalar_end(self, node: Node, column: int) -> int:
        """Behind the last line that has text; where blank lines count, behind them."""
        end = self._line_end(node.start_mark.index)
        keeps = "+" in self._text[node.start_mark.index : end].partition("#")[0]
        at = end
        while at < len(self._text):
            start = at + (2 if self._text.startswith("\r\n", at) else 1)
            at = self._line_end(start)
            line = self._text[start:at]
            if line.strip() and len(line) - len(line.lstrip(" ")) <= column:
                break
            if line.strip() or (keeps and start < len(self._text)):
                end = at
        return end

    def _line_end(self, index: int) -> int:
        """Of the line that holds the index, before its break."""
        found = re.compile(r"\r?\n|\Z").search(self._text, index)
        return found.start() if found else len(self._text)


def _mapping(node: Node) -> MappingNode:
    if not isinstance(node, MappingNode):
        raise LookupError("not a mapping")
    return node


def _is_flow(node: Node) -> bool:
    return bool(getattr(node, "flow_style", False))


def _alike(a: Any, b: Any) -> bool:
    """Whether the difference is looked for inside of the two."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return bool(a) or not b
    return isinstance(a, list) and isinstance(b, list) and len(a) == len(b)


def _quotes(node: Node) -> str:
    return node.style if isinstance(node, ScalarNode) and node.style in ("'", '"') else ""


def _rank(path: Steps, key: str) -> int:
    names: Sequence[str]
    if not path:
        names = ORDER
    elif len(path) == 2 and path[0] == "mappings":
        names = MappingSpec.__struct_encode_fields__
    elif path in _SPECS:
        names = _SPECS[path].__struct_encode_fields__
    elif path[-1] == "filters":
        names = FiltersSpec.__struct_encode_fields__
    else:
        return 0  # Among names that people choose, a new one comes last.
    return names.index(key) if key in names else len(names)

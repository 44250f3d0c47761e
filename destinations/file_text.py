"""Writes a destination file: YAML in the order in which people read it, texts of several lines as they stand.

What it writes is read back by `catalog.yaml_file` as the same values.
"""

import io
import re
from collections.abc import Mapping
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString, SingleQuotedScalarString

ORDER: Final = (
    "id",
    "name",
    "enabled",
    "project",
    "template",
    "filters",
    "sample",
    "masking",
    "inputs_schema",
    "inputs",
    "mappings",
    "code",
    "limits",
    "signing_secret",
    "delivery",
    "quarantine",
    "notify",
)
"""From whom it is to what it wants, what it sends, and how. A key that is not here stands at the end."""
_IN_ONE_LINE: Final = 100
_ONE_LINERS: Final = frozenset({"properties", "events", "actions", "choices"})
"""Lists of small mappings, each of which is easier to read in one line."""
_BREAKS: Final = re.compile("[\r\x85\u2028\u2029]")
"""To YAML they end a line, as a newline does, and are read back as one unless they are escaped."""
# ruamel.yaml does not quote a text that begins with `?` or `:` within a flow mapping, where it has to be.


def file_text(values: Mapping[str, Any], comment: str = "") -> str:
    """The text of a file; each line of the comment stands above it behind a `#`."""
    ordered = sorted(values, key=lambda key: ORDER.index(key) if key in ORDER else len(ORDER))
    above = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    return above + yaml_text({key: values[key] for key in ordered})


def yaml_text(values: Mapping[str, Any], quotes: str = "") -> str:
    """A mapping as YAML, in its own order. Its own texts of one line are put into these quotes, if any."""
    return _dumped(CommentedMap((_text(key), _quoted(value, key, quotes)) for key, value in values.items()))


def flow_entry(key: str, value: Any, quotes: str = "") -> str:
    """`key: value` as it stands within braces, in one line."""
    return _dumped(_in_one_line({key: value}, quotes)).strip()[1:-1]


def flow_item(value: Any, quotes: str = "") -> str:
    """A value as it stands within brackets, in one line."""
    return _dumped(_in_one_line([value], quotes)).strip()[1:-1]


def _dumped(laid_out: Any) -> str:
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = 1 << 20  # A folded text would no longer show where its lines end.
    yaml.allow_unicode = True
    yaml.brace_single_entry_mapping_in_flow_sequence = True  # `[{id: a}]`: few know that `[id: a]` is the same.
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(laid_out, out)
    return out.getvalue()


def _quoted(value: Any, key: str, quotes: str) -> Any:
    if quotes and isinstance(value, str) and value.isprintable():
        return SingleQuotedScalarString(value) if quotes == "'" else DoubleQuotedScalarString(value)
    return _laid_out(value, key)


def _in_one_line(value: Any, quotes: str = "") -> Any:
    if isinstance(value, str):
        if quotes:
            return _quoted(value, "", quotes) if value.isprintable() else DoubleQuotedScalarString(value)
        return _text(value) if "\n" not in value else DoubleQuotedScalarString(value)
    if isinstance(value, Mapping):
        mapping = CommentedMap((_in_one_line(name), _in_one_line(each, quotes)) for name, each in value.items())
        mapping.fa.set_flow_style()
        return mapping
    if isinstance(value, list | tuple):
        items = CommentedSeq(_in_one_line(each, quotes) for each in value)
        items.fa.set_flow_style()
        return items
    return value


def comment_of(text: str) -> str:
    """The comment above a file's first key, without the `#`."""
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line[1:].removeprefix(" "))
    return "\n".join(lines)


class _Representer(RoundTripRepresenter):
    """`null` is written out: an empty value looks like a mistake."""


def _represent_null(representer: RoundTripRepresenter, _: None) -> Any:
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


_Representer.add_representer(type(None), _represent_null)


def _laid_out(value: Any, key: str = "") -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return CommentedMap((_text(name), _laid_out(each, name)) for name, each in value.items())
    if isinstance(value, list | tuple):
        items = CommentedSeq(_laid_out(each) for each in value)
        if items and key and all(isinstance(each, str | int | float) for each in value) and _fits(value):
            items.fa.set_flow_style()
        if key in _ONE_LINERS:
            for item, written in zip(items, value, strict=True):
                if isinstance(item, CommentedMap) and _is_small(written):
                    item.fa.set_flow_style()
        return items
    return value


def _text(text: str) -> Any:
    if _BREAKS.search(text) or text.startswith(("?", ":")):
        return DoubleQuotedScalarString(text)
    lines = text.split("\n")
    is_block = len(lines) > 1 and text.strip() and all(line.replace("\t", "").isprintable() for line in lines)
    return LiteralScalarString(text) if is_block else str(text)


def _is_small(value: Any) -> bool:
    if not isinstance(value, Mapping) or not value:
        return False
    leaves = [leaf for each in value.values() for leaf in (each if isinstance(each, list) else [each])]
    return all(isinstance(leaf, str | int | float | bool | None) for leaf in leaves) and _fits(value)


def _fits(value: Any) -> bool:
    text = str(value)
    return len(text) <= _IN_ONE_LINE and "\\" not in text

"""PostHog's own parser, and trees of it and of ours in one comparable form.

It is the PyPI package `hogql-parser`. Its time grows with the cube of nesting, so it is only given short sources.
"""

import json
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final, get_args

from msgspec import UNSET

from hog import nodes

_ERROR_MODULE: Final = "posthog.hogql.errors"
_SQL: Final = frozenset(kind.__name__ for kind in get_args(nodes.Sql))
_NOT_COMPARED: Final = frozenset({"node", "start", "end", "value_type"})
_IGNORED_HERE: Final = frozenset({"order_by", "filter_expr", "within_group"})
"""What SQL adds to a call. It means nothing in Hog, and our nodes have no place for it."""
_FLAGS: Final = ("nullish", "is_null_comparison_style")
_RENAMED: Final = {"keyVar": "key_var", "valueVar": "value_var"}
REFUSED: Final = ("SQL",)
"""Stands for a node that the compiler refuses, whatever is in it."""


def _load_parser() -> ModuleType:
    """It imports error classes from its own project and raises some of them: any classes will do."""
    parts = _ERROR_MODULE.split(".")
    for count in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:count]), ModuleType(".".join(parts[:count])))
    module = sys.modules[_ERROR_MODULE]
    for name in ("BaseHogQLError", "ExposedHogQLError", "NotImplementedError", "ParsingError", "SyntaxError"):
        if not hasattr(module, name):
            setattr(module, name, type(name, (Exception,), {}))
    import hogql_parser

    return hogql_parser


_PARSER: Final = _load_parser()
_TEMPLATE_PREFIX: Final = "F'"


class OracleError(Exception):
    """It refuses the source."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def oracle_program(source: str) -> Any:
    """What it makes of a program; raises `OracleError`."""
    tree = _comparable(_answer(_PARSER.parse_program_json, source), 0)
    return (tree[0], None, tree[2])  # it says that a program begins behind the comments


def oracle_expression(source: str) -> Any:
    """What it makes of an expression."""
    return _comparable(_answer(_PARSER.parse_expr_json, source), 0)


def oracle_template(text: str) -> Any:
    """What it makes of a full-text template."""
    answer = _answer(_PARSER.parse_full_template_string_json, _TEMPLATE_PREFIX + text)
    return _comparable(answer, len(_TEMPLATE_PREFIX))


def _answer(parse: Callable[[str], str], text: str) -> Any:
    try:
        answer = json.loads(parse(text))
    except Exception as error:  # noqa: BLE001  # of whatever class the module of error classes held
        raise OracleError(str(error)) from None
    if answer.get("error"):
        raise OracleError(answer["message"])
    return answer


def _comparable(node: Any, shift: int) -> Any:
    if isinstance(node, list):
        return tuple(_comparable(item, shift) for item in node)
    if not isinstance(node, dict):
        return node
    kind, start = node["node"], node.get("start")
    if kind in _SQL:
        return REFUSED
    fields = {
        _RENAMED.get(name, name): _comparable(value, shift)
        for name, value in node.items()
        if name not in _NOT_COMPARED | _IGNORED_HERE
    }
    place = None
    if start is not None:
        line, offset = start["line"], max(0, start["offset"] - shift)
        place = (line, max(0, start["column"] - (shift if line == 1 else 0)), offset)
    if node.get("value_type") == "number":
        fields["value"] = _number(node["value"])
    if kind == "Call":
        fields = {"params": None, "distinct": None} | fields
    return _form(kind, place, fields)


def comparable(node: Any) -> Any:
    """Our tree in the same form."""
    if isinstance(node, list | tuple):
        return tuple(map(comparable, node))
    if not isinstance(node, nodes.Node):
        return None if node is UNSET else node
    kind = type(node).__name__
    if kind in _SQL:
        return REFUSED
    fields = {name: comparable(getattr(node, name)) for name in node.__struct_fields__ if name not in _NOT_COMPARED}
    start = node.start if kind != "Program" else None
    return _form(kind, start and (start.line, start.column, start.offset), fields)


def _form(kind: str, place: Any, fields: dict[str, Any]) -> Any:
    if kind == "Field" and fields["chain"] == ("*",):
        return REFUSED
    if kind == "Constant":
        fields["value"] = repr(fields["value"])  # 1 is not True, and nan is nan
    for flag in _FLAGS:
        if fields.get(flag) is False:
            del fields[flag]
    return (kind, place, tuple(sorted(fields.items())))


def _number(text: str) -> float:
    """JSON has no infinities, and its reader no large integers: both come as text."""
    if text.lstrip("-")[:1].isalpha():
        return float(text.replace("Infinity", "inf"))
    return int(text, 0)


def has_refused(tree: Any) -> bool:
    """Whether anywhere in it is what the compiler refuses."""
    return tree == REFUSED or (isinstance(tree, tuple) and any(map(has_refused, tree)))

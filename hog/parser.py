"""Source text to syntax tree, with PostHog's own parser from PyPI. It resolves no name and evaluates nothing."""

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Final, TypeVar

import msgspec

from hog import guard, nodes
from hog.errors import HogSyntaxError
from hog.syntax_message import explain

_ERROR_MODULE: Final = "posthog.hogql.errors"
_TEMPLATE_PREFIX: Final = "F'"
_ERROR_MARK: Final = '"error":true'
AnyNode = TypeVar("AnyNode")


def _load_parser() -> ModuleType:
    """The parser imports error classes from its own project and raises some of them: any classes will do."""
    parts = _ERROR_MODULE.split(".")
    for count in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:count]), ModuleType(".".join(parts[:count])))
    module = sys.modules[_ERROR_MODULE]
    for name in ("BaseHogQLError", "ExposedHogQLError", "NotImplementedError", "ParsingError", "SyntaxError"):
        if not hasattr(module, name):
            setattr(module, name, type(name, (Exception,), {}))
    import hogql_parser

    return hogql_parser


class _Failed(msgspec.Struct):
    """How the parser returns an error. Of its positions only the offsets mean something."""

    message: str
    start: nodes.Position
    error: bool


_parser: Final = _load_parser()
_decode_expression: Final[Callable[[str], nodes.Expr]] = msgspec.json.Decoder(nodes.Expr).decode
_decode_program: Final[Callable[[str], nodes.Program]] = msgspec.json.Decoder(nodes.Program).decode
_decode_failure: Final = msgspec.json.Decoder(_Failed).decode


def parse_expression(source: str) -> nodes.Expr:
    """The tree of one expression."""
    guard.check(source)
    return _parse(_parser.parse_expr_json, _decode_expression, source, source, 0)


def parse_template(text: str) -> nodes.Expr:
    """The tree of a full-text template: a constant, one expression, or a `concat` of pieces."""
    guard.check(text, template=True)
    shift = len(_TEMPLATE_PREFIX)
    node = _parse(_parser.parse_full_template_string_json, _decode_expression, _TEMPLATE_PREFIX + text, text, shift)
    for position in _positions(node):
        position.offset -= shift
        if position.line == 1:
            position.column -= shift
    return node


def parse_program(source: str) -> nodes.Program:
    """The tree of a whole program."""
    guard.check(source)
    return _parse(_parser.parse_program_json, _decode_program, source, source, 0)


def is_pieces(node: nodes.Expr) -> bool:
    """Whether a template's tree is a `concat` that the template itself stands for, not one that its author wrote."""
    return isinstance(node, nodes.Call) and node.distinct is msgspec.UNSET and _offset(node) <= 0


def is_text_piece(node: nodes.Expr, text: str) -> bool:
    """Whether a piece of a template is its literal text: it starts the template, or follows a closing brace."""
    offset = _offset(node)
    return isinstance(node, nodes.Constant) and (offset <= 0 or text[offset - 1] == "}")


def _offset(node: nodes.Expr) -> int:
    return node.start.offset if node.start else 0


def _parse(
    parse: Callable[[str], str], decode: Callable[[str], AnyNode], text: str, source: str, shift: int
) -> AnyNode:
    try:
        answer = _answer(parse, text, source)
        if _ERROR_MARK in answer[:200]:
            raise _syntax_error(parse, answer, source, shift)
        return decode(answer)
    except RecursionError:
        raise HogSyntaxError("nested too deeply", 1, 1, source) from None
    except msgspec.ValidationError as error:
        raise HogSyntaxError(f"a construct that cannot stand in an expression: {error}", 1, 1, source) from None


def _answer(parse: Callable[[str], str], text: str, source: str) -> str:
    """Most errors come as an answer; a few of the lexer's own are raised, without a position."""
    try:
        return parse(text)
    except Exception as error:  # noqa: BLE001  # of whatever class the module of error classes held
        message, offset = explain(str(error), source, 0)
        raise guard.at_offset(message, offset, source) from None


def _syntax_error(parse: Callable[[str], str], answer: str, source: str, shift: int) -> HogSyntaxError:
    failed = _decode_failure(answer)
    if parse is _parser.parse_expr_json:
        # Of `f(1 2)` this one says only that nothing may follow `f`. As a program it fails where something is wrong.
        answer = _answer(_parser.parse_program_json, source, source)
        if _ERROR_MARK in answer[:200]:
            failed = max(failed, _decode_failure(answer), key=lambda failure: failure.start.offset)
    message, offset = explain(failed.message, source, min(max(0, failed.start.offset - shift), len(source)))
    return guard.at_offset(message, offset, source)


def _positions(node: Any) -> Iterator[nodes.Position]:
    waiting = [node]
    while waiting:
        item = waiting.pop()
        if isinstance(item, nodes.Position):
            yield item
        elif isinstance(item, msgspec.Struct):
            waiting.extend(getattr(item, name) for name in item.__struct_fields__)
        elif isinstance(item, (list, tuple)):
            waiting.extend(item)

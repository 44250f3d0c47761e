"""The ways in: each reads a whole source, and of several errors tells the one that got furthest."""

from collections.abc import Callable
from typing import TypeVar

from hog import nodes
from hog.errors import HogSyntaxError
from hog.parser import operands as _operands  # what expressions begin with registers itself
from hog.parser.expressions import expression
from hog.parser.lexer import END
from hog.parser.statements import program
from hog.parser.templates import Piece, full_template, full_template_pieces
from hog.parser.tokens import Tokens

Read = TypeVar("Read")
assert _operands


def parse_expression(source: str) -> nodes.Expr:
    """The tree of one expression."""
    return _parse(Tokens(source, "code"), _alone)


def parse_program(source: str) -> nodes.Program:
    """The tree of a whole program."""
    return _parse(Tokens(source, "code"), program)


def parse_template(text: str) -> nodes.Expr:
    """The tree of a full-text template: a constant, one expression, or a `concat` of pieces."""
    return _parse(Tokens(text, "full"), full_template)


def parse_pieces(text: str) -> list[str | Piece]:
    """The pieces of a full-text template: its literal texts and its expressions."""
    return _parse(Tokens(text, "full"), full_template_pieces)


def _alone(tokens: Tokens) -> nodes.Expr:
    node = expression(tokens)
    if tokens.kind != END:
        tokens.refuse()
    return node


def _parse(tokens: Tokens, read: Callable[[Tokens], Read]) -> Read:
    try:
        return read(tokens)
    except HogSyntaxError as error:
        raise tokens.worst(error) from None

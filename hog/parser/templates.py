"""`f'…'`, and texts that are one template as a whole."""

from typing import NamedTuple

from hog import nodes
from hog.parser.expressions import expression
from hog.parser.lexer import END
from hog.parser.tokens import Tokens


class Piece(NamedTuple):
    """An expression in a full-text template, and how it is written there."""

    node: nodes.Expr
    written: str


def template(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    """`f'text {expression} text'`: a text, one expression alone, or their `concat`."""
    tokens.at += 1
    pieces: list[nodes.Expr] = []
    while not tokens.take("'"):
        pieces.append(_piece(tokens))
    return _joined(pieces, place)


def _joined(pieces: list[nodes.Expr], place: nodes.Position) -> nodes.Expr:
    if not pieces:
        return nodes.Constant("", start=place)
    return pieces[0] if len(pieces) == 1 else nodes.Call("concat", pieces, start=place)


def full_template(tokens: Tokens) -> nodes.Expr:
    """A text that is a template as a whole."""
    pieces: list[nodes.Expr] = []
    while tokens.kind != END:
        pieces.append(_piece(tokens))
    return _joined(pieces, nodes.Position(1, 0, 0))


def full_template_pieces(tokens: Tokens) -> list[str | Piece]:
    """Its literal texts and its expressions."""
    pieces: list[str | Piece] = []
    while tokens.kind != END:
        if tokens.take("literal"):
            pieces.append(tokens.texts[tokens.at - 1])
        else:
            begin = tokens.place.offset + 1
            node = _piece(tokens)
            pieces.append(Piece(node, tokens.source[begin : tokens.places[tokens.at - 1].offset].strip()))
    return pieces or [""]


def _piece(tokens: Tokens) -> nodes.Expr:
    place = tokens.place
    if tokens.take("literal"):
        return nodes.Constant(tokens.texts[tokens.at - 1], start=place)
    opening = tokens.at
    tokens.expect("{")
    node = expression(tokens)
    tokens.close("}", opening)
    return node

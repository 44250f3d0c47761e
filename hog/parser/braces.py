"""Braces as expressions: a dictionary, or a placeholder."""

from hog import nodes
from hog.parser.expressions import expression
from hog.parser.tokens import Tokens


def brace(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    """`{}`, `{key: value}`, `{expression}`."""
    opening = tokens.at
    tokens.at += 1
    if tokens.take("}"):
        return nodes.Dict([], start=place)
    key = expression(tokens)
    if tokens.kinds[tokens.at] == ":":
        return dictionary(tokens, key, opening)
    tokens.close("}", opening)
    return nodes.Placeholder(key, start=place)


def dictionary(tokens: Tokens, key: nodes.Expr, opening: int) -> nodes.Expr:
    """A dictionary, from behind its first key."""
    items: list[tuple[nodes.Expr, nodes.Expr]] = []
    while True:
        tokens.expect(":", " behind a key")
        items.append((key, expression(tokens)))
        if not tokens.take(",") or tokens.kinds[tokens.at] == "}":
            break
        key = expression(tokens)
    tokens.close("}", opening)
    return nodes.Dict(items, start=tokens.places[opening])


def as_expression(node: nodes.Statement) -> nodes.Expr | None:
    """The expression that a statement could as well be, had it stood where one is wanted; None when it cannot."""
    if isinstance(node, nodes.ExprStatement):
        return node.expr
    if isinstance(node, nodes.Block):
        if not node.declarations:
            return nodes.Dict([], start=node.start)
        inner = as_expression(node.declarations[0]) if len(node.declarations) == 1 else None
        return None if inner is None else nodes.Placeholder(inner, start=node.start)
    if isinstance(node, nodes.VariableAssignment) and isinstance(node.left, nodes.Field) and len(node.left.chain) == 1:
        return nodes.NamedArgument(node.left.chain[0], node.right)
    return None

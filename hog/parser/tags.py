"""HogQLX tags: `<Name attribute='text' attribute={expression} flag>children</Name>`."""

from hog import nodes
from hog.parser.expressions import expression
from hog.parser.lexer import END
from hog.parser.tokens import Tokens
from hog.parser.words import NAMES

_CHILDREN = "children"


def tag(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    """One tag with everything in it."""
    opening = tokens.at
    tokens.at += 1
    kind = tokens.name("the name of a tag")
    attributes: list[nodes.HogQLXAttribute] = []
    while tokens.kinds[tokens.at] in NAMES:
        attributes.append(_attribute(tokens))
    if tokens.take("/>"):
        return nodes.HogQLXTag(kind, attributes, start=place)
    tokens.expect(">", f" or '/>' behind '<{kind}'")
    children = _children(tokens, kind, opening)
    if children:
        if any(attribute.name == _CHILDREN for attribute in attributes):
            raise tokens.settled("a tag has either children or an attribute 'children'", opening)
        attributes.append(nodes.HogQLXAttribute(_CHILDREN, children))
    return nodes.HogQLXTag(kind, attributes, start=place)


def _attribute(tokens: Tokens) -> nodes.HogQLXAttribute:
    place = tokens.place
    name = tokens.texts[tokens.at]
    tokens.at += 1
    if not tokens.take("="):
        return nodes.HogQLXAttribute(name, nodes.Constant(True), start=place)
    where = tokens.place
    if tokens.take("text"):
        return nodes.HogQLXAttribute(name, nodes.Constant(tokens.texts[tokens.at - 1], start=where), start=place)
    return nodes.HogQLXAttribute(name, _braced(tokens, ", expected 'text' or {…}"), start=place)


def _braced(tokens: Tokens, hint: str) -> nodes.Expr:
    opening = tokens.at
    if not tokens.take("{"):
        tokens.refuse(hint)
    value = expression(tokens)
    tokens.close("}", opening)
    return value


def _children(tokens: Tokens, kind: str, opening: int) -> list[nodes.Expr]:
    children: list[nodes.Expr] = []
    tokens.deeper()
    while not tokens.take("</"):
        place = tokens.place
        if tokens.take("literal"):
            children.append(nodes.Constant(tokens.texts[tokens.at - 1], start=place))
        elif tokens.kind == "<tag":
            children.append(tag(tokens, place))
        elif tokens.kind == END:
            raise tokens.error(f"the tag <{kind}> is not closed", opening)
        else:
            children.append(_braced(tokens, f", expected </{kind}>"))
    closing = tokens.name(f"'{kind}'")
    if closing != kind:
        raise tokens.settled(f"<{kind}> is closed by </{closing}>", tokens.at - 1)
    tokens.expect(">")
    tokens.depth -= 1
    return children

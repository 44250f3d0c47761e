"""What an expression begins with, and what can hang on it: literals, names, brackets, calls, members, lambdas."""

from typing import Final

from hog import nodes
from hog.parser import numbers, sql
from hog.parser.braces import brace
from hog.parser.expressions import NEGATION, NOT, OPERANDS, OPERATORS, POSTFIX, expression, expressions
from hog.parser.statements import lambda_body
from hog.parser.tags import tag
from hog.parser.templates import template
from hog.parser.tokens import MAX_CHAIN, Tokens
from hog.parser.words import NAMES

_AFTER_NAMES: Final = frozenset({"{", "in", "like", "ilike", "is", "and", "or", "as", "between"})
"""Behind `not`, these are names themselves, or go on with a variable that is called `not`."""
_OPERANDS_ALONE: Final = frozenset({"text", "integer", "octal", "number", "template", "name", "null", "["})
_BOOLEANS: Final = {"true": True, "false": False}


def _text(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    tokens.at += 1
    return nodes.Constant(tokens.texts[tokens.at - 1], start=place)


def _null(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    tokens.at += 1
    return nodes.Constant(None, start=place)


def _number(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    return nodes.Constant(numbers.number(tokens, ""), start=place)


def _dot(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    if tokens.kinds[tokens.at + 1] not in ("integer", "octal"):
        tokens.refuse()
    return _number(tokens, place)


def _plus(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    if not numbers.is_number(tokens, tokens.at + 1):
        tokens.refuse()
    tokens.at += 1
    return _number(tokens, place)


def _minus(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    tokens.at += 1
    if numbers.is_number(tokens, tokens.at):
        return nodes.Constant(numbers.number(tokens, "-"), start=place)
    return nodes.ArithmeticOperation(nodes.Constant(0), expression(tokens, NEGATION), "-", start=place)


def _name(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    """A name: of a lambda's parameter, an argument, a function that is called, or a value with members."""
    at, kinds, texts = tokens.at, tokens.kinds, tokens.texts
    following = kinds[at + 1]
    if at in tokens.lambdas:
        return _lambda(tokens, place, at)
    if following == "(" and at + 1 not in tokens.lambdas:
        tokens.at += 1
        return _call(tokens, texts[at], place)
    if following == ":=":
        tokens.at += 2
        return nodes.NamedArgument(texts[at], expression(tokens))
    chain = [texts[at]]
    at += 1
    while kinds[at] == "." and (kinds[at + 1] in NAMES or kinds[at + 1] == "*"):
        chain.append(texts[at + 1])
        at += 2
        if kinds[at - 1] == "*":
            break
        if len(chain) > MAX_CHAIN:
            raise tokens.settled(f"more than {MAX_CHAIN} members in a row", at)
    tokens.at = at
    return nodes.Field(chain, start=place)


def _boolean(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    kind = tokens.kinds[tokens.at]
    node = _name(tokens, place)
    if type(node) is nodes.Field and len(node.chain) == 1:
        return nodes.Constant(_BOOLEANS[kind], start=place)
    return node


def _lambda(tokens: Tokens, place: nodes.Position, first: int) -> nodes.Expr:
    """`x -> …`, `x, y -> …`: the tokens are known to be so, up to the arrow."""
    arrow = tokens.lambdas[first]
    names = [tokens.texts[at] for at in range(first, arrow) if tokens.kinds[at] in NAMES]
    tokens.at = arrow + 1
    body = lambda_body(tokens) if tokens.kinds[arrow + 1] == "{" else expression(tokens)
    return nodes.Lambda(names, body, start=place)


def _call(tokens: Tokens, name: str, place: nodes.Position) -> nodes.Expr:
    """`name(…)` or `name(…)(…)`, with what SQL may add to it."""
    arguments, distinct = _arguments(tokens, decorated=True)
    params = None
    if tokens.kinds[tokens.at] == "(" and tokens.at not in tokens.lambdas and not sql.begins(tokens, tokens.at + 1):
        params = arguments
        arguments, distinct = _arguments(tokens, decorated=True)
    node = nodes.Call(name, arguments, params, distinct, start=place)
    return sql.decorated(tokens, node, place) if tokens.kinds[tokens.at] in sql.DECORATIONS else node


def _arguments(tokens: Tokens, *, decorated: bool = False) -> tuple[list[nodes.Expr], bool]:
    opening = tokens.at
    tokens.at += 1
    if sql.begins(tokens, tokens.at) and tokens.kinds[tokens.at + 1] not in OPERATORS:
        query = sql.query(tokens)
        tokens.close(")", opening)
        return [query], False
    distinct = False
    if decorated and tokens.kinds[tokens.at] == "distinct":
        distinct = tokens.kinds[tokens.at + 1] == ")" or tokens.can_start(tokens.at + 1)
        tokens.at += distinct
    arguments: list[nodes.Expr] = []
    while tokens.kinds[tokens.at] != ")":
        if decorated and sql.orders(tokens):
            break
        arguments.append(expression(tokens))
        if not tokens.take(","):
            if decorated:
                sql.orders(tokens)
            break
    if tokens.kinds[tokens.at] == "from" and tokens.kinds[opening - 1] == "substring":
        raise tokens.settled("SQL is not supported here", opening - 1)
    tokens.close(")", opening)
    return arguments, distinct


def _parenthesis(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    opening = tokens.at
    if opening in tokens.lambdas:
        return _lambda(tokens, place, opening)
    tokens.at += 1
    if sql.begins(tokens, tokens.at):
        node: nodes.Expr = sql.query(tokens)
        tokens.close(")", opening)
        return node
    node = expression(tokens)
    if tokens.kinds[tokens.at] != ",":
        tokens.close(")", opening)
        return node
    tokens.at += 1
    items = [node, *expressions(tokens, ")")]
    tokens.close(")", opening)
    return nodes.Tuple(items, start=place)


def _array(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    opening = tokens.at
    tokens.at += 1
    items = expressions(tokens, "]")
    tokens.close("]", opening)
    return nodes.Array(items, start=place)


def _prefixed_array(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    """SQL's `array[…]`."""
    if tokens.kinds[tokens.at + 1] != "[":
        return _name(tokens, place)
    tokens.at += 1
    return _array(tokens, place)


def _not(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    following = tokens.kinds[tokens.at + 1]
    if following == "(" or tokens.at in tokens.lambdas or not tokens.can_start(tokens.at + 1):
        return _name(tokens, place)
    if following not in _AFTER_NAMES:
        return _negated(tokens)
    start = tokens.at
    node = tokens.attempt(_negated)
    if node is not None and tokens.kind in _OPERANDS_ALONE:
        tokens.at, node = start, None
    return _name(tokens, place) if node is None else node


def _negated(tokens: Tokens) -> nodes.Expr:
    place = tokens.place
    tokens.at += 1
    return nodes.Not(expression(tokens, NOT), start=place)


def _called(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr | None:
    if tokens.at in tokens.lambdas:
        return None
    arguments, _ = _arguments(tokens)
    return nodes.ExprCall(left, arguments, start=place)


def _indexed(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr | None:
    opening = tokens.at
    if tokens.kinds[opening + 1] == "]":
        return None
    tokens.at += 1
    if tokens.kinds[tokens.at] == ":":
        return sql.sliced(tokens, opening, place)
    key = expression(tokens)
    if tokens.kinds[tokens.at] == ":":
        return sql.sliced(tokens, opening, place)
    if tokens.kinds[tokens.at] == ",":
        # An array, and the next statement begins with it.
        tokens.give_up(opening, tokens.unexpected(", expected ']'"))
        return None
    tokens.close("]", opening)
    return nodes.ArrayAccess(left, key, start=place)


def _member(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr | None:
    """`.name`, `.1`, `?.name`, `?.1`, `?.[index]`."""
    nullish = tokens.kinds[tokens.at] == "?."
    kind, text = tokens.kinds[tokens.at + 1], tokens.texts[tokens.at + 1]
    if nullish and kind == "[":
        opening = tokens.at + 1
        tokens.at += 2
        key = expression(tokens)
        tokens.close("]", opening)
        return nodes.ArrayAccess(left, key, True, start=place)
    tokens.at += 1
    if kind == "integer":
        tokens.at += 1
        return nodes.TupleAccess(left, int(text[:400]), nullish, start=place)
    return nodes.ArrayAccess(left, nodes.Constant(tokens.name("a member's name")), nullish, start=place)


OPERANDS.update(dict.fromkeys(NAMES, _name))
OPERANDS.update(
    {
        "text": _text,
        "null": _null,
        "integer": _number,
        "octal": _number,
        "number": _number,
        "inf": _number,
        "infinity": _number,
        "nan": _number,
        ".": _dot,
        "+": _plus,
        "-": _minus,
        "(": _parenthesis,
        "[": _array,
        "{": brace,
        "template": template,
        "<tag": tag,
        "<": tag,
        "true": _boolean,
        "false": _boolean,
        "not": _not,
        "array": _prefixed_array,
    }
)
OPERATORS.update({"(": (POSTFIX, _called), "[": (POSTFIX, _indexed), ".": (POSTFIX, _member), "?.": (POSTFIX, _member)})
sql.register(_name)

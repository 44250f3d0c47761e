"""Expressions by precedence climbing: an operand, then operators for as long as they bind tightly enough.

Operands register themselves in `OPERANDS`, by the kind of the token that they begin with.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from hog import nodes
from hog.parser.tokens import MAX_CHAIN, MAX_DEPTH, Tokens
from hog.parser.words import NAMES

Operand: TypeAlias = Callable[[Tokens, nodes.Position], nodes.Expr]
Operator: TypeAlias = Callable[[Tokens, nodes.Expr, nodes.Position, int], nodes.Expr | None]
"""Takes what stands before the operator, where that begins, and how tightly operators must bind here."""

ALIAS, TERNARY, OR, AND, NOT, BETWEEN, NULLISH, DISTINCT, NULL, COMPARISON, SUM, PRODUCT, NEGATION, POSTFIX = range(
    1, 15
)

OPERANDS: Final[dict[str, Operand]] = {}
OPERATORS: Final[dict[str, tuple[int, Operator]]] = {}


def expression(tokens: Tokens, least: int = 0) -> nodes.Expr:
    """An expression of operators that bind at least so tightly."""
    at = tokens.at
    operand = OPERANDS.get(tokens.kinds[at])
    if operand is None:
        tokens.refuse()
    tokens.depth += 1
    if tokens.depth > MAX_DEPTH:
        raise tokens.too_deep()
    place = tokens.places[at]
    left = climb(tokens, operand(tokens, place), place, least)
    tokens.depth -= 1
    return left


def climb(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr:
    """Go on behind an operand, which began at `place`."""
    kinds = tokens.kinds
    count = 0
    while True:
        found = OPERATORS.get(kinds[tokens.at])
        if found is None or found[0] < least:
            return left
        count += 1
        if count > MAX_CHAIN:
            raise tokens.settled(f"more than {MAX_CHAIN} operators in a row", tokens.at)
        made = found[1](tokens, left, place, least)
        if made is None:
            return left
        left = made


def expressions(tokens: Tokens, closing: str) -> list[nodes.Expr]:
    """Expressions with commas between them, and maybe one behind them, up to a bracket that is not stepped over."""
    found: list[nodes.Expr] = []
    while tokens.kinds[tokens.at] != closing:
        found.append(expression(tokens))
        if not tokens.take(","):
            break
    return found


def _arithmetic(op: str, level: int) -> Operator:
    def operator(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr:
        tokens.at += 1
        return nodes.ArithmeticOperation(left, expression(tokens, level + 1), op, start=place)

    return operator


def _comparison(op: str) -> Operator:
    def operator(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr:
        tokens.at += 1
        return nodes.CompareOperation(left, expression(tokens, COMPARISON + 1), op, start=place)

    return operator


def _word(op: str) -> Operator:
    """An operator that is a word: where no operand follows, it is a name, and the next statement begins with it."""

    def operator(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr | None:
        return _spelled(tokens, left, place, op, tokens.at + 1)

    return operator


def _spelled(tokens: Tokens, left: nodes.Expr, place: nodes.Position, op: str, behind: int) -> nodes.Expr | None:
    if op in ("in", "not in") and tokens.kinds[behind] == "cohort" and tokens.can_start(behind + 1):
        op, behind = f"{op} cohort", behind + 1
    if not tokens.can_start(behind):
        return None
    tokens.at = behind
    return nodes.CompareOperation(left, expression(tokens, COMPARISON + 1), op, start=place)


def _not(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr | None:
    """`not in`, `not like`, `not ilike`, `not between`."""
    op, behind = tokens.kinds[tokens.at + 1], tokens.at + 2
    if op in ("in", "like", "ilike"):
        return _spelled(tokens, left, place, f"not {op}", behind)
    return _range(tokens, left, place, behind, True) if op == "between" and least <= BETWEEN else None


def _between(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr | None:
    return _range(tokens, left, place, tokens.at + 1, False)


def _range(tokens: Tokens, left: nodes.Expr, place: nodes.Position, behind: int, negated: bool) -> nodes.Expr | None:
    if not tokens.can_start(behind):
        return None

    def bounds(tokens: Tokens) -> nodes.Expr:
        tokens.at = behind
        low = _bound(tokens)
        tokens.expect("and", " between the bounds of 'between'")
        return nodes.BetweenExpr(left, low, _bound(tokens), negated, start=place)

    return tokens.attempt(bounds)


def _bound(tokens: Tokens) -> nodes.Expr:
    at = tokens.at
    bound = expression(tokens, BETWEEN + 1)
    if isinstance(bound, nodes.Lambda | nodes.NamedArgument) and tokens.kinds[at] != "(":
        raise tokens.settled("a function as a bound of 'between' needs parentheses", at)
    return bound


def _is(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr | None:
    kinds, at = tokens.kinds, tokens.at + 1
    negated = kinds[at] == "not"
    at += negated
    if kinds[at] == "null":
        tokens.at = at + 1
        nothing = nodes.Constant(None)
        return nodes.CompareOperation(left, nothing, "!=" if negated else "==", True, start=place)
    if kinds[at] == "distinct" and kinds[at + 1] == "from":
        tokens.at = at + 2
        expression(tokens, DISTINCT + 1)
        return nodes.IsDistinctFrom(start=place)
    return None


def _ignore_nulls(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr | None:
    """SQL, without a meaning here: `expr ignore nulls`."""
    if tokens.kinds[tokens.at + 1] != "nulls":
        return None
    tokens.at += 2
    return left


def _same(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr:
    tokens.at += 1
    expression(tokens, COMPARISON + 1)
    return nodes.IsDistinctFrom(start=place)


def _logical(word: str, level: int, node: type[nodes.And | nodes.Or]) -> Operator:
    """`a and b and c` or `a or b or c`, flat."""

    def read(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr | None:
        if not tokens.can_start(tokens.at + 1):
            return None
        operands = list(left.exprs) if isinstance(left, node) else [left]
        while tokens.kinds[tokens.at] == word and tokens.can_start(tokens.at + 1):
            tokens.at += 1
            right = expression(tokens, level + 1)
            operands.extend(right.exprs if isinstance(right, node) else [right])
        return node(operands, start=place)

    return read


def _joined(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr:
    """`a || b || c`, flat: also where a part is itself joined, or spelled `concat(…)`."""
    parts = _parts(left)
    while tokens.take("||"):
        parts.extend(_parts(expression(tokens, SUM + 1)))
    return nodes.Call("concat", parts, start=place)


def _parts(node: nodes.Expr) -> list[nodes.Expr]:
    return list(node.args) if type(node) is nodes.Call and node.name == "concat" else [node]


def _or_else(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr:
    tokens.at += 1
    return nodes.Call("ifNull", [left, expression(tokens, NULLISH + 1)], start=place)


def _ternary(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr:
    tokens.at += 1
    then = expression(tokens)
    tokens.expect(":", " of '? :'")
    return nodes.Call("if", [left, then, expression(tokens, TERNARY)], start=place)


def _alias(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr | None:
    if tokens.kinds[tokens.at + 1] not in NAMES and tokens.kinds[tokens.at + 1] != "text":
        return None
    tokens.at += 2
    return nodes.Alias(start=place)


OPERATORS.update(
    {
        "as": (ALIAS, _alias),
        "?": (TERNARY, _ternary),
        "or": (OR, _logical("or", OR, nodes.Or)),
        "and": (AND, _logical("and", AND, nodes.And)),
        "between": (BETWEEN, _between),
        "??": (NULLISH, _or_else),
        "is": (NULL, _is),
        "ignore": (NULL, _ignore_nulls),
        "<=>": (COMPARISON, _same),
        "not": (COMPARISON, _not),
        "||": (SUM, _joined),
    }
)
OPERATORS.update(
    {op: (COMPARISON, _comparison(op)) for op in ("==", "!=", "<", "<=", ">", ">=", "=~", "!~", "=~*", "!~*")}
)
OPERATORS.update(
    {op: (COMPARISON, _comparison(meant)) for op, meant in {"=": "==", "<>": "!=", "~": "=~", "~*": "=~*"}.items()}
)
OPERATORS.update({op: (COMPARISON, _word(op)) for op in ("in", "like", "ilike")})
OPERATORS.update({op: (SUM, _arithmetic(op, SUM)) for op in "+-"})
OPERATORS.update({op: (PRODUCT, _arithmetic(op, PRODUCT)) for op in "*/%"})

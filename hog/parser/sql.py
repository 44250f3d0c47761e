"""What the grammar has for SQL. Most of it becomes a node of its name alone, by which the compiler refuses it."""

from typing import Final

from hog import nodes
from hog.parser.expressions import OPERANDS, OPERATORS, POSTFIX, Operand, expression, expressions
from hog.parser.tokens import Tokens
from hog.parser.words import NAMES, UNITS

DECORATIONS: Final = frozenset({"filter", "over", "within"})
_TRIMS: Final = {"both": "trim", "leading": "trimLeft", "trailing": "trimRight"}
_name: Operand


def register(name: Operand) -> None:
    """Make the words of SQL operands; where they are none of it, they are names."""
    global _name
    _name = name
    OPERANDS.update(
        {
            "case": _case,
            "interval": _interval,
            "lambda": _lambda,
            "trim": _trim,
            "date": _literal,
            "timestamp": _literal,
            "cast": _cast,
            "try_cast": _cast,
            "columns": _columns,
            "*": _asterisk,
            "#": _positional,
        }
    )
    OPERATORS["::"] = (POSTFIX, _typed)


def begins(tokens: Tokens, at: int) -> bool:
    """Whether a query stands in the parenthesis: `select` or `with`, and then neither an operator nor the end."""
    kind = tokens.kinds[at]
    if kind == "select":
        return tokens.can_start(at + 1) and tokens.kinds[at + 1] not in ("and", "or", "in", "is", "like", "between")
    if kind == "with":
        return tokens.kinds[at + 1] in NAMES and tokens.kinds[at + 2] in ("as", "(")
    return kind == "(" and tokens.depth < 100 and _set_of_queries(tokens, at)


def _set_of_queries(tokens: Tokens, at: int) -> bool:
    """`((select …) union …)`."""
    closing = tokens.closes.get(at)
    return (
        closing is not None
        and tokens.kinds[closing + 1] in ("union", "intersect", "except")
        and tokens.kinds[at + 1] in ("select", "with")
    )


def query(tokens: Tokens) -> nodes.Expr:
    """A query, up to the parenthesis that closes it. Nothing in it is looked at."""
    place = tokens.place
    closing = tokens.closes.get(tokens.at - 1)
    if closing is None:
        closing = len(tokens.kinds) - 1
    tokens.at = closing
    return nodes.SelectQuery(start=place)


def orders(tokens: Tokens) -> bool:
    """Step over `order by …` among the arguments of a call."""
    if tokens.kinds[tokens.at] != "order" or tokens.kinds[tokens.at + 1] != "by":
        return False
    tokens.at += 2
    while True:
        expression(tokens)
        for words in (("asc", "ascending", "desc", "descending"), ("nulls",), ("first", "last")):
            if tokens.texts[tokens.at].lower() in words:
                tokens.at += 1
        if not tokens.take(","):
            return True


def decorated(tokens: Tokens, node: nodes.Call, place: nodes.Position) -> nodes.Expr:
    """`filter (where …)` and `within group (…)` behind a call mean nothing here; `over …` makes it another thing."""
    kinds, at = tokens.kinds, tokens.at
    if kinds[at] == "within" and kinds[at + 1] == "group" and kinds[at + 2] == "(":
        tokens.at += 3
        if not orders(tokens):
            tokens.refuse(", expected 'order by'")
        tokens.close(")", at + 2)
        if node.params is None:
            return nodes.Call(node.name, [], node.args, False, start=place)
        return node
    if kinds[at] == "filter" and kinds[at + 1] == "(" and kinds[at + 2] == "where":
        tokens.at += 3
        expression(tokens)
        tokens.close(")", at + 1)
        at = tokens.at
    if kinds[at] == "over":
        if kinds[at + 1] in NAMES:
            tokens.at += 2
            return nodes.WindowFunction(start=place)
        closing = tokens.closes.get(at + 1)
        if kinds[at + 1] == "(" and closing is not None:
            tokens.at = closing + 1
            return nodes.WindowFunction(start=place)
    return node


def sliced(tokens: Tokens, opening: int, place: nodes.Position) -> nodes.Expr:
    """`array[from:to]`, from the colon."""
    tokens.expect(":")
    if tokens.kind != "]":
        expression(tokens)
    tokens.close("]", opening)
    return nodes.ArraySlice(start=place)


def _case(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    if tokens.at in tokens.lambdas or not tokens.can_start(tokens.at + 1):
        return _name(tokens, place)
    return tokens.attempt(_cases) or _name(tokens, place)


def _cases(tokens: Tokens) -> nodes.Expr:
    place, opening = tokens.place, tokens.at
    tokens.at += 1
    parts: list[nodes.Expr] = []
    tested = tokens.kind != "when"
    if tested:
        parts.append(expression(tokens))
    tokens.expect("when", " behind 'case'")
    while True:
        parts.append(expression(tokens))
        tokens.expect("then", " behind 'when'")
        parts.append(expression(tokens))
        if not tokens.take("when"):
            break
    branches = len(parts)
    parts.append(expression(tokens) if tokens.take("else") else nodes.Constant(None))
    if not tokens.take("end"):
        tokens.refuse(f", expected 'end' of 'case' in line {tokens.places[opening].line}")
    if tested:
        return nodes.Call("_caseWithExpression", parts, start=place)
    return nodes.Call("if" if branches == 2 else "multiIf", parts, start=place)


def _interval(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    if tokens.at in tokens.lambdas or not tokens.can_start(tokens.at + 1):
        return _name(tokens, place)
    return tokens.attempt(_measured) or _name(tokens, place)


def _measured(tokens: Tokens) -> nodes.Expr:
    """`interval 2 day`, `interval '2 days'`: a call of `toIntervalDay`."""
    place = tokens.place
    tokens.at += 1
    if tokens.kind == "text" and _unit(tokens, tokens.at + 1) is None:
        return _spelled(tokens, place)
    count = expression(tokens)
    unit = _unit(tokens, tokens.at)
    if unit is None:
        tokens.refuse(", expected a unit such as 'day'")
    tokens.at += 1
    return nodes.Call(f"toInterval{unit}", [count], start=place)


def _unit(tokens: Tokens, at: int) -> str | None:
    kind = tokens.kinds[at]
    return "Year" if kind == "yyyy" else UNITS.get(kind)


def _spelled(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    count, _, unit = tokens.texts[tokens.at].partition(" ")
    found = UNITS.get(unit.removesuffix("s"))
    if found is None or unit != unit.lower() or not (count.isascii() and count.isdigit() and len(count) < 19):
        raise tokens.settled("an interval is written '2 days', with a whole number and a unit", tokens.at)
    tokens.at += 1
    return nodes.Call(f"toInterval{found}", [nodes.Constant(int(count))], start=place)


def _lambda(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    """`lambda x, y: …`."""
    kinds, at = tokens.kinds, tokens.at + 1
    names = []
    while kinds[at] in NAMES and tokens.at not in tokens.lambdas:
        names.append(tokens.texts[at])
        at += 1
        if kinds[at] != ",":
            break
        at += 1
    if not names or kinds[at] != ":":
        return _name(tokens, place)
    tokens.at = at + 1
    return nodes.Lambda(names, expression(tokens), start=place)


def _trim(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    """`trim(both 'x' from text)`."""
    kinds, at = tokens.kinds, tokens.at
    if kinds[at + 1] == "(" and kinds[at + 2] in _TRIMS and kinds[at + 3] in ("text", "template"):
        tokens.at += 3
        what = expression(tokens)
        tokens.expect("from")
        text = expression(tokens)
        tokens.close(")", at + 1)
        return nodes.Call(_TRIMS[kinds[at + 2]], [text, what], start=place)
    return _name(tokens, place)


def _literal(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    if tokens.kinds[tokens.at + 1] == "text":
        function = "toDate" if tokens.kind == "date" else "toDateTime"
        raise tokens.settled(f"there is no literal {tokens.kind} '…'; write {function}('…')", tokens.at)
    return _name(tokens, place)


def _cast(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    """`cast(expr as type)`; without `as` it is a call."""
    at, closing = tokens.at, tokens.closes.get(tokens.at + 1)
    node = _name(tokens, place)
    if (
        type(node) is nodes.Call
        and tokens.at == (closing or 0) + 1
        and [type(part) for part in node.args] == [nodes.Alias]
    ):
        return (nodes.TypeCast if tokens.kinds[at] == "cast" else nodes.TryCast)(start=place)
    return node


def _columns(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    if tokens.kinds[tokens.at + 1] != "(" or tokens.at + 1 in tokens.lambdas or tokens.kinds[tokens.at + 2] == ")":
        return _name(tokens, place)
    opening = tokens.at + 1
    tokens.at += 2
    expressions(tokens, ")")
    tokens.close(")", opening)
    return nodes.ColumnsExpr(start=place)


def _asterisk(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    kinds, at = tokens.kinds, tokens.at
    tokens.at += 1
    if kinds[at + 1] in ("exclude", "columns") and kinds[at + 2] == "(":
        tokens.at += 1
        _columns(tokens, place)
        return nodes.ColumnsExpr(start=place) if kinds[at + 1] == "exclude" else nodes.SpreadExpr(start=place)
    return nodes.Field(["*"], start=place)


def _positional(tokens: Tokens, place: nodes.Position) -> nodes.Expr:
    tokens.at += 1
    tokens.expect("integer")
    return nodes.PositionalRef(start=place)


def _typed(tokens: Tokens, left: nodes.Expr, place: nodes.Position, least: int) -> nodes.Expr:
    """`expr::type`."""
    tokens.at += 1
    tokens.name("a type")
    return nodes.TypeCast(start=place)

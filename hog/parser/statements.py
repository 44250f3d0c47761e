"""Statements. Line breaks mean nothing, and most words can be names, so what follows decides what a word begins."""

from collections.abc import Callable
from typing import Final, TypeAlias, TypeVar

from hog import nodes
from hog.errors import HogSyntaxError
from hog.parser.braces import as_expression, brace, dictionary
from hog.parser.expressions import OPERATORS, climb, expression
from hog.parser.lexer import END
from hog.parser.tokens import MAX_BLOCKS, MAX_ELSE_IFS, SettledError, Tokens
from hog.parser.words import NAMES

AnyNode = TypeVar("AnyNode")
Reader: TypeAlias = Callable[[Tokens], nodes.Statement]

_ONLY_STATEMENTS: Final = frozenset({"let", "throw", "try", "while", "fun", "fn", ";"})
"""The kinds of tokens that begin a statement and never an expression."""


def program(tokens: Tokens) -> nodes.Program:
    """Everything up to the end."""
    place = tokens.place
    found = declarations(tokens, END)
    return nodes.Program(found, start=place)


def declarations(tokens: Tokens, closing: str) -> list[nodes.Statement]:
    """Declarations and statements up to a token that is not stepped over."""
    found: list[nodes.Statement] = []
    while tokens.kinds[tokens.at] != closing:
        if not tokens.take(";"):
            found.append(_declaration(tokens))
    return found


def _declaration(tokens: Tokens) -> nodes.Statement:
    return _let(tokens) if tokens.kinds[tokens.at] == "let" else statement(tokens)


def statement(tokens: Tokens) -> nodes.Statement:
    """One statement; what governs another one may not be a declaration."""
    tokens.deeper()
    read = _READERS.get(tokens.kinds[tokens.at])
    found = _expression_statement(tokens) if read is None else read(tokens)
    tokens.depth -= 1
    return found


def _within(tokens: Tokens, count: int, read: Callable[[Tokens], AnyNode]) -> AnyNode:
    """What is read within so many more of the blocks that Python can have within each other."""
    tokens.blocks += count
    if tokens.blocks > MAX_BLOCKS:
        raise tokens.settled(
            "too many loops and 'try' within each other; a function can hold the inner ones", tokens.at
        )
    found = read(tokens)
    tokens.blocks -= count
    return found


def function_body(tokens: Tokens) -> nodes.Block:
    """A block that is a function of its own."""
    outer, tokens.blocks = tokens.blocks, 0
    found = block(tokens)
    tokens.blocks = outer
    return found


def block(tokens: Tokens) -> nodes.Block:
    """`{ … }`."""
    place, opening = tokens.place, tokens.at
    tokens.expect("{")
    found = _rest_of_block(tokens, opening)
    return nodes.Block(found, start=place)


def _rest_of_block(tokens: Tokens, opening: int) -> list[nodes.Statement]:
    kinds = tokens.kinds
    found: list[nodes.Statement] = []
    while kinds[tokens.at] != "}":
        if kinds[tokens.at] == END:
            tokens.close("}", opening)
        if not tokens.take(";"):
            found.append(_declaration(tokens))
    tokens.at += 1
    return found


def _let(tokens: Tokens) -> nodes.Statement:
    place = tokens.place
    tokens.at += 1
    name = tokens.name("the name of a variable")
    if tokens.take(":="):
        return nodes.VariableDeclaration(name, expression(tokens), start=place)
    if tokens.kind == "=":
        tokens.refuse("; a variable gets its value with ':='")
    return nodes.VariableDeclaration(name, start=place)


def _expression_statement(tokens: Tokens) -> nodes.Statement:
    place, first = tokens.place, tokens.at
    node = expression(tokens)
    return _completed(tokens, node, place, named=tokens.kinds[first] in NAMES)


def _completed(tokens: Tokens, node: nodes.Expr, place: nodes.Position, *, named: bool = False) -> nodes.Statement:
    """The statement that begins with the expression: an assignment to it, or it alone."""
    made = _assignment(tokens, node, place, named=named) or nodes.ExprStatement(node, start=place)
    tokens.take(";")
    return made


def _assignment(
    tokens: Tokens, node: nodes.Expr, place: nodes.Position, *, named: bool
) -> nodes.VariableAssignment | None:
    """`x := 1` has been read like a named argument; anything else that is assigned to ends before the sign."""
    if tokens.take(":="):
        return nodes.VariableAssignment(node, expression(tokens), start=place)
    if named and type(node) is nodes.NamedArgument:
        return nodes.VariableAssignment(nodes.Field([node.name], start=place), node.value, start=place)
    return None


def _brace(tokens: Tokens) -> nodes.Statement:
    """A block, unless its first statement turns out to be a key, or an operator follows that needs a left side."""
    place, opening, kinds = tokens.place, tokens.at, tokens.kinds
    tokens.at += 1
    found: list[nodes.Statement] = []
    if kinds[tokens.at] not in ("}", ";", END):
        found.append(_declaration(tokens))
        if kinds[tokens.at] == ":" and kinds[tokens.at - 1] != ";":
            key = as_expression(found[0])
            if key is not None:
                return _completed(tokens, climb(tokens, dictionary(tokens, key, opening), place, 0), place)
    made = nodes.Block([*found, *_rest_of_block(tokens, opening)], start=place)
    if not _continues(tokens) or kinds[tokens.at - 2] == ";":
        return made
    node = as_expression(made)
    return made if node is None else _completed(tokens, climb(tokens, node, place, 0), place)


def _continues(tokens: Tokens) -> bool:
    """Whether the next token can only go on with what stands before it."""
    kind = tokens.kinds[tokens.at]
    return kind == ":=" or (kind in OPERATORS and not tokens.can_start(tokens.at))


def _return(tokens: Tokens) -> nodes.Statement:
    place, start = tokens.place, tokens.at
    tokens.at += 1
    if _continues(tokens) or tokens.kind == ":" or start in tokens.lambdas:
        tokens.at = start
        return _expression_statement(tokens)
    if not tokens.can_start(tokens.at):
        tokens.take(";")
        return nodes.ReturnStatement(start=place)
    if _is_for(tokens) and not _is_call(tokens):
        return nodes.ReturnStatement(start=place)
    node = tokens.attempt(expression) if tokens.kind == "{" else expression(tokens)
    if tokens.kind == ":=":
        # `return a.b := 1` returns nothing, and then assigns.
        node = None
    if node is None:
        tokens.at = start + 1
    else:
        tokens.take(";")
    return nodes.ReturnStatement(node, start=place)


def _throw(tokens: Tokens) -> nodes.Statement:
    place = tokens.place
    tokens.at += 1
    node = expression(tokens)
    tokens.take(";")
    return nodes.ThrowStatement(node, start=place)


def _is_for(tokens: Tokens) -> bool:
    return tokens.kind == "for" and tokens.kinds[tokens.at + 1] == "("


def _is_call(tokens: Tokens) -> bool:
    return tokens.kinds[tokens.at + 2] not in ("let", ";")


def _can_start(tokens: Tokens, at: int) -> bool:
    """Whether something that `if` or `else` governs can begin with the token there."""
    return tokens.can_start(at) or (tokens.kinds[at] in _ONLY_STATEMENTS and tokens.kinds[at] != "let")


def _is_if(tokens: Tokens) -> bool:
    """Whether `if` and what is in its parentheses are followed by something that they can govern."""
    opening = tokens.at + 1
    if tokens.kinds[tokens.at] != "if" or tokens.kinds[opening] != "(" or opening in tokens.lambdas:
        return False
    closing = tokens.closes.get(opening)
    return closing is None or (closing > opening + 1 and _can_start(tokens, closing + 1))


def _if(tokens: Tokens) -> nodes.Statement:
    """`if (…) … else if (…) … else …`: a chain of them is read in a row, and made into a tree from its end."""
    start = tokens.at
    heads: list[tuple[nodes.Position, nodes.Expr, nodes.Statement]] = []
    otherwise: nodes.Statement | None = None
    while True:
        if not _is_if(tokens):
            if not heads:
                return _expression_statement(tokens)
            otherwise = statement(tokens)
            break
        if len(heads) > MAX_ELSE_IFS:
            raise tokens.settled(f"more than {MAX_ELSE_IFS} 'else if' in a row", tokens.at)
        place, opening = tokens.place, tokens.at + 1
        tokens.at += 2
        condition = expression(tokens)
        if tokens.kind == "," and not heads:
            tokens.at = start
            return _expression_statement(tokens)
        tokens.close(")", opening)
        heads.append((place, condition, statement(tokens)))
        if tokens.kind != "else" or tokens.at in tokens.lambdas or not _can_start(tokens, tokens.at + 1):
            break
        tokens.at += 1
    for place, condition, then in reversed(heads):
        otherwise = nodes.IfStatement(condition, then, otherwise, start=place)
    assert otherwise is not None
    return otherwise


def _while(tokens: Tokens) -> nodes.Statement:
    place = tokens.place
    tokens.at += 1
    condition = _parenthesised(tokens, "while")
    body = _within(tokens, 1, statement)
    tokens.take(";")
    return nodes.WhileStatement(condition, body, start=place)


def _parenthesised(tokens: Tokens, word: str) -> nodes.Expr:
    opening = tokens.at
    tokens.expect("(", f" behind '{word}'")
    node = expression(tokens)
    tokens.close(")", opening)
    return node


def _for(tokens: Tokens) -> nodes.Statement:
    place, start, kinds = tokens.place, tokens.at, tokens.kinds
    if not _is_for(tokens) or start + 1 in tokens.lambdas:
        return _expression_statement(tokens)
    if kinds[start + 2] == "let" and "in" in (kinds[start + 4], kinds[start + 6 if kinds[start + 4] == "," else start]):
        return _for_in(tokens, place)
    tokens.at += 2
    initializer = _part(tokens, ";")
    if tokens.kind != ";" and _is_call_at(tokens, start):
        tokens.at = start
        return _expression_statement(tokens)
    tokens.expect(";", " behind the first part of 'for'")
    condition = None if tokens.kind == ";" else expression(tokens)
    tokens.expect(";", " behind the condition of 'for'")
    increment = _part(tokens, ")")
    tokens.close(")", start + 1)
    body = _within(tokens, 1, statement)
    tokens.take(";")
    return nodes.ForStatement(body, initializer, condition, increment, start=place)


def _is_call_at(tokens: Tokens, start: int) -> bool:
    return tokens.kinds[start + 2] not in ("let", ";")


def _part(tokens: Tokens, closing: str) -> nodes.Statement | nodes.Expr | None:
    """The first or the last part of a `for`; an expression alone is no statement there."""
    if tokens.kind == closing:
        return None
    if tokens.kind == "let":
        return _let(tokens)
    place, first = tokens.place, tokens.at
    node = expression(tokens)
    return _assignment(tokens, node, place, named=tokens.kinds[first] in NAMES) or node


def _for_in(tokens: Tokens, place: nodes.Position) -> nodes.Statement:
    opening = tokens.at + 1
    tokens.at += 3
    key, value = None, tokens.name("the name of a variable")
    if tokens.take(","):
        key, value = value, tokens.name("the name of a variable")
    tokens.expect("in")
    node = expression(tokens)
    tokens.close(")", opening)
    body = _within(tokens, 1, statement)
    tokens.take(";")
    return nodes.ForInStatement(value, node, body, key, start=place)


def _function(tokens: Tokens) -> nodes.Statement:
    place = tokens.place
    tokens.at += 1
    name = tokens.name("the name of a function")
    opening = tokens.at
    tokens.expect("(", f" behind 'fun {name}'")
    parameters: list[str] = []
    while tokens.kind != ")":
        parameter = tokens.name("the name of a parameter")
        while tokens.take("."):
            parameter += f".{tokens.name('a name')}"
        parameters.append(parameter)
        if not tokens.take(","):
            break
    tokens.close(")", opening)
    return nodes.Function(name, parameters, function_body(tokens), start=place)


def _try(tokens: Tokens) -> nodes.Statement:
    place = tokens.place
    tokens.at += 1
    body = _within(tokens, 1, block)
    catches: list[tuple[str | None, str | None, nodes.Block]] = []
    while tokens.take("catch"):
        variable = wanted = None
        opening = tokens.at
        if tokens.take("("):
            variable = tokens.name("the name of a variable")
            if tokens.take(":"):
                wanted = tokens.name("the type of an error")
            tokens.close(")", opening)
        catches.append((variable, wanted, _within(tokens, 2, block)))
    last = block(tokens) if tokens.take("finally") else None
    return nodes.TryCatchStatement(body, catches, last, start=place)


def _empty(tokens: Tokens) -> nodes.Statement:
    place = tokens.place
    tokens.at += 1
    return nodes.ExprStatement(start=place)


_READERS: Final[dict[str, Reader]] = {
    "return": _return,
    "throw": _throw,
    "try": _try,
    "if": _if,
    "while": _while,
    "for": _for,
    "fun": _function,
    "fn": _function,
    "{": _brace,
    ";": _empty,
}


def lambda_body(tokens: Tokens) -> nodes.Expr | nodes.Block:
    """Braces behind an arrow are an expression where they can be one, and else a block. Nothing is read twice."""
    at, place = tokens.at, tokens.place
    known = tokens.bodies.get(at)
    if known is None:
        try:
            known = (_body(tokens), tokens.at)
        except SettledError:
            raise
        except HogSyntaxError as error:
            known = error
        tokens.bodies[at] = known
    if isinstance(known, HogSyntaxError):
        raise known
    body, tokens.at = known
    return body if isinstance(body, nodes.Block) else climb(tokens, body, place, 0)


def _body(tokens: Tokens) -> nodes.Expr | nodes.Block:
    if not _is_surely_block(tokens):
        node = tokens.attempt(_brace_operand)
        if node is not None:
            return node
    return function_body(tokens)


def _brace_operand(tokens: Tokens) -> nodes.Expr:
    return brace(tokens, tokens.place)


def _is_surely_block(tokens: Tokens) -> bool:
    """Whether the first tokens behind a brace show that it cannot be an expression."""
    first, behind = tokens.kinds[tokens.at + 1], tokens.at + 2
    if first in ("if", "for") and tokens.kinds[behind] == "(":
        behind = tokens.closes.get(behind, behind) + 1
    elif first != "return":
        return first in _ONLY_STATEMENTS
    kind = tokens.kinds[behind]
    return kind not in OPERATORS and kind not in ("}", ":", ":=", "->", ",")

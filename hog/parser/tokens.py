"""The place in the tokens that the parser has come to, and the errors it finds there."""

from collections.abc import Callable
from typing import Final, NoReturn, TypeVar

from hog import nodes
from hog.errors import HogSyntaxError
from hog.parser.lexer import END, Lexer, quoted
from hog.parser.words import LITERALS, NAMES, RESERVED

MAX_SOURCE_BYTES: Final = 100_000
MAX_DEPTH: Final = 400
"""Expressions and statements within each other: brackets, functions, blocks, right sides of operators."""
MAX_CHAIN: Final = 500
"""Operators of one level in a row; each is inside the one behind it. `and`, `or` and `||` are lists and not counted."""
MAX_ELSE_IFS: Final = 1_000
"""`else if` in a row; each is inside the one before."""
MAX_BLOCKS: Final = 20
"""Loops, and what stands in `try` and `catch`, within each other in one function: Python has room for no more."""
_OPENING: Final = frozenset("([{")
_SHOWN: Final = 40
_SPARE: Final = 8
"""How many times as many tokens as there are may be read in vain."""
AnyNode = TypeVar("AnyNode")
_STARTS: Final = (
    NAMES | LITERALS | {"text", "integer", "octal", "number", "template", "<tag", "[", "{", "-", "*", "#", "bad"}
)
"""The kinds of tokens that an expression can begin with, whatever follows."""
_NUMBERS: Final = frozenset({"integer", "octal", "number", "inf", "infinity", "nan", "."})


class SettledError(HogSyntaxError):
    """An error that no other reading of the source can help."""


class Tokens:
    """What is read, and up to where. Functions of the parser take one of these and move `at` on."""

    __slots__ = (
        "_furthest",
        "at",
        "blocks",
        "bodies",
        "closes",
        "depth",
        "kinds",
        "lambdas",
        "places",
        "source",
        "texts",
        "wasted",
    )

    def __init__(self, source: str, mode: str) -> None:
        if len(source) > MAX_SOURCE_BYTES // 4 and len(source.encode("utf-8", "replace")) > MAX_SOURCE_BYTES:
            raise HogSyntaxError(f"the source is larger than {MAX_SOURCE_BYTES} bytes", 1, 1, source)
        lexer = Lexer(source).run(mode)
        self.source = source
        self.kinds = lexer.kinds
        self.texts = lexer.texts
        self.places = lexer.places
        self.closes = lexer.closes
        self.at = 0
        self.depth = 0
        self.blocks = 0
        self.lambdas: dict[int, int] = {}
        """Where the parameters of a lambda begin: the place of its arrow."""
        self.bodies: dict[int, tuple[nodes.Expr | nodes.Block, int] | HogSyntaxError] = {}
        """What the braces at a place have turned out to be as the body of a lambda, so that nothing is read twice."""
        self.wasted = 0
        self._furthest: tuple[int, HogSyntaxError] | None = None
        if "->" in lexer.kinds:
            self._find_lambdas()

    def _find_lambdas(self) -> None:
        """`a, b -> …` and `(a, b) -> …`: only the arrow tells them from a list, so each arrow is followed back."""
        kinds = self.kinds
        for arrow, kind in enumerate(kinds):
            if kind != "->":
                continue
            at = arrow - 1
            bracketed = at >= 0 and kinds[at] == ")"
            if bracketed:
                at -= 1
            if kinds[at] == ",":
                at -= 1
            first = at + 1
            while at >= 0 and kinds[at] in NAMES:
                first = at
                if not bracketed:
                    self.lambdas[first] = arrow
                if kinds[at - 1] != ",":
                    break
                at -= 2
            if bracketed and first >= 1 and kinds[first - 1] == "(":
                self.lambdas[first - 1] = arrow

    @property
    def kind(self) -> str:
        """The kind of the next token."""
        return self.kinds[self.at]

    @property
    def place(self) -> nodes.Position:
        """Where the next token stands."""
        return self.places[self.at]

    def take(self, kind: str) -> bool:
        """Step over the next token if it is of the kind."""
        if self.kinds[self.at] != kind:
            return False
        self.at += 1
        return True

    def expect(self, kind: str, why: str = "") -> None:
        """Step over the next token, which must be of the kind."""
        if self.kinds[self.at] != kind:
            raise self.unexpected(f", expected '{kind}'{why}")
        self.at += 1

    def close(self, kind: str, opening: int) -> None:
        """Step over the bracket that closes the one at `opening`."""
        found = self.kinds[self.at]
        if found != kind:
            line, bracket = self.places[opening].line, self.texts[opening]
            if found == END:
                raise self.unexpected(f": '{bracket}' in line {line} is not closed")
            where = f" to close '{bracket}' of line {line}" if line != self.places[self.at].line else ""
            raise self.unexpected(f", expected '{kind}'{where}")
        self.at += 1

    def name(self, what: str) -> str:
        """Step over a name."""
        kind = self.kinds[self.at]
        if kind not in NAMES:
            if kind in RESERVED or kind in LITERALS:
                raise self.unexpected(f": a word of the language cannot be {what}")
            raise self.unexpected(f", expected {what}")
        self.at += 1
        return self.texts[self.at - 1]

    def can_start(self, at: int) -> bool:
        """Whether an expression can begin with the token there."""
        kind = self.kinds[at]
        if kind == "(":
            return self.kinds[at + 1] != ")" or at in self.lambdas
        if kind in _STARTS:
            return True
        if kind == "+":
            return self.kinds[at + 1] in _NUMBERS
        return kind == "." and self.kinds[at + 1] in ("integer", "octal")

    def member_follows(self, at: int) -> bool:
        """Whether the dot there is followed by a name."""
        return self.kinds[at + 1] in NAMES

    def attempt(self, parse: Callable[["Tokens"], AnyNode]) -> AnyNode | None:
        """What `parse` makes of the tokens; None, and no step taken, when it cannot read them."""
        at, depth, blocks = self.at, self.depth, self.blocks
        try:
            return parse(self)
        except SettledError:
            raise
        except HogSyntaxError as error:
            self.give_up(at, error)
            self.depth, self.blocks = depth, blocks
            return None

    def give_up(self, at: int, error: HogSyntaxError) -> None:
        """Go back to where a reading began that led to the error.

        Tokens that were read in vain are counted, so that the time stays in proportion to the source.
        """
        self._note(error)
        self.wasted += self.at - at
        self.at = at
        if self.wasted > _SPARE * len(self.kinds):
            worst = self.worst(error)
            raise SettledError(worst.message, worst.line, worst.column, self.source) from None

    def _note(self, error: HogSyntaxError) -> None:
        if self._furthest is None or self.at > self._furthest[0]:
            self._furthest = (self.at, error)

    def worst(self, error: HogSyntaxError) -> HogSyntaxError:
        """Of the error and those of readings that were given up, the one furthest in the source."""
        self._note(error)
        return error if self._furthest is None or isinstance(error, SettledError) else self._furthest[1]

    def deeper(self) -> None:
        """One level further in."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.too_deep()

    def too_deep(self) -> SettledError:
        """The error at the next token that the nesting goes too far."""
        return self.settled("nested too deeply", self.at)

    def settled(self, message: str, at: int) -> SettledError:
        """An error at a token that no other reading can help."""
        place = self.places[at]
        return SettledError(message, place.line, place.column + 1, self.source)

    def error(self, message: str, at: int | None = None) -> HogSyntaxError:
        """An error at a token; the next one unless said otherwise."""
        place = self.places[self.at if at is None else at]
        return HogSyntaxError(message, place.line, place.column + 1, self.source)

    def unexpected(self, hint: str = "") -> HogSyntaxError:
        """The error that nothing can be made of the next token."""
        kind = self.kinds[self.at]
        if kind == "bad":
            return self.error(self.texts[self.at])
        if kind == "}" and self.at not in self.closes.values():
            hint = ": it closes nothing"
        if kind == END and not hint:
            hint = self._left_open()
        return self.error(f"unexpected {self._shown(kind)}{hint}")

    def _left_open(self) -> str:
        for at in range(self.at - 1, -1, -1):
            if self.kinds[at] in _OPENING and at not in self.closes:
                return f": '{self.kinds[at]}' in line {self.places[at].line} is not closed"
        return ""

    def _shown(self, kind: str) -> str:
        """The next token as the source has it, cut short."""
        if kind == END:
            return "end"
        if kind == "text":
            written = quoted(self.source, self.place.offset)
            return f"text {written}" if len(written) <= _SHOWN else f"text {written[:_SHOWN]}…"
        text = self.texts[self.at]
        return f"'{text}'" if len(text) <= _SHOWN else f"'{text[:_SHOWN]}…'"

    def refuse(self, hint: str = "") -> NoReturn:
        """Raise that error."""
        raise self.unexpected(hint)

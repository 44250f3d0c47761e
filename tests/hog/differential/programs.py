"""Makes up programs from a grammar: every statement and operator, and most of the library with plausible arguments.

Every choice is asked of a `Choices`, so that hypothesis can shrink what it finds. With `bounded`, a program ends by
itself: what would count a loop is assigned by nothing else, and a function calls only those before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from hypothesis import strategies as st

GLOBALS: Final[dict[str, Any]] = {
    "event": "order placed",
    "properties": {
        "price": 12.5,
        "count": 3,
        "tags": ["a", "b"],
        "name": "Ada",
        "deep": {"x": [1, {"y": 2}]},
        "no": None,
    },
    "flag": True,
}
_TEXTS: Final = (
    "''",
    "'a'",
    "'b'",
    "'Hello World'",
    "'a-b-c'",
    "' x '",
    "'1'",
    "'2.5'",
    "'true'",
    "'it\\'s'",
    "'öß'",
    "'a\\nb'",
    "'[1, 2]'",
    '\'{"a": {"b": 1}}\'',
)
_NUMBERS: Final = ("0", "1", "2", "3", "-1", "7", "10", "100", "0.5", "2.5", "-1.5", "1e3", "0x1F")
_DATES: Final = (
    "toDateTime('2024-02-29 12:30:45')",
    "toDateTime('2023-12-31T23:59:59Z')",
    "toDateTime(0)",
    "toDate('2024-03-10')",
)
_PATTERNS: Final = ("'a'", "'^H.*d$'", "'[a-c]+'", "'l{2}'", "'\\\\d+'", "'(o|x)'", "''")
_LIKES: Final = ("'%a%'", "'a%'", "'_'", "'%World'", "'A%'", "''")
_KEYS: Final = ("a", "b", "x", "price")
_COMPUTED_KEYS: Final = ("'a'", "event", "properties.name", "lower('X')", "'a' || 'b'", "f'{event}!'", "''")
_MATH: Final = ("+", "-", "*", "/", "%")
_ORDER: Final = ("<", "<=", ">", ">=")
_EQUALITY: Final = ("==", "!=", "=", "<>")
_CALENDAR_UNITS: Final = ("'day'", "'month'", "'year'")
_UNITS: Final = ("'day'", "'hour'", "'minute'", "'month'", "'year'")

NUMBER, TEXT, BOOLEAN, LIST, DICT, DATE, FUNCTION, ANY = (
    "number",
    "text",
    "boolean",
    "list",
    "dict",
    "date",
    "function",
    "any",
)
KINDS: Final = (NUMBER, TEXT, BOOLEAN, LIST, DICT)

LIBRARY: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "length": (NUMBER, (TEXT,)),
    "lower": (TEXT, (TEXT,)),
    "upper": (TEXT, (TEXT,)),
    "reverse": (TEXT, (TEXT,)),
    "trim": (TEXT, (TEXT,)),
    "trimLeft": (TEXT, (TEXT,)),
    "splitByString": (LIST, ("'-'", TEXT)),
    "replaceOne": (TEXT, (TEXT, "'a'", TEXT)),
    "replaceAll": (TEXT, (TEXT, "'l'", TEXT)),
    "position": (NUMBER, (TEXT, TEXT)),
    "positionCaseInsensitive": (NUMBER, (TEXT, TEXT)),
    "substring": (TEXT, (TEXT, "!number", "!number")),
    "startsWith": (BOOLEAN, (TEXT, TEXT)),
    "concat": (TEXT, (ANY, ANY)),
    "toString": (TEXT, (ANY,)),
    "toInt": (NUMBER, ("!text",)),
    "toFloat": (NUMBER, ("!text",)),
    "typeof": (TEXT, (ANY,)),
    "base64Encode": (TEXT, (TEXT,)),
    "encodeURLComponent": (TEXT, ("!text",)),
    "md5Hex": (TEXT, (TEXT,)),
    "sha256Hex": (TEXT, (TEXT,)),
    "round": (NUMBER, ("!number",)),
    "floor": (NUMBER, ("!number",)),
    "min2": (NUMBER, ("!number", "!number")),
    "plus": (ANY, ("!number", "!number")),
    "equals": (BOOLEAN, (ANY, ANY)),
    "isNull": (BOOLEAN, (ANY,)),
    "isNotNull": (BOOLEAN, (ANY,)),
    "empty": (BOOLEAN, (ANY,)),
    "notEmpty": (BOOLEAN, (ANY,)),
    "coalesce": (ANY, (ANY, ANY)),
    "arrayPushBack": (LIST, (LIST, ANY)),
    "arrayPushFront": (LIST, (LIST, ANY)),
    "arrayPopBack": (LIST, (LIST,)),
    "arrayPopFront": (LIST, (LIST,)),
    "arrayReverse": (LIST, (LIST,)),
    "arraySort": (LIST, ("!list",)),
    "arrayStringConcat": (TEXT, (LIST, "'-'")),
    "has": (BOOLEAN, (LIST, ANY)),
    "indexOf": (NUMBER, (LIST, ANY)),
    "keys": (LIST, (DICT,)),
    "values": (LIST, (DICT,)),
    "tuple": (ANY, (ANY, ANY)),
    "jsonParse": (ANY, ("'[1, {\"a\": null}]'",)),
    "jsonStringify": (TEXT, (ANY,)),
    "JSONHas": (BOOLEAN, (DICT, "'a'")),
    "JSONLength": (NUMBER, (DICT,)),
    "JSONExtractInt": (NUMBER, (DICT, "'a'")),
    "JSONExtractBool": (BOOLEAN, (DICT, "'a'")),
    "match": (BOOLEAN, (TEXT, "pattern")),
    "extractRegex": (TEXT, (TEXT, "pattern")),
    "multiSearchAnyCaseInsensitive": (NUMBER, (TEXT, LIST)),
    "dateAdd": (DATE, ("unit", "!number", "!date")),
    "dateDiff": (NUMBER, ("calendar unit", "!date", "!date")),
    "toUnixTimestamp": (NUMBER, ("!date",)),
    "toYear": (NUMBER, ("!date",)),
    "toStartOfMonth": (DATE, ("!date",)),
    "toStartOfWeek": (DATE, ("!date",)),
    "sortableSemver": (LIST, (TEXT,)),
}
"""The kind of the result, and of the arguments. One in quotes is Hog, one with `!` is always a literal of the kind."""


class Choices(Protocol):
    """Where decisions come from."""

    def below(self, count: int) -> int:
        """A whole number from 0 to `count - 1`."""


class Drawn:
    """Choices that hypothesis makes, and shrinks."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw

    def below(self, count: int) -> int:
        return int(self._draw(st.integers(0, count - 1)))


@dataclass
class _Variable:
    kind: str
    arity: int = 0
    fixed: bool = False
    """Whether nothing may be assigned to it."""


@dataclass
class Writer:
    """Writes one program."""

    choices: Choices
    bounded: bool = True
    misfit_percent: int = 8
    """How often an expression is of another kind than what is asked for."""
    _scopes: list[dict[str, _Variable]] = field(default_factory=lambda: [{}])
    _count: int = 0
    _budget: int = 40
    _loops: int = 0
    _in_function: bool = False

    def program(self) -> str:
        """A whole program."""
        return self._statements(2 + self.choices.below(6), 0)

    # Choosing

    def _pick(self, options: Sequence[Any]) -> Any:
        return options[self.choices.below(len(options))]

    def _chance(self, percent: int) -> bool:
        return self.choices.below(100) < percent

    def _new(self, kind: str, arity: int = 0, fixed: bool = False, initialiser: str = "") -> str:
        # Sometimes a name that is there already: it shadows. Not in its own initialiser, where it could not be read.
        inner = self._scopes[-1]
        outer = [name for scope in self._scopes[:-1] for name in scope if name not in inner and name not in initialiser]
        if outer and self._chance(15):
            name: str = self._pick(outer)
        else:
            self._count += 1
            name = f"{kind[0]}{self._count}"
        inner[name] = _Variable(kind, arity, fixed)
        return name

    def _visible(self, kind: str) -> list[str]:
        seen: dict[str, _Variable] = {}
        for scope in self._scopes:
            seen.update(scope)
        return [name for name, variable in seen.items() if variable.kind == kind]

    def _variable(self, name: str) -> _Variable:
        return next(scope[name] for scope in reversed(self._scopes) if name in scope)

    # Statements

    def _statements(self, count: int, depth: int) -> str:
        lines = []
        for _ in range(count):
            self._budget -= 1
            lines.append("  " * depth + self._statement(depth))
        return "\n".join(lines)

    def _block(self, depth: int, names: Sequence[tuple[str, _Variable]] = ()) -> str:
        self._scopes.append(dict(names))
        body = self._statements(1 + self.choices.below(3), depth + 1)
        self._scopes.pop()
        return "{\n" + body + "\n" + "  " * depth + "}"

    def _statement(self, depth: int) -> str:
        if depth > 3 or self._budget < 0:
            return self._pick((self._print, self._let))(depth)
        weighted = (
            *(self._print,) * 5,
            *(self._let,) * 5,
            *(self._assign,) * 3,
            *(self._assign_member,) * 2,
            *(self._if,) * 2,
            self._while,
            self._for,
            *(self._for_in,) * 2,
            *(self._function,) * 2,
            self._lambda_variable,
            *(self._try,) * 2,
            self._throw,
            self._return,
            self._bare_block,
            self._recursion,
        )
        return self._pick(weighted)(depth)

    def _print(self, depth: int) -> str:
        return f"print({', '.join(self.expression(ANY) for _ in range(1 + self.choices.below(3)))});"

    def _let(self, depth: int) -> str:
        kind = self._pick((*KINDS, DATE))
        value = self.expression(kind)
        return f"let {self._new(kind, initialiser=value)} := {value};"

    def _assign(self, depth: int) -> str:
        names = [name for kind in KINDS for name in self._visible(kind) if not self._variable(name).fixed]
        if not names:
            return self._print(depth)
        name = self._pick(names)
        return f"{name} := {self.expression(self._variable(name).kind)};"

    def _assign_member(self, depth: int) -> str:
        lists, dicts = self._visible(LIST), self._visible(DICT)
        if dicts and self._chance(60):
            member = self._pick((f".{self._pick(_KEYS)}", f"[{self._pick(_COMPUTED_KEYS)}]"))
            return f"{self._pick(dicts)}{member} := {self.expression(ANY)};"
        if lists:
            return f"{self._pick(lists)}[1] := {self.expression(ANY)};"
        return self._let(depth)

    def _if(self, depth: int) -> str:
        otherwise = f" else {self._block(depth)}" if self._chance(50) else ""
        return f"if ({self.expression(BOOLEAN)}) {self._block(depth)}{otherwise}"

    def _counter(self) -> str:
        return self._new(NUMBER, fixed=self.bounded)

    def _while(self, depth: int) -> str:
        counter = self._counter()
        condition = f"{counter} < {1 + self.choices.below(4)}"
        if self._chance(30):
            condition += f" and {self.expression(BOOLEAN)}"
        step = f"{counter} := {counter} + 1;" if self.bounded or self._chance(50) else ""
        return f"let {counter} := 0; while ({condition}) {{ {step} {self._block(depth)} }}"

    def _for(self, depth: int) -> str:
        self._scopes.append({})
        counter = self._counter()
        step = f"{counter} := {counter} + 1" if self.bounded or self._chance(70) else ""
        made = f"for (let {counter} := 0; {counter} < {1 + self.choices.below(4)}; {step}) {self._block(depth)}"
        self._scopes.pop()
        return made

    def _for_in(self, depth: int) -> str:
        collection = self.expression(self._pick((LIST, DICT, LIST)))
        self._scopes.append({})
        value = self._new(ANY)
        key = f"{self._new(TEXT)}, " if self._chance(50) else ""
        body = self._block(depth)
        self._scopes.pop()
        return f"for (let {key}{value} in {collection}) {body}"

    def _function(self, depth: int) -> str:
        kinds = [self._pick(KINDS) for _ in range(self.choices.below(3))]
        self._count += 1
        name = f"f{self._count}"
        if not self.bounded:
            self._scopes[-1][name] = _Variable(FUNCTION, len(kinds), fixed=True)
        parameters = [(f"p{self._count}{letter}", _Variable(kind)) for letter, kind in zip("ab", kinds, strict=False)]
        outside, self._in_function = self._in_function, True
        body = self._block(depth, parameters)
        self._in_function = outside
        self._scopes[-1][name] = _Variable(FUNCTION, len(kinds), fixed=True)
        return f"fun {name}({', '.join(parameter for parameter, _ in parameters)}) {body}"

    def _lambda_variable(self, depth: int) -> str:
        arity = self.choices.below(3)
        made = self._lambda([self._pick(KINDS) for _ in range(arity)])
        return f"let {self._new(FUNCTION, arity, fixed=True, initialiser=made)} := {made};"

    def _recursion(self, depth: int) -> str:
        self._count += 1
        name, ending = f"r{self._count}", f"if (n <= 0) {{ return {self.expression(ANY)} }}" if self.bounded else ""
        self._scopes[-1][name] = _Variable("recursion", 1, fixed=True)
        self._scopes.append({"n": _Variable(NUMBER, fixed=True)})
        call = f"{name}(n - 1)"
        step = self._pick((call, f"n + {call}", f"{call} || 'x'", f"[{call}, {self.expression(ANY)}]"))
        self._scopes.pop()
        return f"fun {name}(n) {{ {ending} return {step} }} print({name}({self.choices.below(6)}));"

    def _try(self, depth: int) -> str:
        body = self._block(depth)
        caught = self._pick(("", " (e)", " (err)", " (e: Error)", " (e: Custom)", " (err: RetryError)"))
        handler = self._block(depth, [("e", _Variable("error", fixed=True)), ("type", _Variable(TEXT, fixed=True))])
        rest = f" catch {self._block(depth)}" if self._chance(20) else ""
        return f"try {body} catch{caught} {handler}{rest}"

    def _throw(self, depth: int) -> str:
        error = self._pick(
            (
                f"Error({self.expression(TEXT)})",
                f"RetryError({self.expression(TEXT)}, {self.expression(ANY)})",
                f"HogError('Custom', {self.expression(TEXT)})",
                "NotImplementedError()",
            )
        )
        return f"if ({self.expression(BOOLEAN)}) {{ throw {error} }}"

    def _return(self, depth: int) -> str:
        if not self._in_function and depth == 0:
            return self._print(depth)
        return f"if ({self.expression(BOOLEAN)}) {{ return {self.expression(ANY)} }}"

    def _bare_block(self, depth: int) -> str:
        return self._block(depth)

    # Expressions

    def expression(self, kind: str, depth: int = 0) -> str:
        """An expression that gives, most of the time, a value of the kind."""
        self._budget -= 1
        if kind == ANY or self._chance(self.misfit_percent):
            kind = self._pick((*KINDS, *KINDS, DATE, "null", FUNCTION, ANY))
        variables = self._visible(kind)
        if variables and self._chance(40):
            return str(self._pick(variables))
        if depth > 1 or self._budget < 0 or self._chance(35):
            return self._literal(kind)
        return self._compound(kind, depth + 1)

    def _literal(self, kind: str) -> str:
        match kind:
            case "number":
                return str(self._pick((*_NUMBERS, "properties.price", "properties.count")))
            case "text":
                return str(self._pick((*_TEXTS, "event", "properties.name")))
            case "boolean":
                return str(self._pick(("true", "false", "flag")))
            case "list":
                return str(
                    self._pick(("[]", "[1, 2, 3]", "['b', 'a']", "[3, 1, 20]", "properties.tags", "[1, 'x', null]"))
                )
            case "dict":
                return str(self._pick(("{'a': 1}", "{'a': 1, 'b': [2]}", "{}", "properties", "properties.deep")))
            case "date":
                return str(self._pick(_DATES))
            case "function":
                return str(self._pick(("lower", "(x -> x)", "(() -> 1)", "((x, y) -> [y, x])")))
            case _:
                return "null"

    def _compound(self, kind: str, depth: int) -> str:
        made = {
            NUMBER: self._number,
            TEXT: self._text,
            BOOLEAN: self._boolean,
            LIST: self._list,
            DICT: self._dict,
            FUNCTION: lambda depth: f"({self._lambda([ANY])})",
        }.get(kind)
        general = self._pick((self._conditional, self._call, self._member, self._library))
        if made is None or self._chance(25):
            return str(general(kind, depth))
        return str(made(depth)) if self._chance(60) else self._library(kind, depth)

    def _number(self, depth: int) -> str:
        left, right = self.expression(NUMBER, depth), self.expression(NUMBER, depth)
        return f"({left} {self._pick(_MATH)} {right})"

    def _text(self, depth: int) -> str:
        if self._chance(30):
            return f"f'<{{{self._plain(ANY, depth)}}}>'"
        return f"({self.expression(ANY, depth)} || {self.expression(TEXT, depth)})"

    def _plain(self, kind: str, depth: int) -> str:
        """An expression that may stand in a template: there, a brace at its start is none."""
        return f"({self.expression(kind, depth)})"

    def _boolean(self, depth: int) -> str:
        match self.choices.below(9):
            case 0:
                return f"({self.expression(NUMBER, depth)} {self._pick(_ORDER)} {self.expression(NUMBER, depth)})"
            case 1:
                return f"({self.expression(TEXT, depth)} {self._pick(_ORDER)} {self.expression(TEXT, depth)})"
            case 2:
                return f"({self.expression(ANY, depth)} {self._pick(_EQUALITY)} {self.expression(ANY, depth)})"
            case 3:
                return f"(not {self.expression(ANY, depth)})"
            case 4:
                word = self._pick(("and", "or"))
                return f"({self.expression(ANY, depth)} {word} {self.expression(BOOLEAN, depth)})"
            case 5:
                holder = self._pick((LIST, TEXT, DICT))
                return (
                    f"({self.expression(ANY, depth)} {self._pick(('in', 'not in'))} {self.expression(holder, depth)})"
                )
            case 6:
                word = self._pick(("like", "ilike", "not like", "not ilike"))
                return f"({self.expression(TEXT, depth)} {word} {self._pick(_LIKES)})"
            case 7:
                operator = self._pick(("=~", "!~", "=~*", "!~*"))
                return f"({self.expression(TEXT, depth)} {operator} {self._pick(_PATTERNS[:-1])})"
            case _:
                low, high = self.expression(NUMBER, depth), self.expression(NUMBER, depth)
                word = self._pick(("between", "not between"))
                return f"({self.expression(NUMBER, depth)} {word} {low} and {high})"

    def _list(self, depth: int) -> str:
        if self._chance(35):
            function = self._pick(("arrayMap", "arrayFilter"))
            return f"{function}({self._lambda([ANY])}, {self.expression(LIST, depth)})"
        items = ", ".join(self.expression(ANY, depth) for _ in range(self.choices.below(4)))
        if self._chance(15):
            return f"tuple({items})"
        return f"[{items}]"

    def _dict(self, depth: int) -> str:
        keys = [f"'{self._pick(_KEYS)}'" for _ in range(self.choices.below(3))]
        pairs = [f"{key}: {self.expression(ANY, depth)}" for key in keys]
        if self._chance(15):
            pairs.append(f"{self._pick(_NUMBERS)}: {self.expression(ANY, depth)}")
        return f"{{{', '.join(pairs)}}}"

    def _lambda(self, kinds: Sequence[str]) -> str:
        self._count += 1
        parameters = [(f"x{self._count}{letter}", _Variable(kind)) for letter, kind in zip("ab", kinds, strict=False)]
        names = ", ".join(name for name, _ in parameters)
        self._scopes.append(dict(parameters))
        outside, self._in_function = self._in_function, True
        if self._chance(25):
            statement = self._pick((self._print, self._assign))(9)
            body = f"{{ {statement} return {self.expression(ANY, 2)}; }}"
        else:
            body = f"({self.expression(ANY, 2)})"
        self._in_function = outside
        self._scopes.pop()
        return f"({names}) -> {body}"

    def _conditional(self, kind: str, depth: int) -> str:
        first, second = self.expression(kind, depth), self.expression(kind, depth)
        match self.choices.below(4):
            case 0:
                return f"({self.expression(BOOLEAN, depth)} ? {first} : {second})"
            case 1:
                return f"({first} ?? {second})"
            case 2:
                return f"if({self.expression(ANY, depth)}, {first}, {second})"
            case _:
                return f"case when {self.expression(BOOLEAN, depth)} then {first} else {second} end"

    def _call(self, kind: str, depth: int) -> str:
        functions = self._visible(FUNCTION)
        if not functions:
            return self._literal(kind)
        name = self._pick(functions)
        count = self._variable(name).arity
        if self._chance(10):
            count += self._pick((-1, 1))
        return f"{name}({', '.join(self.expression(ANY, depth) for _ in range(count))})"

    def _member(self, kind: str, depth: int) -> str:
        match self.choices.below(4):
            case 0:
                return f"{self.expression(LIST, depth)}[{self._pick((1, 2, 3, -1, 9))}]"
            case 1:
                return f"{self.expression(DICT, depth)}.{self._pick(_KEYS)}"
            case 2:
                return f"{self.expression(DICT, depth)}?.{self._pick(_KEYS)}"
            case _:
                return f"{self.expression(DICT, depth)}[{self._pick(_COMPUTED_KEYS)}]"

    def _library(self, kind: str, depth: int) -> str:
        names = [name for name, (result, _) in LIBRARY.items() if result in (kind, ANY) or kind == ANY]
        if not names:
            return self._literal(kind)
        name = self._pick(names)
        return f"{name}({', '.join(self._argument(wanted, depth) for wanted in LIBRARY[name][1])})"

    def _argument(self, wanted: str, depth: int) -> str:
        if wanted.startswith("'"):
            return wanted
        if wanted.startswith("!"):
            return self._literal(wanted[1:])
        literals = {"pattern": _PATTERNS, "unit": _UNITS, "calendar unit": _CALENDAR_UNITS}.get(wanted)
        return str(self._pick(literals)) if literals else self.expression(wanted, depth)

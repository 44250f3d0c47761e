"""What we decided otherwise than PostHog's TypeScript machine, given to that machine, so that all the rest compares.

Each decision stands in the table of docs/hog.md. Here it is a piece of Hog: a function of the library is declared anew
in front of the program, and an operator becomes a call. What cannot be said in Hog is left out by `programs.py`.
"""

import re
from functools import cache
from typing import Any, Final

from hog import nodes, parser

_NULL_GIVES_NULL: Final = (
    "upper(s)",
    "reverse(s)",
    "trim(s)",
    "trimLeft(s)",
    "encodeURLComponent(s)",
    "replaceOne(s, a, b)",
    "replaceAll(s, a, b)",
)


def _null_tolerant(signature: str) -> str:
    name = signature.partition("(")[0]
    return f"let _{name} := {name}; fun {name}{signature[len(name) :]} {{ return s == null ? null : _{signature} }}"


PRELUDE: Final = f"""
// Null given to text functions is null; here it ends the program.
{" ".join(map(_null_tolerant, _NULL_GIVES_NULL))}
let _split := splitByString;
fun splitByString(by, s) {{ return s == null ? null : _split(by, s) }}
let _length := length;
fun length(x) {{ return x == null ? null : typeof(x) == 'object' ? _length(keys(x)) : _length(x) }}

// Null, dictionaries and functions order with nothing, nor do arrays of anything but numbers, nor dates with text that
// is none; here they are 0 or text.
fun _ordered(a, b) {{
  let left := typeof(a) in ['array', 'tuple'];
  let right := typeof(b) in ['array', 'tuple'];
  if (left and right) {{
    return not arrayExists(x -> not (typeof(x) in ['integer', 'float']), a)
       and not arrayExists(x -> not (typeof(x) in ['integer', 'float']), b)
  }}
  let dates := ['date', 'datetime'];
  if ((typeof(a) in dates) != (typeof(b) in dates)) {{
    return match(typeof(a) in dates ? b : a, '^\\\\d{{4}}-\\\\d\\\\d-\\\\d\\\\d')
  }}
  let none := ['null', 'object', 'function', 'error'];
  return not (left or right or typeof(a) in none or typeof(b) in none)
}}
fun _less(b, a) {{ return _ordered(a, b) ? a < b : false }}
fun _lessOrEqual(b, a) {{ return _ordered(a, b) ? a <= b : false }}
fun _greater(b, a) {{ return _ordered(a, b) ? a > b : false }}
fun _greaterOrEqual(b, a) {{ return _ordered(a, b) ? a >= b : false }}
fun _between(low, x, high) {{ return _greaterOrEqual(low, x) and _lessOrEqual(high, x) }}
fun _outside(low, x, high) {{ return _less(low, x) or _greater(high, x) }}

// `in` tests the keys of a dictionary; here it ends the program. In a text, `in` and patterns see containers as they
// print; here as JavaScript prints them.
let _plain := ['null', 'boolean', 'integer', 'float', 'string'];
fun _text(x) {{ return typeof(x) in _plain ? x : toString(x) }}
fun _in(holder, item) {{
  if (typeof(holder) == 'object') {{ return has(keys(holder), item) }}
  return typeof(holder) == 'string' ? _text(item) in holder : item in holder
}}
fun _notIn(holder, item) {{ return not _in(holder, item) }}

// An array is joined as `||` joins; here JavaScript joins it.
let _join := arrayStringConcat;
fun arrayStringConcat(xs, by) {{
  return typeof(xs) in ['array', 'tuple'] ? _join(arrayMap(x -> concat(x), xs), by) : ''
}}

// A container is no number; here one without items is 0, and one of one item is that item.
fun _number(x) {{ return typeof(x) in ['array', 'tuple'] ? nan : x }}

// Dates, errors and functions hold nothing that could be walked; here they are dictionaries.
fun _walk(x) {{ return typeof(x) in ['date', 'datetime', 'error', 'function'] ? [] : x }}
fun _orNothing(x) {{ return x ?? [] }}
let _keys := keys;
let _values := values;
fun keys(x) {{ return x == null ? [] : _keys(_walk(x)) }}
fun values(x) {{ return x == null ? [] : _values(_walk(x)) }}

// Numbers are sorted by size; here as text.
let _arraySort := arraySort;
fun arraySort(xs) {{
  if (not (typeof(xs) in ['array', 'tuple'])) {{ return [] }}
  for (let x in xs) {{ if (not (typeof(x) in ['integer', 'float'])) {{ return _arraySort(xs) }} }}
  let sorted := [];
  for (let x in xs) {{
    let before := arrayFilter(y -> y <= x, sorted);
    let after := arrayFilter(y -> y > x, sorted);
    sorted := arrayPushBack(before, x);
    for (let y in after) {{ sorted := arrayPushBack(sorted, y) }}
  }}
  return sorted
}}
"""
_OPERATORS: Final = {
    "<": "_less",
    "<=": "_lessOrEqual",
    ">": "_greater",
    ">=": "_greaterOrEqual",
    "in": "_in",
    "not in": "_notIn",
}
_MATCHING: Final = frozenset(f"{negation}{operator}" for operator in ("like", "ilike") for negation in ("", "not ")) | {
    "=~",
    "!~",
    "=~*",
    "!~*",
}
_CALLBACKS: Final = ("arrayMap", "arrayFilter", "arrayExists", "arrayCount", "arrayReduce")
_JAVASCRIPT: Final = re.compile(
    r"Cannot (?:read|convert|use|set) |is not a function|is not iterable|must be of type|Invalid array length"
)
_REFUSED: Final = re.compile(r" needs an? [a-z ]+, got |on a value of the type tuple$|Array access starts from 1$")
_LONG_NUMBER: Final = re.compile(r"(?<![\w.])-?\d{16,}(?![\w.])")


def with_our_choices(program: nodes.Program) -> nodes.Program:
    """The tree of a program, for the other machine."""
    changed: nodes.Program = _changed(program)
    return nodes.Program(declarations=[*_prelude().declarations, *changed.declarations])


@cache
def _prelude() -> nodes.Program:
    return parser.parse_program(PRELUDE)


def same_numbers(text: str) -> str:
    """Integers are exact here and doubles there: as many digits as a double has."""
    return _LONG_NUMBER.sub(lambda match: f"{float(match[0]):.12e}", text)


def _changed(item: Any) -> Any:
    if isinstance(item, list):
        return [_changed(part) for part in item]
    if isinstance(item, tuple):
        return tuple(_changed(part) for part in item)
    if not isinstance(item, nodes.Node):
        return item
    changed = type(item)(**{name: _changed(getattr(item, name)) for name in item.__struct_fields__})
    match changed:
        case nodes.ArithmeticOperation():
            changed.left, changed.right = (_wrapped("_number", side) for side in (changed.left, changed.right))
        case nodes.CompareOperation(op=op) if op in _MATCHING:
            changed.left = _wrapped("_text", changed.left)
        case nodes.Call(name=name, args=[text, pattern]) if name in ("match", "extractRegex"):
            changed.args = [_wrapped("_text", text), pattern]
        case nodes.ForInStatement():
            changed.expr = _wrapped("_walk", changed.expr)
        case nodes.Call(name=name, args=[function, items, *rest]) if name in _CALLBACKS:
            changed.args = [function, _wrapped("_walk", _wrapped("_orNothing", items)), *rest]
        case nodes.CompareOperation(op=op) if op in _OPERATORS:
            return nodes.Call(name=_OPERATORS[op], args=[changed.right, changed.left])
        case nodes.BetweenExpr():
            name = "_outside" if changed.negated else "_between"
            return nodes.Call(name=name, args=[changed.low, changed.expr, changed.high])
    return changed


def _wrapped(name: str, node: nodes.Expr) -> nodes.Call:
    return nodes.Call(name=name, args=[node])


def javascript_failed(message: str) -> bool:
    """Whether the other machine met a value that its JavaScript cannot handle. Hog has no say in that.

    Here such a value gives null, or a failure with a message of its own.
    """
    return _JAVASCRIPT.search(message) is not None


def we_refuse(message: str) -> bool:
    """Whether we refuse an argument of a wrong type with a message, where the other machine makes something of it."""
    return _REFUSED.search(message) is not None

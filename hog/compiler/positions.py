"""Positions of the source on Python syntax, by which errors find their way back.

Python's own walker asks each node for all of its fields, and took half of the time of compiling; this one knows which
fields of what the compiler makes hold other nodes.
"""

import ast
from typing import Final

from hog import nodes

_PARTS: Final[dict[type[ast.AST], tuple[str, ...]]] = {
    ast.Assign: ("targets", "value"),
    ast.Attribute: ("value",),
    ast.BinOp: ("left", "right"),
    ast.BoolOp: ("values",),
    ast.Call: ("func", "args"),
    ast.Compare: ("left", "comparators"),
    ast.Constant: (),
    ast.Dict: ("keys", "values"),
    ast.Expr: ("value",),
    ast.IfExp: ("test", "body", "orelse"),
    ast.List: ("elts",),
    ast.Name: (),
    ast.NamedExpr: ("target", "value"),
    ast.Return: ("value",),
    ast.Subscript: ("value", "slice"),
    ast.Tuple: ("elts",),
    ast.UnaryOp: ("operand",),
}


def parts(item: ast.AST) -> list[ast.AST]:
    """The nodes directly within a node, but for those that have no position and nothing within."""
    names = _PARTS.get(item.__class__)
    if names is None:
        return list(ast.iter_child_nodes(item))
    found: list[ast.AST] = []
    for name in names:
        part = getattr(item, name)
        if part.__class__ is list:
            found += part
        elif part is not None:
            found.append(part)
    return found


def place(tree: ast.AST, node: nodes.Node) -> None:
    """Give `tree`, and what in it has no position yet, the position of `node`."""
    start = node.start
    if start is None:
        return
    line, column = start.line, max(0, start.column)
    waiting: list[ast.AST] = [tree]
    while waiting:
        item = waiting.pop()
        if "lineno" in item._attributes:
            if "lineno" in item.__dict__:
                continue
            item.lineno = item.end_lineno = line  # type: ignore[attr-defined]
            item.col_offset = item.end_col_offset = column  # type: ignore[attr-defined]
        waiting += parts(item)


def set_position(statement: ast.stmt, node: nodes.Node) -> ast.stmt:
    """The statement, with the position of `node` wherever it has none."""
    place(statement, node)
    return statement


def inherit(tree: ast.AST) -> list[ast.Call]:
    """Give what has no position that of what it stands in; all the calls, since everything is looked at here."""
    calls: list[ast.Call] = []
    waiting = [(tree, 1, 0)]
    while waiting:
        item, line, column = waiting.pop()
        if "lineno" in item._attributes:
            known = item.__dict__
            if "lineno" in known:
                line, column = known["lineno"], known["col_offset"]
            else:
                item.lineno = item.end_lineno = line  # type: ignore[attr-defined]
                item.col_offset = item.end_col_offset = column  # type: ignore[attr-defined]
        if item.__class__ is ast.Call:
            calls.append(item)
        waiting += [(part, line, column) for part in parts(item)]
    return calls

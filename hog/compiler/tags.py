"""HogQLX tags to Python syntax: `<Card title='x'>…</Card>` is a dictionary, or a call where `Card` is a variable."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from hog import nodes
from hog.compiler.code import Code, constant

if TYPE_CHECKING:
    from hog.compiler.lowering import Lowering


def lower_tag(lowering: Lowering, node: nodes.HogQLXTag) -> Code:
    """The attributes in the order of the source, children last, as the parser has them."""
    component = lowering.local(node.kind, node)
    fields = [] if component is not None else [("__hx_tag", constant(node.kind))]
    fields += [(attribute.name, _value(lowering, attribute)) for attribute in node.attributes]
    keys: list[ast.expr | None] = [ast.Constant(key) for key, _ in fields]
    made = Code(ast.Dict(keys, [value.tree for _, value in fields]))
    if component is None:
        return made
    lowering.fenced = True
    return Code(ast.Call(ast.Name("call_value", ast.Load()), [lowering.read(component).tree, made.tree], []))


def _value(lowering: Lowering, attribute: nodes.HogQLXAttribute) -> Code:
    if isinstance(attribute.value, list):
        return Code(ast.List([lowering.expression(child).tree for child in attribute.value], ast.Load()))
    return lowering.expression(attribute.value)

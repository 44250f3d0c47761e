"""From source text to programs: the ways in."""

from hog import nodes, parser
from hog.compiler import compile_tree
from hog.json_text import without_lone_surrogates
from hog.names import Names
from hog.program import Program


def program(source: str, *, names: Names | None = None) -> Program:
    """Compile a program of statements, such as a destination's code."""
    source = without_lone_surrogates(source)
    return compile_node(parser.parse_program(source), names=names, source=source)


def expression(source: str, *, names: Names | None = None) -> Program:
    """Compile one expression, such as a filter."""
    source = without_lone_surrogates(source)
    return compile_node(parser.parse_expression(source), names=names, source=source)


def template(text: str, *, names: Names | None = None) -> Program:
    """Compile a text with `{…}` pieces. A text that is one single piece gives that piece's value with its type."""
    text = without_lone_surrogates(text)
    return compile_node(parser.parse_template(text), names=names, source=text)


def template_parts(text: str, *, names: Names | None = None) -> list[str | Program]:
    """The literal pieces of a template and its `{…}` pieces, in order, for a caller that joins them in its own way."""
    text = without_lone_surrogates(text)
    return [
        piece if isinstance(piece, str) else _compiled(piece.node, names, text, piece.written)
        for piece in parser.parse_pieces(text)
    ]


def conjuncts(whole: Program) -> list[Program]:
    """The operands of a top-level `and`, each compiled by itself; the program alone when there is none."""
    if not isinstance(whole.node, nodes.And):
        return [whole]
    return [compile_node(operand, names=whole.names, source=whole.source) for operand in whole.node.exprs]


def compile_node(node: nodes.Expr | nodes.Program, *, names: Names | None = None, source: str = "") -> Program:
    """Compile a tree. `source` is the text its positions refer to."""
    return _compiled(node, names, source, source)


def _compiled(node: nodes.Expr | nodes.Program, names: Names | None, source: str, written: str) -> Program:
    return Program(source, node, names, compile_tree(node, names, source), written)

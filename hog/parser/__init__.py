"""Source text to syntax tree, in time that grows with its length. It resolves no name and evaluates nothing."""

from hog.parser.entry import parse_expression, parse_pieces, parse_program, parse_template
from hog.parser.templates import Piece

__all__ = ["Piece", "parse_expression", "parse_pieces", "parse_program", "parse_template"]

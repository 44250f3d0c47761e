"""A compiled Liquid template: what it reads, and its text for the globals of one event."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import liquid.exceptions as errors
from liquid import BoundTemplate, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.expression import Expression

from catalog.problem import suggestion
from destinations.globals import TEMPLATE_ROOTS
from destinations.liquid.bounds import BoundedRange
from destinations.liquid.engine import ENGINE
from destinations.liquid.source import LiquidError, Source

Chain = tuple[str, ...]
NOW = "now"
_NO_PARTIALS = {f"unexpected tag '{name}'": name for name in ("include", "render", "layout", "block", "extends")}


class Read(NamedTuple):
    """A global that the template reads, and where."""

    chain: Chain
    offset: int


class LiquidProgram:
    """One template."""

    def __init__(self, written: str, source: Source, template: BoundTemplate) -> None:
        """Raises LiquidError for filters that do not exist."""
        self._written = written
        self._source = source
        self._template = template
        self.is_constant = not source.has_tags
        self.reads = tuple(_reads(source, template))
        self.chains = frozenset(read.chain for read in self.reads)

    def __call__(self, globals: Mapping[str, Any]) -> str:
        """The text; raises LiquidError."""
        try:
            return self._template.render({**globals, NOW: datetime.now(UTC)})
        except errors.LiquidError as error:
            found = _error(error, self._source)
            line = self._written.count("\n", 0, found.offset) + 1
            raise LiquidError(f"{found.message} (line {line})", found.offset) from None
        except Exception as error:  # noqa: BLE001 - filters meet whatever an event holds
            raise LiquidError(f"a filter cannot take this value: {type(error).__name__}: {error}") from None


def compile_liquid(written: str) -> LiquidProgram:
    """Compile a template; raises LiquidError."""
    source = Source(written)
    try:
        template = ENGINE.from_string(source.text)
    except errors.LiquidError as error:
        raise _error(error, source) from None
    for node in template.nodes:
        for expression in _expressions(node, template):
            if type(expression) is RangeLiteral:
                # The parser has no place for a class of ours; the two are laid out alike.
                expression.__class__ = BoundedRange
    return LiquidProgram(written, source, template)


def _expressions(node: Node, template: BoundTemplate) -> Iterator[Expression]:
    pending = list(node.expressions())
    while pending:
        expression = pending.pop()
        yield expression
        pending.extend(expression.children())
    for child in node.children(RenderContext(template), include_partials=False):
        yield from _expressions(child, template)


def _reads(source: Source, template: BoundTemplate) -> Iterator[Read]:
    analysis = template.analyze(include_partials=False)
    for name, spans in analysis.filters.items():
        if name not in ENGINE.filters:
            known = suggestion(name, sorted(ENGINE.filters)).partition("; known:")[0]
            raise LiquidError(f"unknown filter '{name}'{known}", source.written_offset(spans[0].index))
    for root in sorted(analysis.locals.keys() & {*TEMPLATE_ROOTS, NOW}):
        # Until then the name would still mean the global, and nobody could tell what the template reads.
        offset = source.written_offset(analysis.locals[root][0].span.index)
        raise LiquidError(f"`{root}` is there already: choose another name", offset)
    for root, variables in analysis.globals.items():
        for variable in variables:
            offset = source.written_offset(variable.span.index)
            if not isinstance(variable.segments[0], str):
                raise LiquidError("a variable must begin with a name", offset)
            if root != NOW and root not in analysis.locals:
                yield Read(_chain(variable.segments), offset)


def _chain(segments: list[Any]) -> Chain:
    """The names from the root on, up to what only an event can tell."""
    chain: list[str] = []
    for segment in segments:
        if not isinstance(segment, str):
            break
        chain.append(segment)
    return tuple(chain)


def _error(error: errors.LiquidError, source: Source) -> LiquidError:
    message = str(error.message or type(error).__name__)
    if isinstance(error.__cause__, RecursionError):
        message = "the template is nested too deeply"
    if message in _NO_PARTIALS:
        message = f"tag '{_NO_PARTIALS[message]}' does not exist here: there are no other templates to take in"
    index = error.token.start_index if error.token is not None else 0
    return LiquidError(message, source.written_offset(max(index, 0)))

"""python-liquid, set up as LiquidJS is in PostHog: output is escaped, no files are read, nothing runs without end."""

import html
import time
from collections.abc import Callable
from typing import Any, TextIO

from liquid import BoundTemplate, Environment, RenderContext
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.cycle_tag import CycleNode, CycleTag
from liquid.builtin.tags.echo_tag import EchoTag
from liquid.exceptions import ResourceLimitError
from liquid.token import Token

from destinations.liquid.bounds import MAX_LOCALS_BYTES, MAX_OUTPUT_BYTES, TIME_S, check_size
from destinations.liquid.filters import LEFT_OUT, OWN, within_bounds
from destinations.liquid.shown import shown


def escaped(value: Any) -> str:
    """As LiquidJS escapes."""
    check_size(value)
    return html.escape(shown(value)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


class _Context(RenderContext):
    """Looks at the thread's own clock with every node, variable and filter: a busy machine is nobody's fault."""

    __slots__ = ("_ends_at", "_none_disabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._ends_at = time.thread_time() + TIME_S
        super().__init__(*args, **kwargs)

    @property
    def disabled_tags(self) -> list[str]:
        # Read by every node before it is rendered: the one place that all of them pass.
        self._look()
        return self._none_disabled

    @disabled_tags.setter
    def disabled_tags(self, names: list[str]) -> None:
        self._none_disabled = names

    def get(self, *args: Any, **kwargs: Any) -> object:
        self._look()
        return super().get(*args, **kwargs)

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        self._look()
        return super().filter(name, token)

    def _look(self) -> None:
        if time.thread_time() > self._ends_at:
            raise ResourceLimitError(f"it takes longer than {TIME_S * 1000:.0f} ms", token=None)


class _Template(BoundTemplate):
    context_class = _Context


class _EscapedNode(OutputNode):
    """`{{ … }}` and `{% echo … %}`: escaped, unless the last filter is `raw`."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        value = self.expression.evaluate(context)
        if _ends_in_raw(self.expression):
            check_size(value)
            return buffer.write(shown(value))
        return buffer.write(escaped(value))


class _EscapedCycle(CycleNode):
    """`{% cycle … %}`, whose values may come from the event, too."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        values = [value.evaluate(context) for value in self.args]
        group = "" if self.group is None else shown(self.group.evaluate(context))
        check_size(values)
        index = context.cycle(group or str(values), len(values))
        return buffer.write(escaped(values[index])) if index < len(values) else 0


class _Output(Output):
    node_class = _EscapedNode


class _Echo(EchoTag):
    node_class = _EscapedNode  # type: ignore[assignment]


class _Cycle(CycleTag):
    node_class = _EscapedCycle


def _ends_in_raw(expression: object) -> bool:
    filters = expression.filters if isinstance(expression, FilteredExpression) else None
    return bool(filters) and filters[-1].name == "raw" if filters else False


class Engine(Environment):
    """The one environment. Templates of it may be rendered by several threads."""

    template_class = _Template
    output_stream_limit = MAX_OUTPUT_BYTES
    local_namespace_limit = MAX_LOCALS_BYTES
    suppress_blank_control_flow_blocks = False
    logical_not_operator = True

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """What LiquidJS has. There is nothing that `include` or `render` could find."""
        super().setup_tags_and_filters(extra=extra)
        for tag in (_Output, _Echo, _Cycle):
            self.add_tag(tag)
        for name in ("include", "render", "ifchanged", "doc"):
            self.tags.pop(name, None)
        for name in LEFT_OUT:
            self.filters.pop(name, None)
        self.filters.update(OWN)
        for name, original in list(self.filters.items()):
            self.filters[name] = within_bounds(name, original)


ENGINE = Engine()

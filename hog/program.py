"""A compiled source. Calling it evaluates it; what goes wrong comes out as one family of errors."""

import math
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

from hog import nodes
from hog.compiler import Compiled
from hog.errors import HogLimitError, HogRuntimeError, HogThrownError
from hog.json_text import check_size
from hog.names import Chain, Names
from hog.runtime.errors import Failure, LimitFailure, Thrown
from hog.runtime.limits import CODE, EXPRESSION_LIMITS, BudgetNeededError, Limits
from hog.runtime.run import Run, depth_exceeded

_CONTAINERS: Final = (list, tuple, dict)
_PLAIN_MESSAGES: Final = {
    RecursionError: "values or calls are nested too deeply",
    MemoryError: "out of memory",
    OverflowError: "a number is too large",
}


class Program:
    """Immutable. It may be called from any thread; it never changes the globals it is given."""

    __slots__ = ("_fenced", "_run", "chains", "constant", "names", "node", "roots", "source", "written")

    def __init__(
        self,
        source: str,
        node: nodes.Expr | nodes.Program,
        names: Names | None,
        compiled: Compiled,
        written: str | None = None,
    ) -> None:
        self.source: Final = source
        """The text that positions refer to."""
        self.written: Final = source if written is None else written
        """The part of it that this is: of a template, one piece."""
        self.node: Final = node
        """The tree: an expression, unless the source is a program of statements."""
        self.names: Final = names
        self.chains: Final[frozenset[Chain]] = compiled.chains
        """The dotted reads of globals: `('person', 'properties', 'email')`."""
        self.roots: Final = frozenset(chain[0] for chain in compiled.chains)
        """The globals that it reads."""
        self.constant: Final = compiled.constant
        """Whether every evaluation gives the same: it reads no global, no clock and no chance."""
        self._run: Final = compiled.run
        self._fenced: Final = compiled.fenced

    @property
    def expression(self) -> nodes.Expr:
        """The tree of a source that is an expression."""
        assert not isinstance(self.node, nodes.Program)
        return self.node

    def __call__(self, globals: Mapping[str, Any], run: Run | None = None) -> Any:
        """The value of the expression, or what the program returns; raises `HogRuntimeError` and nothing else.

        `run` is the environment; without one there are no effects, and the budgets are those of filters and templates.
        """
        try:
            if not self._fenced and run is None:
                try:
                    return self._run(globals)
                except BudgetNeededError:
                    # It has no effects: nobody sees that it has begun once before.
                    pass
            return self._evaluate(globals, run or Run(self._limits()))
        except Exception as error:  # noqa: BLE001  # whatever goes wrong inside is an error of the program
            raise self._located(error, error.__traceback__) from None

    def _evaluate(self, globals: Mapping[str, Any], run: Run) -> Any:
        token = run.enter(globals)
        try:
            if not self._fenced:
                return self._run(globals)
            result = self._run(globals, run.tick, run.call)
            if type(result) in _CONTAINERS and not isinstance(self.node, nodes.Program):
                # Its host will write it: a few arrays that hold each other twice have no end, and nothing could stop
                # that. How deep it may be is for the writer to say.
                check_size(result, math.inf)
            return result
        except RecursionError:
            raise depth_exceeded(run.limits.depth) from None
        finally:
            run.leave(token)

    def _limits(self) -> Limits:
        return Limits() if isinstance(self.node, nodes.Program) else EXPRESSION_LIMITS

    def __repr__(self) -> str:
        """The source."""
        return f"Program({self.source!r})"

    def _located(self, error: Exception, traceback: TracebackType | None) -> HogRuntimeError:
        line, column = _innermost_position(traceback)
        if isinstance(error, Thrown):
            return HogThrownError(error.error, line, column, self.source)
        limit = isinstance(error, LimitFailure | MemoryError | RecursionError)
        return (HogLimitError if limit else HogRuntimeError)(self._message(error), line, column, self.source)

    def _message(self, error: Exception) -> str:
        if isinstance(error, Failure):
            return str(error)
        if isinstance(error, KeyError) and error.args and error.args[0] in self.roots:
            return f"Global variable not found: {error.args[0]}"
        for kind, message in _PLAIN_MESSAGES.items():
            if isinstance(error, kind):
                return message
        return f"cannot be evaluated: {error}"


def _innermost_position(traceback: TracebackType | None) -> tuple[int, int]:
    """Where in the source the innermost compiled code was: the code carries the positions of the source."""
    line, column = 1, 1
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename == CODE:
            positions = list(code.co_positions())[traceback.tb_lasti // 2]
            line, column = positions[0] or 1, (positions[2] or 0) + 1
        traceback = traceback.tb_next
    return line, column

"""How a library function is registered: its name, how many arguments it takes, one line of prose, examples."""

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Any, Final, TypeVar

from hog.runtime.values import FunctionValue

FUNCTIONS: Final[dict[str, "Function"]] = {}
"""Every function of the library, by the name a program calls it by."""

Implementation = Callable[..., Any]
AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


class Function(FunctionValue):
    """One function of the library."""

    __slots__ = ("effect", "exact", "examples", "family", "leaps", "most", "needs", "prose", "pure", "signature")

    def __init__(
        self,
        name: str,
        call: Implementation,
        needs: int,
        most: int | None,
        pure: bool,
        leaps: bool,
        effect: bool,
        exact: bool,
        examples: Sequence[tuple[str, str]],
    ) -> None:
        super().__init__(name, most or 0, call)
        self.needs: Final = needs
        self.most: Final = most
        """None where there is no upper bound."""
        self.pure: Final = pure
        """Whether the same arguments always give the same result."""
        self.leaps: Final = leaps
        """Whether it may make much more, or take much longer, than its arguments are large."""
        self.effect: Final = effect
        """Whether it does something outside of the program: then only some hosts have it."""
        self.exact: Final = exact
        """Whether the language says "exactly" when the number of arguments is wrong."""
        self.signature: Final = _signature(name, call, needs)
        """How it is called: `substring(text, start[, count])`."""
        self.family: Final = call.__module__
        """The module that it is in."""
        self.prose: Final = (call.__doc__ or "").strip().partition("\n")[0]
        self.examples: Final = tuple(examples)
        """Expression and the printed form of its value."""

    def wrong_count(self, count: int) -> str | None:
        """What is wrong with calling it with `count` arguments, None when nothing is."""
        if self.exact and count != self.needs:
            return f"Function {self.name} requires exactly {_arguments(self.needs)}"
        if count < self.needs:
            return f"Function {self.name} requires at least {_arguments(self.needs)}"
        if self.most is not None and count > self.most:
            return f"Function {self.name} requires at most {_arguments(self.most)}"
        return None

    def too_many(self, count: int) -> str | None:
        """As for a call; missing ones are null."""
        return self.wrong_count(count) if self.most is not None and count > self.most else None

    def padded(self, count: int) -> Callable[..., Any]:
        """As a value it takes missing arguments as null."""
        missing = (None,) * max(0, self.needs - count)
        call: Implementation = self.call
        return (lambda *arguments: call(*arguments, *missing)) if missing else call


def function(
    name: str,
    args: int | tuple[int, int | None],
    *examples: tuple[str, str],
    pure: bool = True,
    leaps: bool = False,
    effect: bool = False,
    exact: bool = False,
) -> Callable[[AnyFunction], AnyFunction]:
    """Register a function that takes `args` arguments: a count, or the least and the most (None: any number).

    `pure`, `leaps`, `effect` and `exact` are described at `Function`. An example is an expression and the printed form
    of its value.
    """
    needs, most = (args, args) if isinstance(args, int) else args

    def register(call: AnyFunction) -> AnyFunction:
        FUNCTIONS[name] = Function(name, call, needs, most, pure and not effect, leaps, effect, exact, examples)
        return call

    return register


def _signature(name: str, call: Implementation, needs: int) -> str:
    text, optional = "", 0
    for position, parameter in enumerate(signature(call).parameters.values()):
        shown = parameter.name.strip("_")
        if parameter.kind is Parameter.VAR_POSITIONAL:
            shown = f"{shown or 'arguments'}…"
        elif position >= needs:
            text += "["
            optional += 1
        text += f", {shown}" if position else shown
    return f"{name}({text}{']' * optional})"


def _arguments(count: int) -> str:
    return f"{count} argument{'' if count == 1 else 's'}"


def functions() -> Mapping[str, Function]:
    """The library, by name."""
    return MappingProxyType(FUNCTIONS)

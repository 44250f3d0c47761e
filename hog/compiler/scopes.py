"""Which variable a name means, and what kind of Python variable it becomes.

A variable becomes a Python local, or a cell where an inner function reads it. Python has one cell per call, the
language one variable per execution of its `let`: what is declared within a loop and read by an inner function is kept
in a *box*, a list of one item, made anew by each `let`. Which variables those are is known only at the end, so a
program that has any is compiled a second time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from hog.names import Chain


class Variable:
    """One declaration. Its number is the same whenever the program is compiled."""

    __slots__ = ("arity", "boxed", "captured", "changed", "direct", "function", "in_loop", "name", "number", "unset")

    def __init__(self, name: str, number: int, function: "FunctionScope", in_loop: bool, boxed: bool) -> None:
        self.name = name
        self.number = number
        self.function = function
        self.in_loop = in_loop
        self.boxed = boxed
        self.captured = False
        """Whether an inner function reads or changes it."""
        self.changed = False
        """Whether anything is assigned to it after its declaration."""
        self.direct: str | None = None
        """The Python function behind it, where it is declared by `fun` and never anything else."""
        self.arity = 0
        self.unset = False
        """Whether its own initialiser is being compiled."""

    @property
    def python(self) -> str:
        """Its Python name."""
        return f"v{self.number}"


class FunctionScope:
    """One function of the program, or the program itself: its blocks, from the outermost to the innermost."""

    def __init__(self) -> None:
        self.blocks: list[dict[str, Variable]] = [{}]
        self.loops = 0
        """How many loops the place that is being compiled is in."""
        self.changes: set[str] = set()
        """Python names of outer variables that it assigns to."""
        self.boxes: set[str] = set()
        """Python names of the boxes of outer variables that it, or a function in it, reads."""


@dataclass(frozen=True)
class Kinds:
    """What the first compilation found out about variables, by number."""

    boxed: frozenset[int] = frozenset()
    indirect: frozenset[int] = frozenset()
    """Functions that cannot be called directly."""
    copies: bool = False
    """Whether containers are changed, so that globals have to be copied."""


@dataclass
class Scopes:
    """The functions around the place that is being compiled, from the program inwards."""

    kinds: Kinds
    functions: list[FunctionScope] = field(default_factory=lambda: [FunctionScope()])
    variables: list[Variable] = field(default_factory=list)

    @property
    def here(self) -> FunctionScope:
        """The innermost function."""
        return self.functions[-1]

    def declare(self, name: str) -> Variable | None:
        """A new variable of the innermost block; None when that has one of the name."""
        block = self.here.blocks[-1]
        if name in block:
            return None
        number = len(self.variables)
        variable = Variable(name, number, self.here, self.here.loops > 0, number in self.kinds.boxed)
        self.variables.append(variable)
        block[name] = variable
        return variable

    def find(self, name: str) -> Variable | None:
        """The visible variable of this name. One of an outer function is noted as captured on the way."""
        for depth in range(len(self.functions) - 1, -1, -1):
            for block in reversed(self.functions[depth].blocks):
                if name in block:
                    self._note_use(block[name], self.functions[depth + 1 :])
                    return block[name]
        return None

    def visible(self) -> Iterator[str]:
        """The names of all visible variables, for suggestions."""
        for function in self.functions:
            for block in function.blocks:
                yield from block

    def found_out(self, copies: bool) -> Kinds:
        """What a second compilation should know."""
        return Kinds(
            boxed=frozenset(v.number for v in self.variables if v.captured and v.in_loop),
            indirect=frozenset(
                v.number for v in self.variables if v.direct and (v.changed or (v.captured and v.in_loop))
            ),
            copies=copies,
        )

    @staticmethod
    def _note_use(variable: Variable, inner: list[FunctionScope]) -> None:
        if inner:
            variable.captured = True
            if variable.boxed:
                for function in inner:
                    function.boxes.add(variable.python)


def declared(chain: Chain) -> str:
    """The message about an assignment to what is no variable."""
    return f'Variable "{chain[0]}" not declared in this scope. Can not assign to globals.'

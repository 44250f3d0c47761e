"""Which globals and effects a program may use, and what to say about a name that is none."""

from collections.abc import Callable, Collection, Iterable
from difflib import get_close_matches

Chain = tuple[str, ...]


def _nothing_to_say(_: Chain) -> str | None:
    return None


class Names:
    """What exists where a program runs."""

    __slots__ = ("_explain", "_place", "effects", "roots")

    def __init__(
        self,
        roots: Collection[str],
        explain: Callable[[Chain], str | None] = _nothing_to_say,
        effects: Collection[str] = (),
        place: str = "here",
    ) -> None:
        """`roots` are the globals; `explain` may give a better message for an unknown one.

        `effects` are the functions that do something outside, besides `print`; `place` says where, as in "in a filter".
        """
        self.roots = frozenset(roots)
        self.effects = frozenset({"print", *effects})
        self._explain = explain
        self._place = place

    def no_effect(self, name: str) -> str:
        """What is wrong with calling an effect that is not among `effects`."""
        return f"`{name}` cannot be called {self._place}"

    def problem(self, chain: Chain, also: Iterable[str] = ()) -> str | None:
        """What is wrong with reading `chain`, None when its root exists. `also` are further names to suggest."""
        if chain[0] in self.roots:
            return None
        return self._explain(chain) or f"unknown name '{chain[0]}'{suggestion(chain[0], [*self.roots, *also])}"


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the nearest known one, or nothing."""
    by_lower_case = {candidate.lower(): candidate for candidate in sorted(known)}
    close = get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.65)
    return f"; did you mean '{by_lower_case[close[0]]}'?" if close else ""

"""New matches that wait until what is older has been read again, so that one person's events keep their order. Pure."""

from collections.abc import Iterator

from delivery.held import Key, key_of
from records import Invocation


class Later:
    """Open while the last of what was missed is read: a destination under load would else never catch up, for with each
    re-read it would have missed something new.
    """

    def __init__(self) -> None:
        """Closed, with nothing in it."""
        self.open = False
        self._all: dict[Key, Invocation] = {}

    def __len__(self) -> int:
        """All that wait."""
        return len(self._all)

    def __iter__(self) -> Iterator[Invocation]:
        """They, in the order of their coming."""
        return iter(self._all.values())

    def __contains__(self, invocation: Invocation) -> bool:
        """Whether the same event at the same position waits."""
        return bool(self._all) and key_of(invocation) in self._all

    def add(self, invocation: Invocation) -> None:
        """Let it wait."""
        self._all[key_of(invocation)] = invocation

    def close(self) -> list[Invocation]:
        """Let nothing wait any more; those that did, in their order."""
        self.open = False
        waited, self._all = list(self._all.values()), {}
        return waited

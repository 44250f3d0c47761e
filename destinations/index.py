"""Which destinations may want an event, by its project and its name alone. It runs no filter."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from destinations.candidates import Candidates
from destinations.destination import Destination


class _Names(NamedTuple):
    named: Mapping[str, Candidates]
    """For each event name that a filter names: those that name it and those that take any name."""
    any: Candidates
    """Those that take any name."""


class Index:
    """The enabled destinations. Two dictionary look-ups an event, whatever their number."""

    def __init__(self, destinations: Iterable[Destination]) -> None:
        """Disabled ones are left out."""
        enabled = sorted((each for each in destinations if each.enabled), key=lambda each: each.id)
        self._by_id = {each.id: each for each in enabled}
        self._elsewhere = _names(each for each in enabled if each.project is None)
        self._projects = {
            project: _names(each for each in enabled if each.project in (None, project))
            for project in {each.project for each in enabled if each.project is not None}
        }

    def candidates(self, project: int, event_name: str) -> Candidates:
        """Those whose project and event names fit."""
        names = self._projects.get(project, self._elsewhere)
        return names.named.get(event_name, names.any)

    def get(self, destination_id: str) -> Destination | None:
        """The enabled destination of that id."""
        return self._by_id.get(destination_id)

    def __len__(self) -> int:
        """How many are enabled."""
        return len(self._by_id)


def _names(destinations: Iterable[Destination]) -> _Names:
    fitting = tuple(destinations)
    names = {name for each in fitting for name in each.event_names or ()}
    return _Names(
        {name: Candidates(each for each in fitting if _takes(each, name)) for name in names},
        Candidates(each for each in fitting if each.event_names is None),
    )


def _takes(destination: Destination, event_name: str) -> bool:
    names = destination.event_names
    return names is None or event_name in names

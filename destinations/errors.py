"""Why a request could not be made of an event. Both are about one event, never about the destination as a whole."""

from catalog.problem import path_text
from catalog.yaml_file import Steps


class EventDataError(ValueError):
    """A JSON field of the event, its person or its group cannot be read."""


class InputError(ValueError):
    """An input, or a part of the request made of it, is not what it must be."""

    def __init__(self, where: str, message: str) -> None:
        """`where` names the part, such as `input 'url'`."""
        super().__init__(f"{where}: {message}")
        self.where = where
        self.message = message


def part_at(path: Steps) -> str:
    """What an InputError calls the value at a path, such as `input 'body.items[0]'`."""
    return f"input '{path_text(path[1:])}'" if path[0] == "inputs" else path_text(path)

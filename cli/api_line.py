"""To one destination by the console's API: as `Line`, where the journal is on another machine."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from cli.api_client import ApiReader, path_of
from cli.destination import ASK_LOG_S, WAIT_S, Line, Told
from connectors.commands import Answer, Wish
from records import Status


class ApiLine(Line):
    """A line that ends at a console."""

    def __init__(self, url: str, destination: str) -> None:
        """Ends the command with a line where the console has no such destination."""
        self._reader = ApiReader(url)
        self.journal = self._reader
        self._destination = destination
        self._path = path_of(destination, "/commands")
        self.status = self._reader.status(destination)

    def running(self) -> bool:
        """As the console sees it."""
        return bool(self._reader.api.get("/destinations", limit=1)["running"])

    def look(self) -> Status:
        """The destination's state now."""
        self.status = self._reader.status(self._destination)
        return self.status

    def tell(self, *wishes: Wish) -> Told:
        """Give commands one after the other; the console says who gives them. What became of the last is told."""
        told = [self.give(body_of(wish)) for wish in wishes]
        return msgspec.structs.replace(told[-1], ids=[id for one in told for id in one.ids])

    def give(self, body: Mapping[str, object]) -> Told:
        """Give one as the API takes it, and wait until it is carried out: not at all when no job runs.

        One of what has failed may become several commands: `positions` of the answer is that of all.
        """
        given = self._reader.api.post(self._path, body)
        ids: list[int] = given["ids"]
        if not given["running"]:
            return Told(ids, False, False, None, self.status)
        asks_log = body.get("first") is not None or body.get("since") is not None
        positions = 0
        for id in ids:
            answer = self._until(partial(self._answer, id), ASK_LOG_S if asks_log else WAIT_S)
            if answer is None or answer.error:
                return Told(ids, answer is not None or self.running(), False, answer, self.look())
            positions += answer.positions
        if body.get("dry"):
            return Told(ids, True, True, Answer(positions=positions), self.look())
        done = self._until(lambda: self._state(ids[-1])["done"] or None, WAIT_S)
        return Told(ids, True, done is not None, Answer(positions=positions), self.look())

    def _answer(self, id: int) -> Answer | None:
        state = self._state(id)
        return Answer(state["error"], positions=state["positions"]) if state["answered"] else None

    def _state(self, id: int) -> dict[str, Any]:
        state: dict[str, Any] = self._reader.api.get(f"{self._path}/{id}")
        return state


def body_of(wish: Wish) -> dict[str, object]:
    """As the API takes it."""
    body: dict[str, object] = {"kind": wish.kind.value, "skip_missed": wish.skip_missed, "dry": wish.dry}
    body |= {"since": wish.since, "until": wish.until}
    for name, place in (("first", wish.first), ("last", wish.last)):
        body[name] = None if place is None else msgspec.structs.asdict(place)
    return body

"""The destinations as they are configured now: a directory of files, read again within a second of a change.

Blocks: `open` reads the whole directory once. After that a thread looks for changes and swaps one immutable view for
the next: no answer is of half a change, though two answers for one batch in the flow may be of two views.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from destinations import Candidates, Changes, Destination, Index, Problem, Site, Watched
from records import Source, Status

POLL_EVERY_S = 0.5
REMOVED_AFTER_S = 10.0
"""A file that is gone for less may be on its way back: some programs delete a file and write it anew. Nothing is sent
for it meanwhile; past this, what it still owed is given up."""

_log = logging.getLogger("offramp.destinations")


@dataclass(frozen=True)
class _View:
    enabled: dict[str, Destination] = field(default_factory=dict)
    indexes: dict[Source, Index] = field(default_factory=lambda: _indexes([]))
    loaded: dict[str, Destination] = field(default_factory=dict)
    problems: dict[str, list[Problem]] = field(default_factory=dict)
    complete: bool = True
    """Whether the directory could be read."""


class ConfigStore:
    """What the steps ask about destinations. Reads take no lock; see `operators.screen.Configured`."""

    def __init__(
        self,
        watched: Watched,
        site: Site,
        show: Callable[[Status], None],
        shown_before: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
        unread: Mapping[Source, str] | None = None,
    ) -> None:
        """`show` is told the state of destinations that no operator speaks for: new, disabled, invalid, removed.

        `shown_before` are those that the last run has left a status of; their files may be gone by now. `unread` are
        the sources that nobody reads, with the setting that would change it.
        """
        self.site = site
        self._watched = watched
        self._show = show
        self._shown_before = tuple(shown_before)
        self._view = _View()
        self._clock = clock
        self._unread = unread or {}
        self._opened_at = clock()
        self._gone_since: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="destinations", daemon=True)

    def open(self) -> None:
        """Read everything for the first time and begin to watch."""
        self.refresh()
        for id in self._shown_before:
            if self._absent(id):
                self._show(Status(id, id, "removed", time.time()))
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def refresh(self) -> None:
        """Look for changes now; the thread does it by itself."""
        changes = self._watched.poll(time.time())
        problems: dict[str, list[Problem]] = {}
        for problem in self._watched.problems:
            problems.setdefault(problem.destination or "", []).append(problem)
        before = self._view
        presentation = self._watched.project.presentation
        if presentation != self.site.presentation:
            self.site = self.site.presented(presentation)
        if not changes and problems == before.problems:
            return
        loaded = self._watched.destinations
        enabled = {id: destination for id, destination in loaded.items() if destination.enabled}
        self._view = _View(enabled, _indexes(enabled.values()), loaded, problems, self._watched.readable)
        for id in (*changes.removed, *before.problems):
            self._gone_since[id] = self._clock()
        self._report(changes, before)

    def candidates(self, project: int, event_name: str, source: Source = Source.EVENTS) -> Candidates:
        """The enabled destinations that take this source, and whose filter admits this project and event name."""
        return self._view.indexes[source].candidates(project, event_name)

    def takes(self, source: Source) -> bool:
        """Whether any enabled destination takes this source."""
        return len(self._view.indexes[source]) > 0

    def find(self, destination: str) -> Destination | None:
        """The enabled destination of this id."""
        return self._view.enabled.get(destination)

    def has(self, destination: str) -> bool:
        """Whether there is a file of this id, whatever is the matter with it."""
        return destination in self._view.loaded or destination in self._view.problems

    def ids(self) -> list[str]:
        """The ids of all enabled destinations."""
        return list(self._view.enabled)

    def problems(self) -> dict[str, list[Problem]]:
        """What is wrong with files that do not load as they are now, by destination; "" is the directory itself."""
        return self._view.problems

    def problem(self, destination: str) -> str:
        """What keeps a destination's file from loading as it is now, in one line; empty when nothing does."""
        view = self._view
        problems = view.problems.get(destination)
        if not problems:
            return ""
        return problems[0].summary() + ("; its last good version runs on" if destination in view.loaded else "")

    def removed(self, destination: str) -> bool:
        """Whether no file of that id is there any more, for so long that it is meant."""
        if not self._absent(destination):
            return False
        return self._clock() - self._gone_since.get(destination, self._opened_at) >= REMOVED_AFTER_S

    def _absent(self, destination: str) -> bool:
        view = self._view
        # A directory that cannot be read, or has no file at all, is more likely not mounted than meant.
        there = view.complete and bool(view.loaded or view.problems.keys() - {""})
        return there and destination not in view.loaded and destination not in view.problems

    def _run(self) -> None:
        while not self._stop.wait(POLL_EVERY_S):
            try:
                self.refresh()
            except Exception:  # noqa: BLE001
                # A fault here must not end the watching: the destinations in effect stay in effect.
                _log.exception("could not look for changed destinations; trying again in %g s", POLL_EVERY_S)

    def _report(self, changes: Changes, before: _View) -> None:
        for verb, ids in (("added", changes.added), ("changed", changes.changed), ("removed", changes.removed)):
            if ids and before.loaded:
                _log.info("%s: %s", verb, ", ".join(ids))
        for id in (*changes.added, *changes.changed):
            self._warn_of_unread(self._view.loaded[id])
        for id in changes.invalid:
            for problem in self._view.problems.get(id, []):
                _log.error("%s", problem)
        for id in (*changes.added, *changes.changed, *changes.invalid, *changes.removed, *before.problems):
            if (status := self._status(id)) is not None:
                self._show(status)

    def _warn_of_unread(self, destination: Destination) -> None:
        setting = self._unread.get(destination.source)
        if setting is not None and destination.enabled:
            _log.warning(
                "%s: takes %s, which are not read, so it gets nothing: give %s",
                destination.id,
                destination.source,
                setting,
            )

    def _status(self, id: str) -> Status | None:
        view = self._view
        destination = view.loaded.get(id)
        name = destination.name if destination is not None else id
        if not id:
            # Of the directory, or of what all destinations share: nobody has a status for that.
            return None
        if problem := self.problem(id):
            return Status(id, name, "invalid", time.time(), problem=problem)
        if destination is None:
            return Status(id, name, "removed", time.time())
        return Status(id, name, "live" if destination.enabled else "disabled", time.time())


def _indexes(enabled: Collection[Destination]) -> dict[Source, Index]:
    return {source: Index(each for each in enabled if each.source is source) for source in Source}

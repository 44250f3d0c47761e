"""A directory of destination files that people edit while the job runs.

The caller polls; there is no thread in here. A file that no longer loads keeps its last good version in effect, and so
does one that is gone until it is so at the next poll, too: some programs delete a file and write it anew. A secret is
part of the files that use it: one that has changed, come or gone counts as a change of them.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

from catalog.loading import Catalog
from catalog.problem import Problem
from catalog.yaml_file import read
from destinations.destination import Destination
from destinations.filters import Project
from destinations.loading import CompiledFile, Loaded, assembled, compile_bytes, destination_files, unreadable_project
from destinations.project import compile_project, project_file
from destinations.secrets import AskedSecrets, Secrets

# A file system may stamp two writes within this time alike, so a young file is compared by its content.
YOUNG_S = 3.0
PROJECT_GONE_S = 10.0
"""A `project.yaml` that is gone for less may be on its way back: some programs delete a file and write it anew. What it
says stays in effect meanwhile: else filters would go by another time zone for a moment, and all be compiled twice."""


class Changes(NamedTuple):
    """What a poll found, by id."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()
    """Files that have just become invalid, or are so in another way than before."""

    def __bool__(self) -> bool:
        """Whether there is any."""
        return any(self)


class _Stamp(NamedTuple):
    mtime_ns: int
    ctime_ns: int
    size: int
    inode: int


class _Known(NamedTuple):
    stamp: _Stamp
    digest: bytes
    compiled: CompiledFile
    """With the last good version where the present one does not load."""
    project: Project
    """What it was compiled with: when that changes it is compiled again."""
    secrets: AskedSecrets
    """The same."""


class _KnownProject(NamedTuple):
    path: Path
    stamp: _Stamp
    digest: bytes
    project: Project
    """The last good version where the present one does not load."""
    problems: tuple[Problem, ...]

    def is_as_before(self, path: Path, stamp: _Stamp, now: float) -> bool:
        """Whether the file need not be read to know that it has not changed."""
        return path == self.path and _settled(stamp, self.stamp, now)


_NO_PROJECT = Project()


class Watched:
    """The destinations of a directory and how they change. For one thread."""

    def __init__(self, directory: Path, secrets: Secrets, catalog: Catalog) -> None:
        """Nothing is read before the first poll."""
        self._directory = directory
        self._secrets = secrets
        self._catalog = catalog
        self._files: dict[Path, _Known] = {}
        self._gone: set[Path] = set()
        """Those that were not there at the last poll and may be on their way back."""
        self._project: _KnownProject | None = None
        """None where there is no file."""
        self._project_gone_at: float | None = None
        self._loaded = Loaded({}, [])
        self.readable = True
        """Whether the directory could be read at the last look."""

    @property
    def destinations(self) -> dict[str, Destination]:
        """Those in effect."""
        return self._loaded.destinations

    @property
    def project(self) -> Project:
        """What `project.yaml` says, as it is in effect."""
        return self._project.project if self._project is not None else _NO_PROJECT

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with the files as they are now."""
        return self._loaded.problems

    def poll(self, now: float) -> Changes:
        """Look at the files, compile those that changed. `now` is seconds since the epoch, by the files' clock."""
        before = self._loaded
        try:
            paths = destination_files(self._directory)
        except OSError as error:
            # A directory that is away for a moment (a mount, a rename) must not stop every destination.
            problem = Problem(str(self._directory), "", 1, 1, f"cannot be read: {error.strerror}")
            self._loaded = Loaded(before.destinations, [problem])
            self.readable = False
            return _changes(before, self._loaded)
        self.readable = True
        self._project = self._look_at_project(now)
        secrets = self._secrets.at_once()
        self._files = self._kept_files(
            {path: at for path in paths if (at := self._look_at(path, now, secrets)) is not None}
        )
        of_project = self._project.problems if self._project is not None else ()
        self._loaded = assembled((known.compiled for known in self._files.values()), of_project)
        return _changes(before, self._loaded)

    def _kept_files(self, files: dict[Path, _Known]) -> dict[Path, _Known]:
        """These, and the ones that have just gone: what matches in between must not be lost."""
        ids = {path.stem for path in files}
        gone = self._files.keys() - files.keys() - self._gone
        # One that was renamed from `.yml` to `.yaml` is not gone.
        self._gone = {path for path in gone if path.stem not in ids}
        return files | {path: self._files[path] for path in self._gone}

    def _look_at_project(self, now: float) -> "_KnownProject | None":
        """What is known of `project.yaml`; its last good version stays in effect while it does not load."""
        path = project_file(self._directory)
        found = None if path is None else self._read_project(path, now)
        if found is not None:
            self._project_gone_at = None
            return found
        gone_at = self._project_gone_at = now if self._project_gone_at is None else self._project_gone_at
        return self._project if now - gone_at < PROJECT_GONE_S else None

    def _read_project(self, path: Path, now: float) -> "_KnownProject | None":
        """The file, read if need be; None if it has just gone."""
        known = self._project
        last = known.project if known is not None else Project(broken=True)
        try:
            stamp = _stamp(path)
            if known is not None and known.is_as_before(path, stamp, now):
                return known
            data = read(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            return _KnownProject(path, _Stamp(0, 0, 0, 0), b"", last, (unreadable_project(path, error),))
        digest = hashlib.sha256(data).digest()
        if known is not None and (path, digest) == (known.path, known.digest):
            return known._replace(stamp=stamp)
        compiled = compile_project(path, data)
        return _KnownProject(path, stamp, digest, compiled.project or last, compiled.problems)

    def _look_at(self, path: Path, now: float, secrets: Secrets) -> _Known | None:
        """What is known of the file after looking at it; None if it has just gone."""
        known = self._files.get(path)
        project = self.project
        try:
            stamp = _stamp(path)
            same_around = known is not None and known.project is project and not known.secrets.differ(secrets)
            if known is not None and same_around and _settled(stamp, known.stamp, now):
                return known
            data = read(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            problem = Problem(str(path), "", 1, 1, f"cannot be read: {error.strerror}", "", path.stem)
            broken = CompiledFile(str(path), None, (problem,))
            return _Known(_Stamp(0, 0, 0, 0), b"", _kept(broken, known), project, AskedSecrets(self._secrets))
        digest = hashlib.sha256(data).digest()
        if known is not None and same_around and digest == known.digest:
            return known._replace(stamp=stamp)
        asked = AskedSecrets(secrets)
        compiled = compile_bytes(path, data, asked, self._catalog, project)
        return _Known(stamp, digest, _kept(compiled, known), project, asked)


def _settled(stamp: _Stamp, before: _Stamp, now: float) -> bool:
    """Whether the file is the one that was read, and too old to have been written twice within one stamp."""
    return stamp == before and now - stamp.mtime_ns / 1e9 > YOUNG_S


def _kept(compiled: CompiledFile, known: _Known | None) -> CompiledFile:
    if compiled.destination is None and known is not None:
        return compiled._replace(destination=known.compiled.destination)
    return compiled


def _stamp(path: Path) -> _Stamp:
    stat = path.stat()
    return _Stamp(stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)


def _changes(before: Loaded, after: Loaded) -> Changes:
    old, new = before.destinations, after.destinations
    invalid = {problem.destination for problem in after.problems if problem not in before.problems}
    return Changes(
        added=tuple(sorted(new.keys() - old.keys())),
        changed=tuple(sorted(key for key in new.keys() & old.keys() if new[key] is not old[key])),
        removed=tuple(sorted(old.keys() - new.keys())),
        invalid=tuple(sorted(invalid)),
    )

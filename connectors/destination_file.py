"""One destination's file on the disk: read, and replaced in one step that a crash cannot cut in half.

Every change has two halves: it is laid ready beside the file under a hidden name, which a running job passes over, and
then takes its place by one rename. Which half a crash has left can be told from the hidden name alone.
"""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from catalog.yaml_file import MAX_FILE_BYTES, read
from destinations.loading import SUFFIXES, destination_files
from destinations.project import FILES as PROJECT_FILES
from destinations.spec import ID


class DestinationFileError(Exception):
    """A file cannot be read or written: one sentence saying why."""


class BadIdError(DestinationFileError):
    """What is no id of a destination."""


class Staged(NamedTuple):
    """A change that is ready. `name` tells whether it has happened: a new text has left it, a deleted file is there."""

    kind: Literal["write", "delete"]
    path: Path
    name: Path

    def happened(self) -> bool:
        """Whether the rename was made."""
        return self.name.exists() == (self.kind == "delete")

    def take_place(self) -> None:
        """Make the change; when this returns it is on the disk. Raises OSError."""
        if self.kind == "write":
            self.name.replace(self.path)
        else:
            self.path.replace(self.name)
        _sync_directory(self.path.parent)

    def clear(self) -> None:
        """Remove what is left beside the file."""
        with suppress(OSError):
            self.name.unlink(missing_ok=True)


class DestinationFiles:
    """The files of a directory by id. Blocks for as long as the disk takes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, id: str) -> Path:
        """Where the file of that id is, or will be. Raises BadIdError for what is no id."""
        if ID.fullmatch(id) is None or f"{id}.yaml" in PROJECT_FILES:
            raise BadIdError(f"'{id}' is no id of a destination: it is of a-z, 0-9 and '-', and not 'project'")
        paths = [self.directory / f"{id}{suffix}" for suffix in SUFFIXES]
        return next((path for path in paths if path.exists() or path.is_symlink()), paths[0])

    def ids(self) -> list[str]:
        """Of all files there are. Raises DestinationFileError."""
        try:
            return sorted({path.stem for path in destination_files(self.directory) if ID.fullmatch(path.stem)})
        except OSError as error:
            raise DestinationFileError(f"{self.directory}: cannot be read: {error.strerror}") from None

    def read(self, id: str) -> bytes | None:
        """The file's bytes; None where there is none. Raises DestinationFileError."""
        path = self.path(id)
        try:
            return read(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DestinationFileError(f"{path}: cannot be read: {error.strerror}") from None

    def stage(self, id: str, data: bytes | None) -> Staged:
        """Lay a new text ready, or that the file is to go. The file itself is untouched. Raises DestinationFileError.

        A file that is a link stays one: the file that it leads to is replaced, and keeps its permissions.
        """
        path = self.path(id)
        if data is None:
            return Staged("delete", path, _hidden(path))
        if len(data) > MAX_FILE_BYTES:
            raise DestinationFileError(f"{path}: the text is larger than 1 MiB")
        target = Path(os.path.realpath(path))
        name = _hidden(target)
        try:
            _write(name, data, like=target)
        except OSError as error:
            with suppress(OSError):
                name.unlink(missing_ok=True)
            raise DestinationFileError(f"{path}: cannot be written: {error.strerror}") from None
        return Staged("write", target, name)

    def clear_left_over(self, id: str) -> None:
        """Remove what a program laid ready that was killed before it said so. Only while no other one is at work."""
        for path in {self.path(id), Path(os.path.realpath(self.path(id)))}:
            for name in path.parent.glob(f".{path.name}.*.offramp"):
                with suppress(OSError):
                    name.unlink()


def _hidden(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.offramp")


def _write(name: Path, data: bytes, like: Path) -> None:
    with name.open("xb") as file:
        try:
            before = like.stat()
        except FileNotFoundError:
            pass
        else:
            if (before.st_uid, before.st_gid) != (os.getuid(), os.getgid()):
                with suppress(PermissionError):
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(directory: Path) -> None:
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)

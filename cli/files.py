"""Files that commands read, and several that they write at once."""

import os
from collections.abc import Mapping
from pathlib import Path

from cli.output import fail


def read_file(path: Path) -> bytes:
    """Its bytes; ends the command where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror}", 2)


def write_all(files: Mapping[Path, str]) -> None:
    """Write the texts: all of them are on the disk before the first one takes its name.

    Raises OSError, and then no file has changed unless the disk failed between two renames.
    """
    staged: dict[Path, Path] = {}
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            # Hidden: a running job takes no such file for a destination.
            beside = path.with_name(f".{path.name}.{os.getpid()}")
            staged[beside] = path
            with beside.open("w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        for beside, path in staged.items():
            beside.replace(path)
    finally:
        for beside in staged:
            beside.unlink(missing_ok=True)

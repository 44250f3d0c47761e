"""Writes several files at once: all of them are on the disk before the first one takes its name."""

import os
from collections.abc import Mapping
from pathlib import Path


def write_all(files: Mapping[Path, str]) -> None:
    """Write the texts; raises OSError, and then no file has changed unless the disk failed between two renames."""
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

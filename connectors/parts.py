"""Remembers which partitions were ever read and where each was begun, in a small file beside the engine's snapshots.

The engine breaks when a snapshot knows a partition that the source does not list, and a crash before the first snapshot
would begin a log at its new end again. It keeps no position that reading has reached: the snapshots do. Thread-safe.
"""

import os
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from connectors.log import END, Log, LogError


class Parts:
    """All partitions known, by name (STREAM/NUMBER). Without `memory` only the present ones are."""

    def __init__(
        self,
        present: Mapping[str, tuple[Log, int]],
        start: Literal["earliest", "latest"],
        memory: Path | None,
        on_demand: Collection[str] = (),
    ) -> None:
        """Find where the new ones begin, and remember them. Raises LogError when that fails.

        Those of streams that are read `on_demand` have not begun, unless others of the stream have: that is `END`.
        """
        self._memory = memory
        self._lock = threading.Lock()
        remembered = _load(memory) if memory is not None else {}
        streams = {part.rpartition("/")[0] for part in remembered}
        begun = {part.rpartition("/")[0] for part, offset in remembered.items() if offset != END}
        self._first = dict(remembered)
        for part, (log, partition) in present.items():
            if remembered.get(part, END) != END:
                continue
            if log.stream in on_demand and (part in remembered or log.stream not in begun):
                self._first[part] = END
                continue
            # A partition added to a topic that is being read holds nothing that was meant to be passed over.
            from_end = start == "latest" and log.stream not in streams
            self._first[part] = log.end_offset(partition) if from_end else log.start_offset(partition)
        if memory is not None and self._first != remembered:
            _save(memory, self._first)

    @property
    def known(self) -> list[str]:
        """The present ones and those of earlier runs."""
        return list(self._first)

    def first_offset(self, part: str) -> int:
        """Where this partition was begun; `END` where it has not."""
        return self._first[part]

    def begin(self, part: str, offset: int) -> None:
        """Remember where a partition is begun, on the disk when this returns; `END` ends it. Raises LogError."""
        with self._lock:
            if self._first[part] != offset:
                # Not remembered here before it is there: whoever tries again after an error would be told that it is.
                first = {**self._first, part: offset}
                if self._memory is not None:
                    _save(self._memory, first)
                self._first = first


def _load(memory: Path) -> dict[str, int]:
    try:
        return msgspec.json.decode(memory.read_bytes(), type=dict[str, int])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        raise LogError(f"{memory}: cannot be read: {error}; restore it, or give another --state") from None


def _save(memory: Path, first: dict[str, int]) -> None:
    temporary = memory.with_suffix(".new")
    try:
        with temporary.open("wb") as file:
            file.write(msgspec.json.encode(first))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(memory)
        # A loss of power may undo the renaming as long as the folder is not written.
        folder = os.open(memory.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise LogError(f"{memory}: cannot be written: {error.strerror}; free or correct the state folder") from None

"""The person table: the latest version of every person, distinct id and group, in RocksDB on the worker's disk.

It keeps what it is given and answers lookups. It refuses to decode messages (`person_messages` does) and to read any
input (`person_feed` does).

Units: versions are 64-bit integers, `properties` is a raw JSON object, positions are what the feed's readers count in.
Limits: one process at a time may write a folder, others may read it as it was when they opened it; about 500 MB of
memory at 5 million persons, half of it cache.
Blocking: a lookup takes microseconds, reads the disk when the cache misses, and never waits for the writer. Any number
of threads may look up while one applies rows.
"""

import struct
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from rocksdict import AccessType, BlockBasedOptions, Cache, DBCompressionType, Options, Rdict, WriteBatch

from records import Deleted, Group, Person

GROUP_TYPES: Final = range(5)
_FORMAT_KEY: Final = b"format"
_FORMAT: Final = b"1"
_HEADER: Final = struct.Struct(">q?")
_POSITION: Final = struct.Struct(">q")
_CACHE_BYTES: Final = 256 * 1024 * 1024
_WRITE_BUFFER_BYTES: Final = 64 * 1024 * 1024


class PersonTableError(RuntimeError):
    """The table cannot be opened; the text says which folder and what to do."""


class Position(NamedTuple):
    """How far one partition of one input has been applied.

    `next` is the offset to read next; `fingerprint` names the thing that was read (a cluster, a file), so that a reader
    notices when another one has taken its place.
    """

    next: int
    fingerprint: str = ""


class Row(NamedTuple):
    """One version of one key, made by `person_row`, `distinct_id_row` or `group_row`."""

    key: bytes
    version: int
    deleted: bool
    value: bytes


def person_row(project: int, person_id: str, properties: bytes, version: int = 0, deleted: bool = False) -> Row:
    """A version of a person. The properties of a deleted person are not kept."""
    return Row(_person_key(project, person_id.encode()), version, deleted, b"" if deleted else properties)


def distinct_id_row(project: int, distinct_id: str, person_id: str, version: int = 0, deleted: bool = False) -> Row:
    """A version of the mapping from a distinct id to its person."""
    return Row(_distinct_id_key(project, distinct_id), version, deleted, b"" if deleted else person_id.encode())


def group_row(project: int, index: int, key: str, properties: bytes, version: int = 0, deleted: bool = False) -> Row:
    """A version of a group."""
    return Row(_group_key(project, index, key), version, deleted, b"" if deleted else properties)


class PersonTable:
    """The highest version of each row wins; of equal versions, the one applied last.

    A deletion is kept with its version, so that an older version that arrives late cannot bring the row back.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        """Open the table in folder `path`, or make it.

        With `read_only` it is the table of this moment, also while a job writes it; it must be there already.
        """
        try:
            if read_only:
                self._db = Rdict(str(path), _options(), access_type=AccessType.read_only())
            else:
                path.mkdir(parents=True, exist_ok=True)
                self._db = Rdict(str(path), _options())
        except Exception as error:
            if read_only:
                raise PersonTableError(f"{path}: the person table cannot be read: {error}") from error
            raise PersonTableError(
                f"{path}: cannot open the person table: {error}. Is another job running on this folder? "
                "If not, delete the folder: the table is then read again from its inputs"
            ) from error
        # One writer: reading the stored versions and writing the newer ones must not interleave with another batch.
        self._writing = threading.Lock()
        self._check_format(path, read_only)

    def lookup(self, project: int, distinct_id: str) -> Person | Deleted | None:
        """The person behind a distinct id.

        `Deleted` when the distinct id or its person was deleted. None when the table has never heard of the distinct
        id, or has heard of its person's id only: then an event's own copy of the person is the best there is.
        """
        stored = self._get(_distinct_id_key(project, distinct_id))
        if stored is None:
            return None
        if _is_deleted(stored):
            return Deleted(_version(stored))
        return self._person(project, stored[_HEADER.size :])

    def person(self, project: int, person_id: str) -> Person | Deleted | None:
        """The person with this id; `Deleted` when deleted, None when never heard of."""
        return self._person(project, _encode(person_id))

    def group(self, project: int, index: int, key: str) -> Group | None:
        """The group of this type and key, or None."""
        stored = self._get(_group_key(project, index, key))
        return None if stored is None else _group(index, key, stored)

    def groups_with_key(self, project: int, key: str) -> list[Group]:
        """All groups that have this key, of any type, in the order of their types."""
        stored = self._get_many([_group_key(project, index, key) for index in GROUP_TYPES])
        groups = (_group(index, key, value) for index, value in zip(GROUP_TYPES, stored, strict=True) if value)
        return [group for group in groups if group]

    def apply(self, rows: Sequence[Row], positions: Mapping[str, Position]) -> None:
        """Write what is newer than the table, and the positions, in one atomic batch.

        A process killed at any moment leaves all of the batch or nothing of it.
        """
        batch = WriteBatch(raw_mode=True)
        with self._writing:
            for key, value in self._newer(rows).items():
                batch.put(key, value)
            for name, position in positions.items():
                batch.put(_position_key(name), _POSITION.pack(position.next) + position.fingerprint.encode())
            self._db.write(batch)

    def positions(self) -> dict[str, Position]:
        """How far each partition of each input has been applied."""
        found = {}
        prefix = _position_key("")
        for key, value in self._db.items(from_key=prefix):
            name = cast(bytes, key)
            if not name.startswith(prefix):
                break
            found[name.removeprefix(prefix).decode()] = Position(
                _POSITION.unpack_from(value)[0], value[_POSITION.size :].decode()
            )
        return found

    def offsets(self) -> dict[str, int]:
        """The offset to read next, by `stream/partition`."""
        return {name: position.next for name, position in self.positions().items()}

    def close(self) -> None:
        """Flush to disk and give the folder free. Lookups fail from here on."""
        with self._writing:
            self._db.close()

    def _newer(self, rows: Sequence[Row]) -> dict[bytes, bytes]:
        stored = self._get_many([row.key for row in rows])
        versions = {row.key: _version(value) for row, value in zip(rows, stored, strict=True) if value is not None}
        newer = {}
        for row in rows:
            current = versions.get(row.key)
            if current is None or row.version >= current:
                versions[row.key] = row.version
                newer[row.key] = _HEADER.pack(row.version, row.deleted) + row.value
        return newer

    def _person(self, project: int, person_id: bytes) -> Person | Deleted | None:
        stored = self._get(_person_key(project, person_id))
        if stored is None:
            return None
        if _is_deleted(stored):
            return Deleted(_version(stored))
        return Person(person_id.decode(), stored[_HEADER.size :])

    def _get(self, key: bytes) -> bytes | None:
        return cast(bytes | None, self._db.get(key))

    def _get_many(self, keys: list[Any]) -> list[bytes | None]:
        return cast(list[bytes | None], self._db.get(keys)) if keys else []

    def _check_format(self, path: Path, read_only: bool) -> None:
        found = self._get(_FORMAT_KEY)
        if found is None and not read_only:
            self._db.put(_FORMAT_KEY, _FORMAT)
        elif found is None:
            raise PersonTableError(f"{path}: is no person table")
        elif found != _FORMAT:
            self._db.close()
            raise PersonTableError(
                f"{path}: the person table has format {found.decode()}, this version reads format {_FORMAT.decode()}; "
                "delete the folder: the table is then read again from its inputs"
            )


def _options() -> Options:
    blocks = BlockBasedOptions()
    # Most rows of a first restore are new: a Bloom filter answers their "which version is stored?" without a read.
    blocks.set_bloom_filter(10, False)
    # Small blocks: a random lookup unpacks 2 KiB for its 300 bytes, not 4.
    blocks.set_block_size(2 * 1024)
    blocks.set_block_cache(Cache(_CACHE_BYTES))
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(blocks)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_write_buffer_size(_WRITE_BUFFER_BYTES)
    options.set_max_background_jobs(2)
    options.set_keep_log_file_num(2)
    return options


# Projects are written as text, so that any integer that an event may name has a key.
def _person_key(project: int, person_id: bytes) -> bytes:
    return b"p%d/%b" % (project, person_id)


def _distinct_id_key(project: int, distinct_id: str) -> bytes:
    return b"d%d/%b" % (project, _encode(distinct_id))


def _group_key(project: int, index: int, key: str) -> bytes:
    return b"g%d/%d/%b" % (project, index, _encode(key))


def _position_key(name: str) -> bytes:
    return b"o" + name.encode()


def _encode(text: str) -> bytes:
    # A lookup must not fail on text that has no UTF-8 form; nothing is stored under such a key.
    return text.encode(errors="surrogatepass")


def _version(stored: bytes) -> int:
    return cast(int, _HEADER.unpack_from(stored)[0])


def _is_deleted(stored: bytes) -> bool:
    return cast(bool, _HEADER.unpack_from(stored)[1])


def _group(index: int, key: str, stored: bytes) -> Group | None:
    return None if _is_deleted(stored) else Group(index, key, stored[_HEADER.size :])

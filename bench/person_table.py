"""Which embedded store should hold the person table: RocksDB, LMDB or SQLite? Measured in one run, printed with ratios.

Each candidate runs in a process of its own and does what the person table does: restore N persons of ~300 B properties
and N distinct ids in batches of 5,000 (every row is read first, because the highest version wins; the offsets go into
the same batch), look up random distinct ids, then look them up while a second thread keeps writing updates.

    python -m bench.person_table --persons 1000000 --persons 5000000

It refuses to compare unequal promises: each store is set so that a killed process loses nothing that was committed.
`lmdb` and `sqlite` and `rocksdb` also stay whole after a power cut; `lmdb-nosync` does not and is shown to price that.
Needs the `bench` extra (lmdb is no dependency of the product).
"""

import argparse
import hashlib
import json
import multiprocessing
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import lmdb
from rich.console import Console
from rich.table import Table
from rocksdict import BlockBasedOptions, Cache, DBCompressionType, Options, Rdict, WriteBatch

BATCH = 5_000
Rows = list[tuple[bytes, bytes]]


class Store(Protocol):
    """The three things that a person table needs of a store."""

    def write(self, rows: Rows, mark: bytes) -> None:
        """Read every key of `rows`, then write all rows and the mark in one atomic batch."""

    def get(self, key: bytes) -> bytes | None:
        """The value of one key."""

    def close(self) -> None:
        """Flush and close."""


class RocksStore:
    """RocksDB with a write-ahead log that is not synced at each batch."""

    def __init__(self, path: Path) -> None:
        table = BlockBasedOptions()
        table.set_bloom_filter(10, False)
        table.set_block_size(2 * 1024)
        table.set_block_cache(Cache(256 * 1024 * 1024))
        options = Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_block_based_table_factory(table)
        options.set_compression_type(DBCompressionType.lz4())
        options.set_write_buffer_size(64 * 1024 * 1024)
        options.set_max_background_jobs(2)
        self._db = Rdict(str(path), options)

    def write(self, rows: Rows, mark: bytes) -> None:
        """See Store."""
        self._db.get([key for key, _ in rows])
        batch = WriteBatch(raw_mode=True)
        for key, value in rows:
            batch.put(key, value)
        batch.put(b"o", mark)
        self._db.write(batch)

    def get(self, key: bytes) -> bytes | None:
        """See Store."""
        value: bytes | None = self._db.get(key)
        return value

    def close(self) -> None:
        """See Store."""
        self._db.close()


class LmdbStore:
    """LMDB; the data pages are synced at each commit unless `sync` is false."""

    def __init__(self, path: Path, sync: bool = True) -> None:
        self._env = lmdb.open(str(path), map_size=1 << 38, metasync=False, sync=sync, readahead=False, max_spare_txns=8)

    def write(self, rows: Rows, mark: bytes) -> None:
        """See Store."""
        with self._env.begin(write=True) as transaction:
            for key, value in rows:
                transaction.get(key)
                transaction.put(key, value)
            transaction.put(b"o", mark)

    def get(self, key: bytes) -> bytes | None:
        """See Store."""
        with self._env.begin() as transaction:
            return transaction.get(key)

    def close(self) -> None:
        """See Store."""
        self._env.sync(True)
        self._env.close()


class SqliteStore:
    """SQLite in WAL mode, one table without rowid; a connection per thread."""

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self._file = path / "persons.db"
        self._local = threading.local()
        self._connection().execute("CREATE TABLE kv (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID")

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._file, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA cache_size=-262144")
            self._local.connection = connection
        return connection

    def write(self, rows: Rows, mark: bytes) -> None:
        """See Store."""
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        for key, _ in rows:
            connection.execute("SELECT v FROM kv WHERE k = ?", (key,)).fetchone()
        connection.executemany("INSERT OR REPLACE INTO kv VALUES (?, ?)", [*rows, (b"o", mark)])
        connection.execute("COMMIT")

    def get(self, key: bytes) -> bytes | None:
        """See Store."""
        row = self._connection().execute("SELECT v FROM kv WHERE k = ?", (key,)).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        """See Store."""
        self._connection().close()


CANDIDATES: dict[str, Callable[[Path], Store]] = {
    "rocksdb": RocksStore,
    "lmdb": LmdbStore,
    "lmdb-nosync": lambda path: LmdbStore(path, sync=False),
    "sqlite": SqliteStore,
}


class Result(NamedTuple):
    """What one candidate did at one size."""

    store: str
    persons: int
    restore_rows_s: float
    p50_us: float
    p99_us: float
    busy_p50_us: float
    busy_p99_us: float
    busy_updates_s: float
    rss_anon_mb: float
    rss_file_mb: float
    disk_mb: float


def person_key(number: int) -> bytes:
    """A random-looking key of a uuid's length: ids of real persons are not inserted in order."""
    return b"p" + hashlib.blake2b(number.to_bytes(8, "big"), digest_size=18).hexdigest().encode()


def distinct_key(number: int) -> bytes:
    """The key of the one distinct id of a person."""
    return b"d" + hashlib.blake2b(b"d%d" % number, digest_size=18).hexdigest().encode()


def person_value(number: int, version: int) -> bytes:
    """About 300 bytes of JSON behind a version, as compressible as real properties are."""
    tail = hashlib.blake2b(number.to_bytes(8, "big"), digest_size=16).hexdigest()
    properties = {
        "email": f"user{number}@example.com",
        "name": f"Person {number}",
        "plan": ("free", "pro", "team")[number % 3],
        "$initial_referrer": "https://www.example.org/",
        "$initial_utm_source": ("newsletter", "ads", None)[number % 3],
        "$browser": "Chrome",
        "$os": "Linux",
        "seats": number % 50,
        "session": tail,
        "created": "2026-11-23T10:31:07Z",
    }
    return version.to_bytes(8, "big") + json.dumps(properties).encode()


def batches(count: int, row: Callable[[int], tuple[bytes, bytes]]) -> Iterator[Rows]:
    """The rows of `count` numbers, BATCH at a time."""
    for first in range(0, count, BATCH):
        yield [row(number) for number in range(first, min(first + BATCH, count))]


def restore(store: Store, persons: int) -> float:
    """Rows per second over both topics; making the rows is not counted."""
    spent = 0.0
    for topic in (lambda n: (person_key(n), person_value(n, 0)), lambda n: (distinct_key(n), person_key(n))):
        for position, rows in enumerate(batches(persons, topic)):
            started = time.perf_counter()
            store.write(rows, str(position).encode())
            spent += time.perf_counter() - started
    return 2 * persons / spent


def lookups(store: Store, persons: int, count: int) -> list[float]:
    """Microseconds of each of `count` random lookups, distinct id to properties, sorted."""
    keys = [distinct_key(number * 7_919 % persons) for number in range(count)]
    taken = []
    for key in keys:
        started = time.perf_counter()
        person = store.get(key)
        if person is None or store.get(person) is None:
            raise AssertionError(f"lost row {key!r}")
        taken.append((time.perf_counter() - started) * 1e6)
    return sorted(taken)


def lookups_while_writing(store: Store, persons: int, count: int) -> tuple[list[float], float]:
    """The same lookups while another thread writes updates at full speed; also its updates per second."""
    stop = threading.Event()
    written = 0
    prepared = [
        [(person_key(n), person_value(n, 1)) for n in range(first, min(first + 1_000, persons))]
        for first in range(0, min(persons, 50_000), 1_000)
    ]

    def feed() -> None:
        nonlocal written
        while not stop.is_set():
            for rows in prepared:
                store.write(rows, b"live")
                written += len(rows)
                if stop.is_set():
                    break

    feeder = threading.Thread(target=feed)
    started = time.perf_counter()
    feeder.start()
    taken = lookups(store, persons, count)
    elapsed = time.perf_counter() - started
    stop.set()
    feeder.join()
    return taken, written / elapsed


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of the sorted values lie."""
    return values[int(len(values) * share)]


def resident_mb() -> tuple[float, float]:
    """Memory of this process: its own, and mapped file pages that the kernel can take back."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return tuple(int(fields[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile"))  # type: ignore[return-value]


def measure(name: str, persons: int, count: int, folder: Path) -> Result:
    """All phases of one candidate at one size."""
    path = folder / name
    store = CANDIDATES[name](path)
    rate = restore(store, persons)
    idle = lookups(store, persons, count)
    busy, updates = lookups_while_writing(store, persons, count // 5)
    anon, mapped = resident_mb()
    store.close()
    disk = sum(file.stat().st_blocks * 512 for file in path.rglob("*") if file.is_file()) / 2**20
    # fmt: off
    return Result(
        name, persons, rate, quantile(idle, 0.5), quantile(idle, 0.99), quantile(busy, 0.5), quantile(busy, 0.99),
        updates, anon, mapped, disk,
    )
    # fmt: on


def _child(arguments: tuple[str, int, int, Path]) -> Result:
    return measure(*arguments)


def show(results: list[Result], console: Console) -> None:
    """One table per size; the ratio column compares restore rates and idle p50 with the first candidate."""
    first = results[0]
    table = Table(title=f"{first.persons:,} persons + {first.persons:,} distinct ids")
    for title in (
        "store", "restore rows/s", "ratio", "lookup p50 µs", "ratio", "p99 µs", "busy p50 µs", "busy p99 µs",
        "busy updates/s", "RSS own MB", "RSS mapped MB", "disk MB",
    ):  # fmt: skip
        table.add_column(title, justify="left" if title == "store" else "right")
    for r in results:
        table.add_row(
            r.store, f"{r.restore_rows_s:,.0f}", f"{r.restore_rows_s / first.restore_rows_s:.2f}",
            f"{r.p50_us:.1f}", f"{r.p50_us / first.p50_us:.2f}", f"{r.p99_us:.1f}", f"{r.busy_p50_us:.1f}",
            f"{r.busy_p99_us:.1f}", f"{r.busy_updates_s:,.0f}", f"{r.rss_anon_mb:,.0f}", f"{r.rss_file_mb:,.0f}",
            f"{r.disk_mb:,.0f}",
        )  # fmt: skip
    console.print(table)


def main() -> int:
    """Run every candidate at every size and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--persons", type=int, action="append", help="a table size; repeatable (default 1000000)")
    parser.add_argument("--lookups", type=int, default=50_000, help="random lookups per phase (default 50000)")
    parser.add_argument("--store", choices=CANDIDATES, action="append", help="only this candidate; repeatable")
    arguments = parser.parse_args()
    # Spawned, one at a time: the memory of one candidate must not show in the next.
    context: Any = multiprocessing.get_context("spawn")
    for persons in arguments.persons or [1_000_000]:
        results = []
        for name in arguments.store or list(CANDIDATES):
            folder = Path(tempfile.mkdtemp(prefix="person-table-"))
            try:
                with context.Pool(1) as pool:
                    results.append(pool.apply(_child, ((name, persons, arguments.lookups, folder),)))
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        show(results, Console(width=160))
    return 0


if __name__ == "__main__":
    sys.exit(main())

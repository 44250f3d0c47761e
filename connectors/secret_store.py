"""Secrets that people enter: encrypted in a file of the state directory, written by programs, read by the job alone.

People see names, times and authors, never a value: none is in an error, a log line or a repr. Each value is sealed
with AES-256-GCM and its own name, so that a row that is copied to another name cannot be opened. The keys are not kept
here; without them the file says how many secrets there are and what they are called, and nothing else.
"""

import base64
import binascii
import hashlib
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import msgspec

from connectors.journal_schema import transaction
from connectors.state_file import StateFileError, open_state_file, unusable
from records.hidden import Hidden, StoreKeys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FILE = "secrets.sqlite"
MAX_BYTES = 64 * 1024
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""As `{secrets.NAME}` takes it."""
RESERVED = "OFFRAMP_"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_KIND = "secrets"
_STEPS = (
    """
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    at REAL NOT NULL,
    author TEXT NOT NULL,
    key TEXT NOT NULL,
    sealed BLOB NOT NULL
) WITHOUT ROWID
""",
)


class SecretStoreError(StateFileError):
    """A secret cannot be stored or opened: one sentence saying why, with no secret in it."""


class BadSecretError(SecretStoreError):
    """What is no name or no value of a secret."""


class StoredSecret(msgspec.Struct, frozen=True):
    """What people may know of a secret."""

    name: str
    at: float
    """When it was set, in seconds since the epoch."""
    author: str
    key: str
    """Which key it is sealed with; see `key_id`."""


class Opened(Hidden, frozen=True):
    """What was found in the file by one look."""

    values: dict[str, str]
    closed: dict[str, str]
    """Names of those that cannot be opened, and why; the reasons name none."""


def read_keys(text: str) -> StoreKeys:
    """Keys from text: each 32 bytes in base64, separated by commas or blanks. The first seals, all of them open.

    Raises ValueError, without the text.
    """
    keys: list[bytes] = []
    for number, word in enumerate(re.split(r"[,;\s]+", text.strip()), 1):
        try:
            key = base64.b64decode(word.replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != _KEY_BYTES:
            raise ValueError(f"key {number} is not 32 bytes in base64; `openssl rand -base64 32` makes one")
        keys.append(key)
    return StoreKeys(tuple(dict.fromkeys(keys)))


def key_id(key: bytes) -> str:
    """By which a key can be told from others. A key is random, so nothing of it can be found out."""
    return hashlib.sha256(b"offramp secrets key\0" + key).hexdigest()[:8]


class SecretStore:
    """The secrets of one state directory. For any thread; blocks for a few milliseconds, or while another one writes.

    Errors: SecretStoreError for what is asked for, StateFileError for the file.

    Guarantee: what `set` and `delete` have returned from is on the disk; a running job takes it up within 2 s.
    """

    def __init__(self, state: Path, keys: StoreKeys | None = None, clock: Callable[[], float] = time.time) -> None:
        """Nothing is opened, or made, before it is needed."""
        self.path = state / FILE
        self._keys = {key_id(key): key for key in keys.keys} if keys is not None else {}
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None

    def __repr__(self) -> str:
        """Without the keys."""
        return f"SecretStore({self.path})"

    def __enter__(self) -> Self:
        """Closes at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes."""
        self.close()

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def listed(self) -> list[StoredSecret]:
        """All of them by name. Needs no key."""
        if not self.path.exists():
            return []
        rows = self._rows("SELECT name, at, author, key FROM secrets ORDER BY name")
        return [StoredSecret(*row) for row in rows]

    def set(self, name: str, value: str, author: str) -> None:
        """Store a secret, in place of the one of that name if there is one.

        Refuses a name that `{secrets.NAME}` cannot have, an empty value, one of more than 64 KiB, and to mix keys:
        where there are secrets that the keys given here do not open, a job has the other key, and not this one.
        """
        refuse_name(name)
        try:
            data = value.encode()
        except UnicodeEncodeError:
            raise BadSecretError(f"{name}: a secret is text in UTF-8") from None
        if not data:
            raise BadSecretError(f"{name}: the value is empty; delete it if it is not to be there")
        if len(data) > MAX_BYTES:
            raise BadSecretError(f"{name}: the value is larger than {MAX_BYTES // 1024} KiB")
        first = self._first_key()
        self._refuse_mixture(name)
        row = (name, self._clock(), author, first, self._sealed(name, data))
        self._write("INSERT OR REPLACE INTO secrets VALUES (?, ?, ?, ?, ?)", row)

    def delete(self, name: str) -> bool:
        """Whether there was one. Needs no key."""
        if not self.path.exists():
            return False
        return self._write("DELETE FROM secrets WHERE name = ?", (name,)) > 0

    def rotate(self) -> int:
        """Seal all with the first key, so that the others are no longer needed; how many were sealed with others."""
        first = self._first_key()
        others = [one.name for one in self.listed() if one.key != first]
        for name in others:
            # Each on its own: one that is set meanwhile must not be replaced by what it was before.
            found = self._rows("SELECT sealed, key FROM secrets WHERE name = ?", (name,))
            if not found:
                continue
            ((sealed, key),) = found
            again = self._sealed(name, self._opened(name, key, sealed))
            self._write(
                "UPDATE secrets SET key = ?, sealed = ? WHERE name = ? AND sealed = ?", (first, again, name, sealed)
            )
        return len(others)

    def open_all(self) -> Opened:
        """Every value, for who sends requests; nobody else asks. What cannot be opened is not an error, but told."""
        values: dict[str, str] = {}
        closed: dict[str, str] = {}
        if self.path.exists():
            for name, key, sealed in self._rows("SELECT name, key, sealed FROM secrets"):
                try:
                    values[name] = self._opened(name, key, sealed).decode()
                except SecretStoreError as error:
                    closed[name] = str(error)
        return Opened(values, closed)

    def version(self) -> tuple[object, ...]:
        """Differs from the last one when anything was written since."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            self.close()
            return ()
        except OSError as error:
            raise StateFileError(f"{_KIND} {self.path}: {error.strerror}") from None
        inode = (stat.st_dev, stat.st_ino)
        if inode != self._inode:
            # Another file has taken its place, such as one from a backup.
            self.close()
            self._inode = inode
        return (inode, *self._rows("PRAGMA data_version")[0])

    def _first_key(self) -> str:
        if not self._keys:
            raise SecretStoreError(
                "OFFRAMP_SECRETS_KEY is not set: secrets are stored encrypted, and only with a key. "
                "`openssl rand -base64 32` makes one; the job needs the same"
            )
        return next(iter(self._keys))

    def _refuse_mixture(self, name: str) -> None:
        for one in self.listed():
            if one.key not in self._keys and one.name != name:
                self._refuse_key(one.key)

    def _refuse_key(self, key: str) -> NoReturn:
        given = ", ".join(self._keys) or "none"
        raise SecretStoreError(
            f"{self.path} holds secrets that were encrypted with another key ({key}) than OFFRAMP_SECRETS_KEY has "
            f"({given}): give that key as well, behind the new one and a comma, or delete what it was for"
        )

    def _sealed(self, name: str, data: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + _cipher(self._keys[self._first_key()]).encrypt(nonce, data, name.encode())

    def _opened(self, name: str, key: str, sealed: bytes) -> bytes:
        if key not in self._keys:
            if not self._keys:
                raise SecretStoreError(f"OFFRAMP_SECRETS_KEY is not set, and {self.path} holds secrets: set it")
            self._refuse_key(key)
        from cryptography.exceptions import InvalidTag

        try:
            return _cipher(self._keys[key]).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError):
            raise SecretStoreError(f"{self.path} is damaged: a secret in it cannot be opened; set them anew") from None

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[Any]:
        with self._lock:
            try:
                return self._open().execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise unusable(_KIND, self.path, error) from None

    def _write(self, statement: str, values: tuple[object, ...]) -> int:
        with self._lock:
            try:
                connection = self._open()
                with transaction(connection):
                    return connection.execute(statement, values).rowcount
            except sqlite3.Error as error:
                raise unusable(_KIND, self.path, error) from None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_state_file(self.path, _KIND, _STEPS)
        return self._connection


def _cipher(key: bytes) -> "AESGCM":
    # Every command imports the settings, and with them this file; few of them open a secret.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def refuse_name(name: str) -> None:
    """Raise BadSecretError for what is no name of a secret."""
    if NAME.fullmatch(name) is None:
        # It is not repeated: somebody may have written the value here.
        raise BadSecretError("that is no name for a secret: it is of letters, digits and _, as in {secrets.CRM_TOKEN}")
    if name.startswith(RESERVED):
        raise BadSecretError(f"{name}: names that begin with {RESERVED} are the job's own settings")

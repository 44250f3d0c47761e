"""Looks up the secrets that destinations name: in files, in the environment, in what people have entered.

Refuses the job's own `OFFRAMP_` variables: the broker's password is not a destination's business. Never logs a value.
"""

import logging
import re
from collections.abc import Mapping
from pathlib import Path

from connectors.secret_store import Opened, SecretStore
from connectors.state_file import StateFileError

_log = logging.getLogger(__name__)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class SecretLookup:
    """`lookup(name)` is the text of the file `name` in `directory`, else the environment variable `name`, else what
    people have stored under that name, else None.

    A file and the store are looked at at every call, so a changed secret is picked up by who asks again. One line
    break at a file's end is not part of the secret, and an empty secret counts as not set.
    """

    def __init__(
        self,
        directory: Path | None = None,
        environ: Mapping[str, str] | None = None,
        store: SecretStore | None = None,
    ) -> None:
        self._directory = directory
        self._environ = {} if environ is None else environ
        self._store = store
        self._stored = Opened({}, {})
        self._stored_version: tuple[object, ...] | None = None
        self._warned: dict[str, str] = {}
        """By what it is of: secrets are looked up again and again, and each warning is said once."""

    def __call__(self, name: str) -> str | None:
        """None for a secret that is not set, that cannot be read, or whose name is no name."""
        if _NAME.fullmatch(name) is None or name.startswith("OFFRAMP_"):
            return None
        return self._read(name) or self._environ.get(name) or self._look_into_store().values.get(name)

    def why_missing(self, name: str) -> str:
        """What to do about a secret that `lookup` has answered None for."""
        if reason := self._look_into_store().closed.get(name):
            return f"secret '{name}' is stored, but cannot be opened: {reason}"
        return ""

    def __repr__(self) -> str:
        """Without the variables: they are what must not be shown."""
        return f"SecretLookup({self._directory})"

    def _look_into_store(self) -> Opened:
        """What the store holds now; as long as it cannot be read, what it held before."""
        if self._store is None:
            return self._stored
        try:
            version = self._store.version()
            if version != self._stored_version:
                self._stored, self._stored_version = self._store.open_all(), version
        except StateFileError as error:
            self._warn("", f"{error}; going by the secrets that were read before")
            return self._stored
        reasons = sorted(set(self._stored.closed.values()))
        self._warn("", f"stored secrets are missing: {'; '.join(reasons)}" if reasons else "")
        return self._stored

    def _warn(self, what: str, message: str) -> None:
        if message and self._warned.get(what) != message:
            _log.warning("%s", message)
        self._warned[what] = message

    def _read(self, name: str) -> str | None:
        if self._directory is None:
            return None
        path = self._directory / name
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            self._warn(name, f"{path}: not UTF-8 text; looking for {name} in the environment instead")
            return None
        except OSError as error:
            self._warn(name, f"{path}: {error.strerror}; looking for {name} in the environment instead")
            return None
        self._warn(name, "")
        return text.removesuffix("\n").removesuffix("\r")

"""Looks up the secrets that destinations name.

Refuses the job's own `OFFRAMP_` variables: the broker's password is not a destination's business. Never logs a value.
"""

import logging
import re
from collections.abc import Mapping
from pathlib import Path

_log = logging.getLogger(__name__)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class SecretLookup:
    """`lookup(name)` is the text of the file `name` in `directory`, else the environment variable `name`, else None.

    A file is read at every call, so a rotated secret is picked up with the next load of its destination. One line
    break at the file's end is not part of the secret, and an empty secret counts as not set.
    """

    def __init__(self, directory: Path | None = None, environ: Mapping[str, str] | None = None) -> None:
        self._directory = directory
        self._environ = {} if environ is None else environ

    def __call__(self, name: str) -> str | None:
        """None for a secret that is not set, that cannot be read, or whose name is no name."""
        if _NAME.fullmatch(name) is None or name.startswith("OFFRAMP_"):
            return None
        return self._read(name) or self._environ.get(name) or None

    def __repr__(self) -> str:
        """Without the variables: they are what must not be shown."""
        return f"SecretLookup({self._directory})"

    def _read(self, name: str) -> str | None:
        if self._directory is None:
            return None
        path = self._directory / name
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            _log.warning("%s: not UTF-8 text; looking for %s in the environment instead", path, name)
            return None
        except OSError as error:
            _log.warning("%s: %s; looking for %s in the environment instead", path, error.strerror, name)
            return None
        return text.removesuffix("\n").removesuffix("\r")

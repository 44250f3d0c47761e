"""TLS contexts for destinations with certificates of their own; changed files are taken up while the job runs.

A context belongs to the key by which connections are kept, so that new certificates mean new connections, and
destinations with other certificates never share one.

Units: seconds. Files are looked at once a second at most, when a request goes out, and on a thread.
"""

import asyncio
import logging
import math
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from connectors.http_errors import TlsSetupError
from destinations.certificates import CertificateError, files_of, tls_context
from records.hidden import Certificates

_LOOK_EVERY_S: Final = 1.0
_KEPT: Final = 512
_THREADS: Final = 4

_log = logging.getLogger(__name__)

_Stamps = tuple[tuple[int, int, int] | None, ...]


class _Known:
    """One destination's context, and what its files were like when it was made."""

    __slots__ = ("context", "looked_at", "stamps", "told", "turn")

    def __init__(self) -> None:
        self.context: ssl.SSLContext | None = None
        self.stamps: _Stamps | None = None
        self.looked_at = -math.inf
        self.told = ""
        self.turn = asyncio.Lock()


class TlsContexts:
    """It lives on one event loop; close it there."""

    def __init__(self) -> None:
        """Starts threads when it needs them: more than one, so that a mount that hangs holds up its users alone."""
        self._known: dict[Certificates, _Known] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="certificates")

    async def of(self, certificates: Certificates) -> ssl.SSLContext:
        """The context for these certificates, as the files are now.

        Raises:
            TlsSetupError: there is none yet, and they cannot be read.
        """
        known = self._known.get(certificates) or self._new(certificates)
        if known.context is not None and time.monotonic() - known.looked_at < _LOOK_EVERY_S:
            return known.context
        async with known.turn:
            if known.context is None or time.monotonic() - known.looked_at >= _LOOK_EVERY_S:
                await self._look(certificates, known)
        assert known.context is not None
        return known.context

    def close(self) -> None:
        """Waits for nothing."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _new(self, certificates: Certificates) -> _Known:
        if len(self._known) >= _KEPT:
            # Of destinations that have changed or are gone, most likely.
            del self._known[min(self._known, key=lambda each: self._known[each].looked_at)]
        known = self._known[certificates] = _Known()
        return known

    async def _look(self, certificates: Certificates, known: _Known) -> None:
        """Keep what there is where the new files do not fit: one may have been replaced before the other."""
        known.looked_at = time.monotonic()
        loop = asyncio.get_running_loop()
        try:
            stamps, context = await loop.run_in_executor(self._threads, _made, certificates, known.stamps)
        except CertificateError as error:
            which = f"delivery.{'.'.join(map(str, error.path))}: {error}"
            if known.context is None:
                raise TlsSetupError(which) from None
            if which != known.told:
                known.told = which
                _log.warning("A changed file of certificates is not taken up, the one before stays: %s", which)
            return
        known.stamps = stamps
        known.context = context or known.context
        known.told = ""


def _made(certificates: Certificates, before: _Stamps | None) -> tuple[_Stamps, ssl.SSLContext | None]:
    """A context, unless the files are as they were before."""
    # Before the files are read: a change in between is then found the next time.
    stamps = tuple(_stamp(path) for path in files_of(certificates))
    return stamps, None if stamps == before else tls_context(certificates)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino

"""Compresses request bodies by gzip, the larger ones on threads of its own: the loop never waits long for one."""

import asyncio
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from connectors.http_request import Prepared

LEAST_BYTES: Final = 1024
"""Below this the body and its headers fit into one packet either way: compressing it saves nothing."""
_AT_ONCE_BYTES: Final = 32 * 1024
"""Compressed where it stands: half a millisecond at most, about what a change of threads costs a busy loop."""
_LEVEL: Final = 4
"""Within a few per cent of the usual level 6 on JSON, at half its time."""
_THREADS: Final = 2
_GZIP_WINDOW: Final = 31


class Compressor:
    """It lives on one event loop; close it there."""

    def __init__(self) -> None:
        """Starts no thread before it needs one."""
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="gzip")

    async def compressed(self, prepared: Prepared) -> Prepared:
        """The request with its body compressed; as it is where the body is small or has an encoding already."""
        body = prepared.body
        if (
            body is None
            or len(body) < LEAST_BYTES
            or any(name.lower() == "content-encoding" for name in prepared.headers)
        ):
            return prepared
        if len(body) <= _AT_ONCE_BYTES:
            packed = _gzip(body)
        else:
            packed = await asyncio.get_running_loop().run_in_executor(self._threads, _gzip, body)
        return msgspec.structs.replace(prepared, headers=prepared.headers | {"content-encoding": "gzip"}, body=packed)

    def close(self) -> None:
        """Waits for nothing."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _gzip(body: bytes) -> bytes:
    """Without a time in it: the same body is the same bytes on every attempt."""
    return zlib.compress(body, _LEVEL, _GZIP_WINDOW)

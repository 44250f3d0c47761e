"""Finds an event in the logs by its uuid, among the newest messages. For people who ask about one; no lane uses it.

Limits: `MOST` positions of each partition, bytes where the log is a file. Blocks: until all of them are read, and up to
`SILENCE_S` for a log that says nothing. Errors: LogError.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final

from connectors.log import Log, LogError
from records import Event, Message

MOST: Final = 200_000
MOST_BYTES: Final = 256 * 1024 * 1024
SILENCE_S: Final = 10.0
_BATCH: Final = 500
_PAUSE_S: Final = 0.01


def find_event(
    logs: Iterable[Log], uuid: str, decode: Callable[[Message], Event | None], silence_s: float = SILENCE_S
) -> Event | None:
    """The newest event of that uuid in the first log that has one; None where none has.

    `decode` gives None for what is no event.
    """
    for log in logs:
        for partition in log.partitions() if log.replayable else ():
            found = _in_partition(log, partition, uuid, decode, silence_s)
            if found is not None:
                return found
    return None


def _in_partition(
    log: Log, partition: int, uuid: str, decode: Callable[[Message], Event | None], silence_s: float
) -> Event | None:
    uuid = uuid.lower()
    begin, end = log.start_offset(partition), log.end_offset(partition)
    most = MOST_BYTES if log.stream.startswith("file:") else MOST
    if end - most > begin:
        begin = log.align(partition, end - most)
    reader = log.reader(partition, until_end=True)
    found = None
    try:
        reader.seek(begin)
        heard_at = time.monotonic()
        while reader.next_offset < end:
            messages = reader.read(_BATCH)
            if messages:
                heard_at = time.monotonic()
            elif reader.at_end():
                break
            elif time.monotonic() - heard_at > silence_s:
                raise LogError(f"{log.stream}/{partition} has not answered for {silence_s:g} s")
            else:
                time.sleep(_PAUSE_S)
            for message in messages:
                event = decode(message)
                if event is not None and event.uuid.lower() == uuid:
                    found = event
    except OSError as error:
        raise LogError(f"{log.stream}: cannot be read: {error.strerror or error}") from None
    finally:
        reader.close()
    return found

"""A server for tests, as a process on free ports of the loopback address."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_START_S = 60
_STOP_S = 20


@contextmanager
def serving(
    name: str, command: Sequence[str], folder: Path, answers: Callable[[], bool], env: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Runs it in this folder, from when it answers. It is killed in the end: its data goes with the folder."""
    log = folder / f"{name.lower()}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | (env or {}), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        give_up_at = time.monotonic() + _START_S
        while not _tried(answers):
            if process.poll() is not None or time.monotonic() > give_up_at:
                end = log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{name} did not start within {_START_S} s; the end of its log:\n{end}")
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait(_STOP_S)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def _tried(answers: Callable[[], bool]) -> bool:
    try:
        return answers()
    except OSError:
        return False

"""The demo's job and its console: the ordinary commands in child processes, which keep all in a temporary folder."""

import base64
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from connectors.journal import JournalError, JournalReader
from flows.demo_shop import DISTINCT_IDS, EVENTS, PERSONS
from records import Status

GRACE_S = 3
LOG_LINES = 15
CONSOLE_PORT = 8020
_SECRETS_KEY = base64.b64encode(os.urandom(32)).decode()
"""Secrets that are entered in the console are stored, for the time of the demo."""
_WAIT_S = 0.02
# The broker inside librdkafka, unlike a real one, answers a fetch that found nothing only when this time is over, also
# when a message comes meanwhile.
_SETTINGS = "kafka: {fetch.wait.max.ms: '5'}\n"


class Stop:
    """Whether somebody asked the demo to end, and how often: the second time nothing is waited for."""

    def __init__(self) -> None:
        """Nobody has asked."""
        self.asked = 0
        self._event = threading.Event()

    def __enter__(self) -> Self:
        """Takes the signals over: Ctrl-C, SIGTERM, and a terminal that was closed."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        self._before = {number: signal.signal(number, self._ask) for number in numbers}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Gives the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until asked."""
        return self._event.wait(seconds)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked += 1
        self._event.set()


class Child:
    """`offramp COMMAND`, within its `with` block: `folder` holds the folder `destinations` and gets `state`."""

    def __init__(self, command: str, folder: Path, servers: str, stop: Stop, more: Mapping[str, str]) -> None:
        """Nothing runs yet. `more` are flags."""
        self.destinations = folder / "destinations"
        self.state = folder / "state"
        self.broke = False
        """Whether it ended by itself, which it should not."""
        self._command = command
        self._log = folder / f"{command}.log"
        self._servers = servers
        self._stop = stop
        self._more = more

    def __enter__(self) -> Self:
        """Starts the process."""
        folder = self.state.parent
        (folder / "offramp.yaml").write_text(_SETTINGS, "utf-8")
        with self._log.open("wb") as log:
            # Its own session: a Ctrl-C at the terminal is for the demo, which then ends the job in its own time.
            # The folder as working directory: an offramp.yaml of the user's is not meant for the demo.
            environ = os.environ | {"OFFRAMP_SECRETS_KEY": _SECRETS_KEY}
            self._process = subprocess.Popen(
                self._words(), stdout=log, stderr=log, cwd=folder, env=environ, start_new_session=True
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """SIGTERM and patience; SIGKILL when it takes too long or Ctrl-C came a second time."""
        self.broke = not self.running
        self._process.terminate()
        until = time.monotonic() + 3 * GRACE_S
        while self.running:
            if self._stop.asked > 1 or time.monotonic() > until:
                self._process.kill()
            time.sleep(_WAIT_S)

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    def end_of_log(self) -> list[str]:
        """The last lines that it wrote."""
        return self._log.read_text("utf-8", "replace").splitlines()[-LOG_LINES:]

    def _words(self) -> list[str]:
        kafka = f"kafka://{self._servers}"
        flags = {
            "--events": f"{kafka}/{EVENTS}",
            "--persons": f"{kafka}/{PERSONS},{DISTINCT_IDS}",
            "--destinations": str(self.destinations),
            "--state": str(self.state),
            "--allow": "127.0.0.0/8",
            **self._more,
        }
        # -P: the folder of destinations in the working directory is not to be taken for the package of that name.
        return [
            sys.executable,
            "-P",
            "-m",
            "cli.main",
            self._command,
            *(word for pair in flags.items() for word in pair),
        ]


class ChildJob(Child):
    """The job."""

    def __init__(self, folder: Path, servers: str, stop: Stop) -> None:
        """Nothing runs yet."""
        super().__init__("run", folder, servers, stop, {"--shutdown-grace-s": str(GRACE_S)})

    def statuses(self) -> list[Status]:
        """What its journal says of each destination; nothing before there is one."""
        try:
            with JournalReader(self.state / "journal.sqlite") as journal:
                return journal.statuses()
        except JournalError:
            return []


class ChildConsole(Child):
    """The console, at its usual port or another one."""

    def __init__(self, folder: Path, servers: str, stop: Stop) -> None:
        """Nothing runs yet."""
        address = f"127.0.0.1:{_free_port()}"
        self.url = f"http://{address}"
        super().__init__("console", folder, servers, stop, {"--console-address": address})


def has_console() -> bool:
    """Whether what the console needs is installed."""
    return importlib.util.find_spec("nicegui") is not None


def _free_port() -> int:
    for port in (CONSOLE_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return CONSOLE_PORT

"""A test stand: a folder with destinations and a state, and the jobs that are run on it as processes of their own.

Every wait is bounded and looks for what it waits for; nothing here sleeps for a fixed time.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML

from tests.receiver import Received, Receiver

T = TypeVar("T")

ENOUGH_S = 60.0
QUICK = {"quarantine": {"periods_s": [0.5], "disable_after": 1000}}
"""A minute of quarantine is too long for a test, and what a test breaks is to come back."""
_LOOK_EVERY_S = 0.03
_COUNTS = ("delivered", "failed", "owed", "expired", "skipped")


def until(what: str, look: Callable[[], T], timeout_s: float = ENOUGH_S) -> T:
    """The first answer of `look` that is true."""
    give_up_at = time.monotonic() + timeout_s
    while True:
        if answer := look():
            return answer
        if time.monotonic() > give_up_at:
            raise AssertionError(f"not within {timeout_s:g} s: {what}")
        time.sleep(_LOOK_EVERY_S)


class Job:
    """One `offramp run`, started by `Stand.start`. Its standard streams go to files, so that no pipe can fill."""

    def __init__(self, process: "subprocess.Popen[bytes]", out: Path, log: Path) -> None:
        self._process = process
        self._out = out
        self._log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def out(self) -> str:
        """Standard output so far."""
        return self._out.read_text("utf-8")

    @property
    def log(self) -> str:
        """Standard error so far."""
        return self._log.read_text("utf-8")

    def messages(self) -> list[str]:
        """The lines of the log without their times."""
        return [line.partition(" ")[2] for line in self.log.splitlines()]

    def running(self) -> bool:
        return self._process.poll() is None

    def until(self, what: str, look: Callable[[], object], timeout_s: float = ENOUGH_S) -> None:
        """Until `look` says true; fails at once, with the log, when the job ends before."""
        try:
            until(what, lambda: look() or not self.running(), timeout_s)
            assert look(), f"the job ended before: {what}"
        except AssertionError as error:
            raise AssertionError(f"{error}; the job's log:\n{self.log}") from None

    def wait_for_log(self, text: str, timeout_s: float = ENOUGH_S) -> None:
        """Until the log holds this text."""
        self.until(f"{text!r} in the log", lambda: text in self.log, timeout_s)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, timeout_s: float = ENOUGH_S) -> int:
        """The exit code."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the job has not ended within {timeout_s:g} s; its log:\n{self.log}") from None

    def terminate(self, timeout_s: float = ENOUGH_S) -> int:
        """SIGTERM, and the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def kill(self) -> None:
        """`kill -9`: no time to say goodbye."""
        self.signal(signal.SIGKILL)
        self._process.wait()


class Stand:
    """A folder with `destinations/` and `state/`. `close` ends what still runs."""

    def __init__(self, folder: Path, receiver: Receiver) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.destinations = folder / "destinations"
        self.destinations.mkdir()
        self._receiver = receiver
        self._jobs: list[Job] = []

    def destination(self, id: str, when: str | None = None, *, more: Mapping[str, Any] = QUICK, **inputs: Any) -> None:
        """Write a destination's file. By itself it sends the event's uuid to its own path on the receiver."""
        inputs = {"url": f"{self._receiver.url}/{id}", "body": {"uuid": "{event.uuid}"}} | inputs
        content: dict[str, Any] = {"id": id, "name": id.title(), "inputs": inputs, **more}
        if when is not None:
            content["filters"] = {"when": when}
        with (self.destinations / f"{id}.yaml").open("w", encoding="utf-8") as file:
            YAML().dump(content, file)

    def lines(self, name: str, values: Sequence[Mapping[str, Any] | bytes]) -> Path:
        """Append JSON lines to a file of the stand; bytes are taken as they are."""
        path = self.folder / name
        with path.open("ab") as file:
            file.writelines((value if isinstance(value, bytes) else dumps(value)) + b"\n" for value in values)
        return path

    def start(
        self,
        *arguments: object,
        state: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: Path | None = None,
    ) -> Job:
        """`offramp run` on this stand with these further arguments."""
        folders = ("--destinations", self.destinations, "--state", state or self.state)
        return self.start_module(
            "cli.main", "run", *folders, "--allow", "127.0.0.0/8", *arguments, env=env, stdin=stdin
        )

    def start_module(
        self,
        module: str,
        *arguments: object,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: Path | None = None,
    ) -> Job:
        """`python -m` this module in the stand's folder, with no settings of the machine's own."""
        number = len(self._jobs)
        out, log = self.folder / f"{number}.out", self.folder / f"{number}.log"
        # -P: the folder of destinations in the working directory is not to be taken for the package of that name.
        command = [sys.executable, "-P", "-m", module, *map(str, arguments)]
        given = stdin or Path(os.devnull)
        with out.open("wb") as stdout, log.open("wb") as stderr, given.open("rb") as piped:
            process = subprocess.Popen(
                command,
                cwd=cwd or self.folder,
                env=self.environ(env),
                stdin=piped,
                stdout=stdout,
                stderr=stderr,
            )
        self._jobs.append(Job(process, out, log))
        return self._jobs[-1]

    def environ(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The machine's variables without settings, and these."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("OFFRAMP_")}
        return own | dict(more or {})

    def run(self, *arguments: object, **more: Any) -> tuple[int, str, str]:
        """Start a job, wait for its end: exit code, standard output, standard error."""
        job = self.start(*arguments, **more)
        return job.wait(), job.out, job.log

    def status(self) -> dict[str, dict[str, Any]]:
        """`offramp status --json` by destination; empty before there is a journal. The account must hold."""
        command = [sys.executable, "-P", "-m", "cli.main", "status", "--json", "--state", str(self.state)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=ENOUGH_S)
        if done.returncode == 1 and "there is no journal" in done.stderr:
            return {}
        assert done.returncode == 0, done.stderr
        statuses = {one["id"]: one for one in json.loads(done.stdout)}
        for one in statuses.values():
            assert one["matched"] == sum(one[name] for name in _COUNTS), one
        return statuses

    def logs(self, destination: str) -> list[dict[str, Any]]:
        """`offramp logs --json` of one destination, oldest first."""
        command = [sys.executable, "-P", "-m", "cli.main", "logs", destination, "--json", "--state", str(self.state)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True, timeout=ENOUGH_S)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def offramp(self, command: str, *arguments: object) -> tuple[int, str, str]:
        """Another command on this stand's state: exit code, standard output, standard error."""
        line = [sys.executable, "-P", "-m", "cli.main", command, *map(str, arguments), "--state", str(self.state)]
        done = subprocess.run(line, cwd=self.folder, capture_output=True, text=True, check=False, timeout=ENOUGH_S)
        return done.returncode, done.stdout, done.stderr

    def close(self) -> None:
        for job in self._jobs:
            if job.running():
                job.kill()


def dumps(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def uuids(requests: Sequence[Received]) -> list[str]:
    """The uuids of the events that requests of `Stand.destination` stand for."""
    return [request.json()["uuid"] for request in requests]


def webhook_ids(requests: Sequence[Received]) -> dict[str, set[str | None]]:
    """The values of `webhook-id` by uuid."""
    found: dict[str, set[str | None]] = {}
    for request in requests:
        found.setdefault(request.json()["uuid"], set()).add(request.header("webhook-id"))
    return found

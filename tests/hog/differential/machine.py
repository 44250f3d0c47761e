"""PostHog's TypeScript machine, for comparison: npm's package `@posthog/hogvm`, run by node.

`HOGVM_FOLDER` may name a folder that has it in `node_modules`. Otherwise it is installed here once, as
`package.json` says.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hog import nodes, parser
from tests.hog.differential.bytecode import compile_program

HERE: Final = Path(__file__).parent
_PACKAGE: Final = Path("node_modules/@posthog/hogvm")
_INSTALL: Final = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error")


class MissingMachineError(Exception):
    """Node or the package cannot be had on this machine; the text says which."""


@dataclass(frozen=True)
class Outcome:
    """What one program did: what it printed, its result as it prints, and why it failed."""

    prints: list[str]
    result: str | None
    error: str | None


class Machine:
    """One node process that runs program after program."""

    def __init__(self) -> None:
        node = shutil.which("node")
        if node is None:
            raise MissingMachineError("the comparison with PostHog's machine needs node: it is not on the PATH")
        folder = package_folder()
        self._process = subprocess.Popen(
            [node, str(HERE / "runner.mjs"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, "TZ": "UTC"},
        )

    def run(self, source: str, globals_: Mapping[str, Any] | None = None, *, repaired: bool = True) -> Outcome:
        """Run a source. `repaired` puts right what the machine gets wrong about captured variables and handlers."""
        return self.run_tree(parser.parse_program(source), globals_, repaired=repaired)

    def run_tree(
        self, tree: nodes.Program, globals_: Mapping[str, Any] | None = None, *, repaired: bool = True
    ) -> Outcome:
        """Run a tree."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"bytecode": compile_program(tree), "globals": globals_ or {}, "repaired": repaired}
        # JSON has no infinities; a number that is too large becomes one where it is read.
        line = json.dumps(request).replace("Infinity", "1e999")
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return Outcome(**json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def package_folder() -> Path:
    """The folder whose `node_modules` has the package; it is installed there when it is not."""
    named = os.environ.get("HOGVM_FOLDER")
    if named:
        return Path(named)
    if not (HERE / _PACKAGE).is_dir():
        install()
    return HERE


def install() -> None:
    """Fetch the package with npm, into this folder."""
    npm = shutil.which("npm")
    if npm is None:
        raise MissingMachineError("the comparison with PostHog's machine needs npm: it is not on the PATH")
    done = subprocess.run(
        [npm, "install", "--prefix", str(HERE), *_INSTALL], capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = (done.stderr or done.stdout or "it said nothing").strip().splitlines()
        raise MissingMachineError(f"npm could not install @posthog/hogvm: {lines[0]}")

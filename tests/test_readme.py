"""The README's example is run as it stands: files are written, commands run, outputs and arrivals compared.

A block of `json` or `yaml` is the file that the text before it names last, in order; `console` is commands and what
they print; `text` is what the receiver has printed since the last such block; `sh` is checked on its own.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from flows.demo_broker import Broker

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SCRIPTS = Path(sys.executable).parent
FILE = re.compile(r"`([\w/]+\.(?:jsonl|yaml))`")
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:[^$].*\n|\n)*)", re.MULTILINE)
"""A command, over several lines where they end in a backslash, and its output up to the next one."""
VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"\d+ rows/s"), "N rows/s"),
    (re.compile(r"ended after \d+\.\d s"), "ended after N s"),
)


class Block(NamedTuple):
    """A fenced block, and the prose since the one before."""

    before: str
    kind: str
    text: str


def blocks() -> Iterator[Block]:
    end = 0
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE):
        yield Block(README[end : match.start()], match[1], match[2])
        end = match.end()


def same(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return text


class Receiver:
    """The receiver of the examples, on a free port."""

    def __init__(self, root: Path) -> None:
        program = [sys.executable, "-u", str(ROOT / "examples/receiver.py"), "--port", "0"]
        self._printed = root / "receiver.log"
        with self._printed.open("wb") as log:
            self._process = subprocess.Popen(program, stdout=log, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        self.address = self._process.stderr.readline().split("http://")[1].split(",")[0]
        self._seen = 0

    def printed(self) -> str:
        """What it has printed since the last call."""
        text = self._printed.read_text("utf-8")
        new, self._seen = text[self._seen :], len(text)
        return new

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path)
    yield receiver
    receiver.close()


def run(command: str, root: Path) -> str:
    """What a command prints, on both streams."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OFFRAMP_")}
    environ["PATH"] = f"{SCRIPTS}{os.pathsep}{environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=root, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60
    )
    return done.stdout.decode()


def test_the_growing_example(tmp_path: Path, receiver: Receiver) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "examples").symlink_to(ROOT / "examples")
    (root / "destinations").mkdir()
    named: list[str] = []
    kinds = []
    with Broker(()) as broker:

        def here(text: str) -> str:
            return text.replace("127.0.0.1:8080", receiver.address).replace("localhost:9092", broker.servers)

        for block in blocks():
            kinds.append(block.kind)
            if block.kind in ("json", "yaml"):
                named += FILE.findall(block.before)
                (root / named.pop(0)).write_text(here(block.text), "utf-8")
            elif block.kind == "console":
                for command, output in COMMAND.findall(block.text):
                    assert same(run(here(command), root)) == same(here(output)), command
            elif block.kind == "text":
                assert receiver.printed() == block.text
    assert named == []
    assert kinds.count("console") == 4
    # The last run has no block of its own: three events from Kafka, of which two are sign-ups.
    assert receiver.printed() == 'PUT /contacts/p1 {"email":"ada@example.com","plan":"team"}\n' * 2


def test_every_kind_of_block_is_one_that_is_run() -> None:
    assert {block.kind for block in blocks()} == {"", "sh", "json", "yaml", "console", "text"}
    assert [block.kind for block in blocks()].count("") == 1


def test_the_commands_outside_the_example_exist() -> None:
    lines = [line for block in blocks() if block.kind == "sh" for line in block.text.splitlines()]
    assert lines == ["make demo", "make test", "python examples/receiver.py --port 8080"]
    for target in ("demo", "test", "setup"):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_every_link_leads_to_a_file() -> None:
    for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/shop/README.md"):
        text = (ROOT / page).read_text("utf-8")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert target.startswith("https://") or ((ROOT / page).parent / target).exists(), f"{page}: {target}"


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 155

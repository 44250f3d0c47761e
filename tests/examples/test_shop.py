"""Every command of examples/shop/README.md is run on a copy; what arrives is compared with what should."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flows.demo_broker import Broker
from tests.receiver import Receiver

ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path, receiver: Receiver) -> Path:
    """A copy of the examples whose destinations send to the receiver."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for file in (tmp_path / "examples/shop/destinations").glob("*.yaml"):
        text = file.read_text("utf-8")
        assert "http://127.0.0.1:8080" in text
        file.write_text(text.replace("http://127.0.0.1:8080", receiver.url), "utf-8")
    return tmp_path


def commands() -> list[str]:
    text = (ROOT / "examples/shop/README.md").read_text("utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def run(command: str, root: Path, servers: str = "") -> str:
    """Runs one command with this Python and its scripts, in the copy."""
    scripts = Path(sys.executable).parent
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OFFRAMP_")}
    words = shlex.split(command.replace("localhost:9092", servers))
    words[0] = str(scripts / Path(words[0]).name)
    done = subprocess.run(words, cwd=root, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def arrived(receiver: Receiver) -> list[dict[str, Any]]:
    return _sorted(
        {"method": one.method, "target": one.target, "tier": one.header("x-tier"), "body": one.json()}
        for one in receiver.requests
    )


def expected() -> list[dict[str, Any]]:
    lines = (ROOT / "examples/shop/expected.jsonl").read_text("utf-8").splitlines()
    return _sorted(json.loads(line) for line in lines)


def _sorted(requests: Any) -> list[dict[str, Any]]:
    # Between destinations, and within one, order is not promised.
    return sorted(requests, key=lambda request: json.dumps(request, sort_keys=True))


def test_from_the_file(root: Path, receiver: Receiver) -> None:
    [command] = [line for line in commands() if "run --events examples/" in line]
    out = run(command, root)
    assert arrived(receiver) == expected()
    assert out.splitlines()[:3] == [
        "contacts: matched 8, delivered 8, failed 0, owed 0",
        "orders: matched 9, delivered 9, failed 0, owed 0",
        "revenue: matched 11, delivered 11, failed 0, owed 0",
    ]


def test_from_kafka(root: Path, receiver: Receiver) -> None:
    fill = [line for line in commands() if "produce.py" in line]
    [command] = [line for line in commands() if "run --events kafka://" in line]
    with Broker(()) as broker:
        printed = [run(line, root, broker.servers) for line in fill]
        assert printed == [
            "38 messages in shop_events\n",
            "17 messages in shop_persons\n",
            "26 messages in shop_distinct_ids\n",
            "17 messages in shop_groups\n",
        ]
        run(command, root, broker.servers)
    assert arrived(receiver) == expected()


def test_every_request_has_its_own_id(root: Path, receiver: Receiver) -> None:
    [command] = [line for line in commands() if "run --events examples/" in line]
    run(command, root)
    ids = {one.header("webhook-id") for one in receiver.requests}
    assert None not in ids
    assert len(ids) == len(receiver.requests)


def test_the_receiver_prints_a_line_for_each_request() -> None:
    program = [sys.executable, "examples/receiver.py", "--port", "0"]
    pipes = subprocess.PIPE
    with subprocess.Popen(program, cwd=ROOT, stdout=pipes, stderr=pipes, text=True) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        address = re.search(r"http://\S+:\d+", process.stderr.readline())
        assert address is not None
        send = "import urllib.request as u, sys; u.urlopen(u.Request(sys.argv[1], b'{}', method='PUT'))"
        subprocess.run([sys.executable, "-c", send, address[0] + "/a?b=1"], check=True)
        assert process.stdout.readline() == "PUT /a?b=1 {}\n"
        process.terminate()
